//===- FedAxes.h - axes that only the run knows
//----------------------------===//
//
// Along an axis that is fed, a tensor is a view of three dimensions: those
// before it, it, and those after it, whose sizes are computed at run time. The
// operation is done along the one in the middle.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_FEDAXES_H
#define TENON_FRONTEND_TENSORFLOW_OPS_FEDAXES_H

#include "frontend/OpImporter.h"

namespace tenon::tf {

/// Marks axes along which a gradient is summed because an operand was
/// broadcast, whose number only the run knows. Dimensions are kept then, also
/// where the sum does not say so: the operand's shape is restored next.
inline constexpr llvm::StringLiteral kBroadcastAxes = "broadcast_axes";

/// Whether input `i` is known when the graph is compiled.
bool isKnown(Binder &b, unsigned i);

/// Input 0 transposed by input 1.
mlir::Value transposeAtRun(Binder &b);

/// Input 0 through `op`, which has an `axis` and keeps the shape, along
/// input 1.
mlir::Value scanAtRun(Binder &b, llvm::StringRef op,
                      llvm::ArrayRef<mlir::NamedAttribute> attributes);

/// Input 0 through `function`, which may change the size of the middle of three
/// dimensions, along the axis in input 1.
mlir::Value
alongFedAxis(Binder &b,
             llvm::function_ref<mlir::Value(mlir::Value view)> function);

/// Input 0 without the axis in input 1, by `op`, which has an `axis`.
mlir::Value extremumAtRun(Binder &b, llvm::StringRef op, mlir::Type type);

/// Input `i`, a vector of as many elements as a tensor has dimensions: where
/// its length is not known, the run checks that it is `count`.
mlir::Value sizedInput(Binder &b, unsigned i, int64_t count);

/// Parts put together along the axis in input `axisInput`.
mlir::Value concatAtRun(Binder &b, llvm::ArrayRef<mlir::Value> parts,
                        unsigned axisInput);

/// Input 0 with a dimension of 1 where input 1 says.
mlir::Value expandDimsAtRun(Binder &b);

/// `input` cut into `count` equal parts along the axis in input `axisInput`.
void splitAtRun(Binder &b, mlir::Value input, unsigned axisInput,
                int64_t count);

/// `input` cut into parts of the sizes in input 1, along the axis in input 2.
void splitBySizes(Binder &b, mlir::Value input, int64_t count);

/// What input 1 chooses of input 0 along the axis in input 2.
mlir::Value gatherAtRun(Binder &b, int64_t batch);

/// Input 0 turned around along the axes in input 1, or where the flags there
/// say so.
mlir::Value reverseAtRun(Binder &b, bool byFlags);

/// `input` reduced over the axes in input 1 by `op`. Unless dimensions are
/// kept, the number of axes must be known.
mlir::Value reduceAtRun(Binder &b, llvm::StringRef op, mlir::Value input);

/// Row Roll for axes that are fed.
void rollAtRun(Binder &b);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_FEDAXES_H
