//===- Coo.h - sparse tensors as indices and values -----------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_COO_H
#define TENON_FRONTEND_TENSORFLOW_OPS_COO_H

#include "frontend/tensorflow/ops/Numbers.h"
#include "frontend/tensorflow/ops/Rows.h"

namespace tenon::tf {

/// A sparse tensor: indices [n, rank], values [n], shape [rank]. After a
/// failure of the binder its parts are null.
struct Coo {
  mlir::Value indices, values, shape;
  int64_t rank = 0;
};

/// Equal numbers that stand together.
struct Runs {
  mlir::Value isFirst; ///< of each place: whether a run begins
  mlir::Value group;   ///< of each place: the number of its run
  mlir::Value first;   ///< of each run: where it begins
  mlir::Value count;   ///< how many runs there are
};

class CooMath : public Numbers {
public:
  using Numbers::Numbers;

  /// Inputs `first` and the next two.
  Coo read(unsigned first) {
    return read(b.input(first), b.input(first + 1), b.input(first + 2));
  }
  Coo read(mlir::Value indices, mlir::Value values, mlir::Value shape);
  /// In the order of the indices; equal ones stay in theirs.
  Coo sorted(const Coo &coo);
  /// One after the other, sorted.
  Coo merged(const Coo &x, const Coo &y);

  /// Index number `d` of each value.
  Formula column(const Coo &coo, int64_t d) {
    return gathered(coo.indices, number(d), 1);
  }
  Formula size(const Coo &coo, int64_t d) {
    return gathered(coo.shape, number(d));
  }
  /// Where the values are in a dense tensor of some of the dimensions.
  Formula places(const Coo &coo, llvm::ArrayRef<int64_t> dims);
  /// How many places that tensor has.
  Formula count(const Coo &coo, llvm::ArrayRef<int64_t> dims);
  /// Those places again as indices [n, dims].
  mlir::Value indicesOf(mlir::Value places, llvm::ArrayRef<mlir::Value> sizes);

  Runs runs(mlir::Value numbers);
  /// `values` of equal group combined.
  Formula combined(mlir::Value values, mlir::Value groups, mlir::Value count,
                   llvm::StringRef mode) {
    return {b, b.make("graph.segment", Binder::type(values),
                      {values, groups, count}, b.textAttribute("mode", mode))};
  }
  /// As many ones as a vector has elements.
  Formula onesFor(mlir::Value vector, mlir::Type type) {
    return {b, b.make("graph.fill", type, {sizes(vector), b.scalar(type, 1)})};
  }
  /// The numbers of the true elements of a vector.
  mlir::Value trueOnes(mlir::Value flags) {
    return reshaped(b.make("graph.nonzero", i64, flags), vector({-1}));
  }
  /// Of rows of these lengths one after the other: where each begins, and at
  /// last where they end.
  mlir::Value splitsOf(mlir::Value lengths);
  /// The row of each element of such rows.
  mlir::Value rowsOf(mlir::Value splits);
};

void addSparseArithmeticRows(RowTable &table);
void addSetRows(RowTable &table);
void addRaggedRows(RowTable &table);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_COO_H
