// Ops of Indexing.td about bands and diagonals of matrices.
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Indexing.h"

using namespace mlir;
using namespace tenon::graph;

//===----------------------------------------------------------------------===//
// matrix_band_part
//===----------------------------------------------------------------------===//

LogicalResult MatrixBandPartOp::inferShapes(ShapeContext &shapes) {
  if (failed(expectScalar(*this, shapes, getLower(), "lower")) ||
      failed(expectScalar(*this, shapes, getUpper(), "upper")))
    return failure();
  if (shapes.dims(getInput()).size() < 2)
    return emitOpError() << "operand of shape "
                         << shapeString(shapes.dims(getInput()))
                         << " is not a matrix";
  shapes.copyDims(getResult(), getInput());
  return success();
}

LogicalResult MatrixBandPartOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  int64_t rank = lowering.shapes.dims(getInput()).size();
  Value zero = lowering.constantIndex(0);
  // A negative count keeps everything: more diagonals than there are.
  auto width = [&](Value count, int64_t dim) {
    Value given = lowering.element(count, 0);
    return select(b, loc, less(b, loc, given, zero),
                  lowering.dimIndex(getInput(), dim), given);
  };
  Value lower = width(getLower(), rank - 2),
        upper = width(getUpper(), rank - 1);
  lowering.set(getResult(),
               lowering.generic(
                   loc, getResult(), lowering.get(getInput()),
                   b.getMultiDimIdentityMap(rank),
                   [&](OpBuilder &nested, Location at, ValueRange v) {
                     Value i = linalg::IndexOp::create(nested, at, rank - 2),
                           j = linalg::IndexOp::create(nested, at, rank - 1);
                     Value below = sub(nested, at, i, j),
                           above = sub(nested, at, j, i);
                     Value out = arith::OrIOp::create(
                         nested, at, less(nested, at, lower, below),
                         less(nested, at, upper, above));
                     return select(nested, at, out,
                                   zeroOf(nested, at, v[0].getType()), v[0]);
                   }));
  return success();
}

//===----------------------------------------------------------------------===//
// Diagonals: element (i, j) is on diagonal j - i
//===----------------------------------------------------------------------===//

namespace {

struct Diagonals {
  int64_t lower, upper;
  bool aboveLeft, belowLeft; ///< super- and subdiagonals keep the left end

  int64_t count() const { return upper - lower + 1; }

  /// Elements of the longest diagonal.
  AffineExpr longest(ShapeContext &shapes, AffineExpr rows,
                     AffineExpr columns) const {
    return shapes.maximum(shapes.minimum(rows + std::min<int64_t>(upper, 0),
                                         columns - std::max<int64_t>(lower, 0)),
                          shapes.constant(0));
  }
};

template <typename OpTy> FailureOr<Diagonals> diagonals(OpTy op) {
  StringRef align = op.getAlign();
  auto [above, below] = align.split('_');
  if ((above != "LEFT" && above != "RIGHT") ||
      (below != "LEFT" && below != "RIGHT"))
    return op.emitOpError() << "has unknown align '" << align << "'", failure();
  int64_t lower = op.getLower(), upper = op.getUpper();
  constexpr int64_t limit = int64_t(1) << 40;
  if (lower < -limit || upper > limit)
    return op.emitOpError("has diagonals that no matrix has"), failure();
  if (lower > upper)
    return op.emitOpError() << "lower " << lower << " is above upper " << upper,
           failure();
  return Diagonals{lower, upper, above == "LEFT", below == "LEFT"};
}

/// Places along diagonals of a matrix of given sizes.
struct Places {
  Diagonals diagonals;
  Value rows, columns, longest;

  Value length(OpBuilder &b, Location loc, Value d) const {
    Value zero = constantIndex(b, loc, 0);
    return b.createOrFold<arith::MinSIOp>(
        loc, add(b, loc, rows, b.createOrFold<arith::MinSIOp>(loc, d, zero)),
        sub(b, loc, columns, b.createOrFold<arith::MaxSIOp>(loc, d, zero)));
  }
  /// Where diagonal d begins in its row of the packed form.
  Value offset(OpBuilder &b, Location loc, Value d) const {
    Value zero = constantIndex(b, loc, 0);
    Value gap = sub(b, loc, longest, length(b, loc, d));
    Value above = diagonals.aboveLeft ? zero : gap,
          below = diagonals.belowLeft ? zero : gap;
    Value either = diagonals.aboveLeft || diagonals.belowLeft ? zero : gap;
    return select(b, loc, less(b, loc, zero, d), above,
                  select(b, loc, less(b, loc, d, zero), below, either));
  }
};

/// Builds a matrix's element: of the packed diagonals, or `otherwise`.
Value elementOfMatrix(OpBuilder &b, Location loc, const Places &places,
                      Value packed, ValueRange indices, Value otherwise) {
  size_t batch = indices.size() - 2;
  Value i = indices[batch], j = indices[batch + 1];
  Value zero = constantIndex(b, loc, 0), one = constantIndex(b, loc, 1);
  Value lower = constantIndex(b, loc, places.diagonals.lower),
        upper = constantIndex(b, loc, places.diagonals.upper);
  Value d = sub(b, loc, j, i);
  Value outside = arith::OrIOp::create(b, loc, less(b, loc, d, lower),
                                       less(b, loc, upper, d));
  // Read inside of the packed form in any case.
  Value near = clampIndex(b, loc, d, lower, upper);
  Value along = b.createOrFold<arith::MinSIOp>(loc, i, j);
  Value place =
      clampIndex(b, loc, add(b, loc, along, places.offset(b, loc, near)), zero,
                 sub(b, loc, places.longest, one));
  SmallVector<Value> position(indices.take_front(batch));
  if (places.diagonals.count() > 1)
    position.push_back(sub(b, loc, upper, near));
  position.push_back(place);
  Value element = tensor::ExtractOp::create(b, loc, packed, position);
  return select(b, loc, outside, otherwise, element);
}

} // namespace

LogicalResult MatrixDiagOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Diagonals> which = diagonals(*this);
  if (failed(which) ||
      failed(expectScalar(*this, shapes, getPadding(), "padding")))
    return failure();
  ArrayRef<AffineExpr> from = shapes.dims(getDiagonal());
  size_t own = which->count() > 1 ? 2 : 1;
  if (from.size() < own)
    return emitOpError() << "operand of shape " << shapeString(from)
                         << " has fewer than " << own << " dimensions";
  if (own == 2 && failed(expectSame(*this, from[from.size() - 2],
                                    shapes.constant(which->count()),
                                    "the number of diagonals and of rows")))
    return failure();
  AffineExpr rows = from.back() - std::min<int64_t>(which->upper, 0),
             columns = from.back() + std::max<int64_t>(which->lower, 0);
  int64_t givenRows = getRows(), givenColumns = getColumns();
  if (givenRows < 0 && givenColumns < 0)
    rows = columns = shapes.maximum(rows, columns);
  if (givenRows >= 0)
    rows = shapes.constant(givenRows);
  if (givenColumns >= 0)
    columns = shapes.constant(givenColumns);
  if (failed(expectSame(*this, which->longest(shapes, rows, columns),
                        from.back(), "lengths of diagonals")))
    return failure();
  Dims dims(from.drop_back(own));
  dims.append({rows, columns});
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult MatrixDiagOp::lowerToLinalg(LoweringContext &lowering) {
  Location loc = getLoc();
  FailureOr<Diagonals> which = diagonals(*this);
  if (failed(which))
    return failure();
  ArrayRef<AffineExpr> to = lowering.shapes.dims(getResult()),
                       from = lowering.shapes.dims(getDiagonal());
  Places places{*which, lowering.index(to[to.size() - 2]),
                lowering.index(to.back()), lowering.index(from.back())};
  Value otherwise = scalar(lowering, loc, getPadding()),
        packed = lowering.get(getDiagonal());
  lowering.set(getResult(),
               lowering.generate(
                   loc, getResult(),
                   [&](OpBuilder &nested, Location at, ValueRange indices) {
                     return elementOfMatrix(nested, at, places, packed, indices,
                                            otherwise);
                   }));
  return success();
}

LogicalResult MatrixSetDiagOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Diagonals> which = diagonals(*this);
  if (failed(which))
    return failure();
  ArrayRef<AffineExpr> dims = shapes.dims(getInput()),
                       from = shapes.dims(getDiagonal());
  size_t own = which->count() > 1 ? 2 : 1;
  if (dims.size() < 2 || from.size() != dims.size() - 2 + own)
    return emitOpError() << "diagonals of shape " << shapeString(from)
                         << " do not fit " << shapeString(dims);
  if (failed(
          expectSame(*this, from.back(),
                     which->longest(shapes, dims[dims.size() - 2], dims.back()),
                     "lengths of diagonals")))
    return failure();
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult MatrixSetDiagOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  FailureOr<Diagonals> which = diagonals(*this);
  if (failed(which))
    return failure();
  ShapeContext &shapes = lowering.shapes;
  ArrayRef<AffineExpr> dims = shapes.dims(getInput()),
                       from = shapes.dims(getDiagonal());
  Dims wanted(dims.drop_back(2));
  if (which->count() > 1)
    wanted.push_back(shapes.constant(which->count()));
  wanted.push_back(which->longest(shapes, dims[dims.size() - 2], dims.back()));
  Value packed = conform(lowering, loc, lowering.get(getDiagonal()), from,
                         wanted, "the diagonals do not fit the matrix");
  Places places{*which, lowering.index(dims[dims.size() - 2]),
                lowering.index(dims.back()), lowering.index(wanted.back())};
  int64_t rank = dims.size();
  lowering.set(
      getResult(),
      lowering.generic(
          loc, getResult(), lowering.get(getInput()),
          b.getMultiDimIdentityMap(rank),
          [&](OpBuilder &nested, Location at, ValueRange v) {
            SmallVector<Value> indices;
            for (int64_t i = 0; i < rank; ++i)
              indices.push_back(linalg::IndexOp::create(nested, at, i));
            return elementOfMatrix(nested, at, places, packed, indices, v[0]);
          }));
  return success();
}

LogicalResult MatrixDiagPartOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Diagonals> which = diagonals(*this);
  if (failed(which) ||
      failed(expectScalar(*this, shapes, getPadding(), "padding")))
    return failure();
  ArrayRef<AffineExpr> from = shapes.dims(getInput());
  if (from.size() < 2)
    return emitOpError() << "operand of shape " << shapeString(from)
                         << " is not a matrix";
  Dims dims(from.drop_back(2));
  if (which->count() > 1)
    dims.push_back(shapes.constant(which->count()));
  dims.push_back(which->longest(shapes, from[from.size() - 2], from.back()));
  shapes.setDims(getResult(), dims);
  return success();
}

LogicalResult MatrixDiagPartOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  FailureOr<Diagonals> which = diagonals(*this);
  if (failed(which))
    return failure();
  ArrayRef<AffineExpr> from = lowering.shapes.dims(getInput());
  size_t batch = from.size() - 2;
  Places places{*which, lowering.index(from[batch]),
                lowering.index(from.back()),
                lowering.index(lowering.shapes.dims(getResult()).back())};
  Value input = lowering.get(getInput()),
        padding = scalar(lowering, loc, getPadding()),
        one = lowering.constantIndex(1), zero = lowering.constantIndex(0);
  Value lastRow = sub(b, loc, places.rows, one),
        lastColumn = sub(b, loc, places.columns, one);
  lowering.set(
      getResult(),
      lowering.generate(
          loc, getResult(),
          [&](OpBuilder &nested, Location at, ValueRange indices) {
            Value d = constantIndex(nested, at, which->upper);
            if (which->count() > 1)
              d = sub(nested, at, d, indices[batch]);
            Value place =
                sub(nested, at, indices.back(), places.offset(nested, at, d));
            Value inside =
                inRange(nested, at, place, places.length(nested, at, d));
            Value below = nested.createOrFold<arith::MinSIOp>(at, d, zero),
                  above = nested.createOrFold<arith::MaxSIOp>(at, d, zero);
            SmallVector<Value> position(indices.take_front(batch));
            position.push_back(clampIndex(
                nested, at, sub(nested, at, place, below), zero, lastRow));
            position.push_back(clampIndex(
                nested, at, add(nested, at, place, above), zero, lastColumn));
            Value element =
                tensor::ExtractOp::create(nested, at, input, position);
            return select(nested, at, inside, element, padding);
          }));
  return success();
}
