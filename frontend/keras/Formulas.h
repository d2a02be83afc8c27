//===- Formulas.h - array functions that layers are written with ----------===//

#ifndef TENON_FRONTEND_KERAS_FORMULAS_H
#define TENON_FRONTEND_KERAS_FORMULAS_H

#include "dialects/graph/Expression.h"

namespace tenon::keras {

using graph::GraphBuilder;
using graph::Tensor;

/// A size: a number, or that of a tensor's dimension.
struct Size {
  Size(int64_t known) : known(known) {}
  Size(Tensor of, int64_t dim) : of(of), dim(dim) {}
  int64_t known = 0;
  Tensor of;
  int64_t dim = 0;
};

/// The size of a dimension when it is known at compile time.
std::optional<int64_t> knownDim(Tensor x, int64_t dim);
/// An i64 vector of sizes.
Tensor shapeOf(GraphBuilder &g, llvm::ArrayRef<Size> sizes);
/// Row-major order is kept. Null for null.
Tensor reshape(Tensor x, llvm::ArrayRef<Size> sizes);
Tensor broadcast(Tensor x, llvm::ArrayRef<Size> sizes);
/// The sizes of `x`, for changing some of them.
llvm::SmallVector<Size> sizesOf(Tensor x);

/// graph.reduce_NAME over axes, negative ones from the end.
Tensor reduce(llvm::StringRef name, Tensor x, llvm::ArrayRef<int64_t> axes,
              bool keepDims = false);
Tensor mean(Tensor x, llvm::ArrayRef<int64_t> axes, bool keepDims = false);
Tensor squeeze(Tensor x, llvm::ArrayRef<int64_t> axes);
/// x[..., begin:end:step, ...] along one axis; no `end`: up to the end.
/// Negative places count from the end.
Tensor slice(Tensor x, int64_t axis, std::optional<int64_t> begin,
             std::optional<int64_t> end, int64_t step = 1);
/// Element `place` along an axis, which goes.
Tensor element(Tensor x, int64_t axis, int64_t place);
/// Equal parts.
llvm::SmallVector<Tensor> split(Tensor x, int64_t axis, unsigned count);
/// Parts of these sizes.
llvm::SmallVector<Tensor> split(Tensor x, int64_t axis,
                                llvm::ArrayRef<int64_t> sizes);
/// Border of `value` before and after each dimension.
Tensor pad(Tensor x, llvm::ArrayRef<std::pair<int64_t, int64_t>> amounts,
           double value = 0);
Tensor reverse(Tensor x, int64_t axis);
Tensor stack(llvm::ArrayRef<Tensor> parts, int64_t axis);
/// The elements of a tensor of any type one after another, as scalar type
/// `type`.
Tensor constant(GraphBuilder &g, mlir::Type type, llvm::ArrayRef<double> values,
                llvm::ArrayRef<int64_t> shape);
Tensor einsum(llvm::StringRef equation, Tensor a, Tensor b);
Tensor maximum(Tensor a, Tensor b);
Tensor minimum(Tensor a, Tensor b);
Tensor maximum(Tensor a, double b);
Tensor minimum(Tensor a, double b);
Tensor logicalNot(Tensor x);
/// x divided by its length over axes, or by `epsilon` where that is greater.
Tensor unitLength(Tensor x, llvm::ArrayRef<int64_t> axes, double epsilon);
Tensor softmax(Tensor x, int64_t axis = -1);
/// Moves a dimension.
Tensor moveAxis(Tensor x, int64_t from, int64_t to);

/// Builds a loop over 0, 1, ..., count - 1 that carries `values`: `body` gets a
/// builder inside, the counter and the values, and gives the next ones.
llvm::SmallVector<Tensor>
loop(GraphBuilder &g, Tensor count, llvm::ArrayRef<Tensor> values,
     llvm::function_ref<llvm::SmallVector<Tensor>(GraphBuilder &, Tensor,
                                                  llvm::ArrayRef<Tensor>)>
         body);

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_FORMULAS_H
