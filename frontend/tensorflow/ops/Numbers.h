//===- Numbers.h - formulas over sizes and indices ------------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_NUMBERS_H
#define TENON_FRONTEND_TENSORFLOW_OPS_NUMBERS_H

#include "frontend/tensorflow/ops/Expect.h"
#include "frontend/tensorflow/ops/Formula.h"

namespace tenon::tf {

/// Sizes and indices as 64-bit integers.
class Numbers {
public:
  explicit Numbers(Binder &b)
      : b(b), i64(b.builder().getI64Type()), i1(b.builder().getI1Type()) {}

  Formula number(int64_t value) { return {b, b.scalar(i64, double(value))}; }
  Formula vector(llvm::ArrayRef<int64_t> values) {
    return {b, b.integersConstant(values, i64)};
  }
  /// 0, 1, ... below `count`.
  Formula below(Formula count) {
    return {b, b.make("graph.range", i64, {number(0), count, number(1)})};
  }
  Formula reshaped(mlir::Value value, mlir::Value sizes) {
    return {b, b.make("graph.reshape", Binder::type(value), {value, sizes})};
  }
  Formula gathered(mlir::Value from, mlir::Value indices, int64_t axis = 0) {
    return {b, b.make("graph.gather", Binder::type(from), {from, indices},
                      b.attribute("axis", axis))};
  }
  Formula sizes(mlir::Value value) {
    return {b, b.make("graph.shape_of", i64, value)};
  }
  Formula size(mlir::Value value, int64_t d) {
    return gathered(sizes(value), number(d));
  }
  /// The elements `first` up to `last` of a vector.
  Formula part(mlir::Value vector, int64_t first, int64_t last) {
    llvm::SmallVector<int64_t> places;
    for (int64_t i = first; i < last; ++i)
      places.push_back(i);
    return gathered(vector, b.integersConstant(places, i64));
  }
  Formula joined(llvm::ArrayRef<mlir::Value> vectors) {
    return {b, b.make("graph.concat", i64, mlir::ValueRange(vectors),
                      b.attribute("axis", int64_t(0)))};
  }
  /// Scalars as a vector.
  Formula packed(llvm::ArrayRef<mlir::Value> scalars) {
    return {b, b.make("graph.pack", i64, mlir::ValueRange(scalars),
                      b.attribute("axis", int64_t(0)))};
  }
  Formula product(mlir::Value vector) {
    return {b, b.make("graph.reduce_prod", i64, vector,
                      b.attribute("axes", llvm::ArrayRef<int64_t>{0}))};
  }
  Formula quotient(mlir::Value x, mlir::Value y) {
    return {b, b.make("graph.trunc_div", i64, {x, y})};
  }
  Formula equal(mlir::Value x, mlir::Value y) {
    return {b, b.make("graph.equal", i1, {x, y})};
  }
  /// Input `i`, one number.
  Formula one(unsigned i) {
    mlir::Value value = b.cast(b.input(i), i64);
    return b.rank(value) == 0 ? Formula(b, value) : reshaped(value, vector({}));
  }
  void check(mlir::Value good, const char *message) {
    expect(b, good, message);
  }

  Binder &b;
  mlir::Type i64, i1;
};

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_NUMBERS_H
