#include "dialects/graph/Expression.h"
#include "dialects/graph/ops/Control.h"
#include "dialects/graph/ops/Elementwise.h"
#include "dialects/graph/ops/Shape.h"
#include <numeric>

using namespace mlir;

namespace tenon::graph {

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

ArrayRef<AffineExpr> Tensor::dims() const { return b->shapes.dims(v); }

static bool isSplat(Value value, double number) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto elements =
      constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
  if (!elements || !elements.isSplat())
    return false;
  Type type = elements.getElementType();
  if (isa<FloatType>(type))
    return elements.getSplatValue<APFloat>().isExactlyValue(number);
  if (auto complex = dyn_cast<ComplexType>(type)) {
    if (!isa<FloatType>(complex.getElementType()))
      return false;
    auto element = elements.getSplatValue<std::complex<APFloat>>();
    return element.real().isExactlyValue(number) && element.imag().isZero();
  }
  return false;
}

bool Tensor::isAll(double number) const {
  Value value = v;
  // Only the shape changes on the way.
  while (Operation *op = value.getDefiningOp()) {
    if (isa<BroadcastToOp, ReshapeOp, ExpandDimsOp, SqueezeOp, TransposeOp>(op))
      value = op->getOperand(0);
    else if (auto fill = dyn_cast<FillOp>(op))
      value = fill.getValue();
    else
      return isSplat(value, number);
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

void GraphBuilder::fail(const Twine &reason) {
  if (!broken)
    emitError(loc) << reason.str();
  broken = true;
}

SmallVector<Tensor> GraphBuilder::makeAll(StringRef name,
                                          ArrayRef<Type> elementTypes,
                                          ArrayRef<Tensor> operands,
                                          Attributes attributes) {
  SmallVector<Value> values;
  for (Tensor operand : operands)
    values.push_back(operand.value());
  if (!broken && !llvm::is_contained(values, Value()))
    if (Operation *op = createOp(builder, loc, shapes, name, elementTypes,
                                 values, attributes))
      return llvm::map_to_vector(
          op->getResults(), [&](Value value) { return Tensor(*this, value); });
  broken = true;
  return SmallVector<Tensor>(elementTypes.size(), Tensor(*this, {}));
}

Tensor GraphBuilder::make(StringRef name, Type elementType,
                          ArrayRef<Tensor> operands, Attributes attributes) {
  return makeAll(name, elementType, operands, attributes)[0];
}

NamedAttribute GraphBuilder::attr(StringRef name, int64_t value) {
  return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
}
NamedAttribute GraphBuilder::attr(StringRef name, ArrayRef<int64_t> value) {
  return builder.getNamedAttr(name, builder.getDenseI64ArrayAttr(value));
}
NamedAttribute GraphBuilder::attr(StringRef name, StringRef text) {
  return builder.getNamedAttr(name, builder.getStringAttr(text));
}
NamedAttribute GraphBuilder::flag(StringRef name, bool value) {
  return builder.getNamedAttr(name, builder.getBoolAttr(value));
}
NamedAttribute GraphBuilder::real(StringRef name, double value) {
  return builder.getNamedAttr(name, builder.getF32FloatAttr(float(value)));
}
NamedAttribute GraphBuilder::unit(StringRef name) {
  return builder.getNamedAttr(name, builder.getUnitAttr());
}

/// A splat of any number type.
static DenseElementsAttr splat(RankedTensorType type, double number) {
  auto real = [&](FloatType of) {
    APFloat value(number);
    bool inexact;
    value.convert(of.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                  &inexact);
    return value;
  };
  Type element = type.getElementType();
  if (auto of = dyn_cast<FloatType>(element))
    return DenseElementsAttr::get(type, real(of));
  if (auto of = dyn_cast<ComplexType>(element)) {
    APFloat value = real(cast<FloatType>(of.getElementType()));
    return DenseElementsAttr::get(
        type,
        std::complex<APFloat>(value, APFloat::getZero(value.getSemantics())));
  }
  return DenseElementsAttr::get(
      type, APInt(element.getIntOrFloatBitWidth(), uint64_t(int64_t(number)),
                  /*isSigned=*/true, /*implicitTrunc=*/true));
}

Tensor GraphBuilder::scalar(Type elementType, double value) {
  return Tensor(
      *this,
      ConstantOp::create(builder, loc,
                         splat(RankedTensorType::get({}, elementType), value)));
}

Tensor GraphBuilder::integers(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get(int64_t(values.size()), i64());
  return Tensor(*this, ConstantOp::create(
                           builder, loc, DenseElementsAttr::get(type, values)));
}

Tensor GraphBuilder::shapeOf(Value value) {
  SmallVector<int64_t> known;
  for (AffineExpr dim : shapes.dims(value))
    if (auto size = ShapeContext::asConstant(dim))
      known.push_back(*size);
  if (known.size() == shapes.dims(value).size())
    return integers(known);
  return make("graph.shape_of", i64(), Tensor(*this, value));
}

Tensor GraphBuilder::size(Value value, ArrayRef<int64_t> dims) {
  int64_t known = 1;
  Tensor unknown;
  for (int64_t dim : dims) {
    if (auto size = ShapeContext::asConstant(shapes.dims(value)[dim])) {
      known *= *size;
      continue;
    }
    Tensor size = gather(shapeOf(value), integer(dim));
    unknown = unknown ? unknown * size : size;
  }
  if (!unknown)
    return integer(known);
  return known == 1 ? unknown : unknown * integer(known);
}

Tensor GraphBuilder::filled(Value like, double number) {
  auto type = dyn_cast<RankedTensorType>(like.getType());
  Type element = getElementTypeOrSelf(like.getType());
  if (type && type.hasStaticShape())
    return Tensor(*this, ConstantOp::create(builder, loc, splat(type, number)));
  return fill(shapeOf(like), scalar(element, number));
}

Tensor GraphBuilder::fill(Tensor shape, Tensor scalar) {
  return scalar ? make("graph.fill", scalar.type(), {shape, scalar}) : scalar;
}

Tensor GraphBuilder::reserve(Tensor shape, Type elementType) {
  Tensor result = fill(shape, scalar(elementType, 0));
  if (result)
    result.value().getDefiningOp()->setAttr("overwritten",
                                            builder.getUnitAttr());
  return result;
}

Tensor GraphBuilder::iota(Tensor count) {
  return make("graph.range", i64(), {integer(0), count, integer(1)});
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

Tensor apply(StringRef name, Tensor x) {
  return x ? x.builder().make(("graph." + name).str(), x.type(), x) : x;
}

Tensor apply(StringRef name, Tensor x, Tensor y) {
  if (!x || !y)
    return {};
  return x.builder().make(("graph." + name).str(), x.type(), {x, y});
}

static Tensor compare(StringRef name, Tensor x, Tensor y) {
  if (!x || !y)
    return {};
  GraphBuilder &b = x.builder();
  return b.make(("graph." + name).str(), b.builder.getI1Type(), {x, y});
}

Tensor number(Tensor like, double value) {
  return like ? like.builder().scalar(like.type(), value) : like;
}

/// Whether broadcasting `b` against `a` gives the shape of `a`.
static bool covers(Tensor a, Tensor b) {
  ArrayRef<AffineExpr> large = a.dims(), small = b.dims();
  if (small.size() > large.size())
    return false;
  return llvm::all_of(
      llvm::zip(large.take_back(small.size()), small), [](auto pair) {
        auto [whole, part] = pair;
        return whole == part || ShapeContext::asConstant(part) == 1;
      });
}

Tensor operator+(Tensor a, Tensor b) {
  if (a && b && a.isAll(0) && covers(b, a))
    return b;
  if (a && b && b.isAll(0) && covers(a, b))
    return a;
  return apply("add", a, b);
}

Tensor operator-(Tensor a, Tensor b) {
  if (a && b && b.isAll(0) && covers(a, b))
    return a;
  return apply("sub", a, b);
}

Tensor operator*(Tensor a, Tensor b) {
  if (a && b && a.isAll(1) && covers(b, a))
    return b;
  if (a && b && b.isAll(1) && covers(a, b))
    return a;
  return apply("mul", a, b);
}

Tensor operator/(Tensor a, Tensor b) {
  if (a && b && b.isAll(1) && covers(a, b))
    return a;
  return apply("div", a, b);
}

Tensor operator-(Tensor a) {
  if (a)
    if (auto negated = a.value().getDefiningOp<NegOp>())
      return Tensor(a.builder(), negated.getInput());
  return apply("neg", a);
}

Tensor operator+(Tensor a, double b) { return a + number(a, b); }
Tensor operator-(Tensor a, double b) { return a - number(a, b); }
Tensor operator*(Tensor a, double b) { return b == -1 ? -a : a * number(a, b); }
Tensor operator/(Tensor a, double b) { return a / number(a, b); }
Tensor operator-(double a, Tensor b) { return number(b, a) - b; }
Tensor operator/(double a, Tensor b) {
  return a == 1 ? apply("reciprocal", b) : number(b, a) / b;
}

Tensor operator<(Tensor a, Tensor b) { return compare("less", a, b); }
Tensor operator<=(Tensor a, Tensor b) { return compare("less_equal", a, b); }
Tensor operator>(Tensor a, Tensor b) { return compare("greater", a, b); }
Tensor operator>=(Tensor a, Tensor b) { return compare("greater_equal", a, b); }
Tensor operator<(Tensor a, double b) { return a < number(a, b); }
Tensor operator>(Tensor a, double b) { return a > number(a, b); }
Tensor equal(Tensor a, Tensor b) { return compare("equal", a, b); }
Tensor equal(Tensor a, double b) { return equal(a, number(a, b)); }
Tensor notEqual(Tensor a, double b) {
  return compare("not_equal", a, number(a, b));
}
Tensor operator&(Tensor a, Tensor b) { return apply("and", a, b); }

Tensor conj(Tensor x) { return x && x.isComplex() ? apply("conj", x) : x; }

Tensor select(Tensor condition, Tensor a, Tensor b) {
  if (!condition || !a || !b)
    return {};
  return a.builder().make("graph.select", a.type(), {condition, a, b});
}
Tensor select(Tensor condition, Tensor a, double b) {
  return select(condition, a, number(a, b));
}
Tensor select(Tensor condition, double a, Tensor b) {
  return select(condition, number(b, a), b);
}

Tensor cast(Tensor x, Type elementType) {
  if (!x || x.type() == elementType)
    return x;
  return x.builder().make("graph.cast", elementType, x);
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

SmallVector<int64_t> upTo(int64_t count) {
  SmallVector<int64_t> result(count);
  std::iota(result.begin(), result.end(), 0);
  return result;
}

SmallVector<int64_t> inverse(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> result(permutation.size());
  for (auto [i, from] : llvm::enumerate(permutation))
    result[from] = i;
  return result;
}

Tensor sum(Tensor x, ArrayRef<int64_t> axes, bool keepDims) {
  if (!x || axes.empty())
    return x;
  GraphBuilder &b = x.builder();
  SmallVector<int64_t> sorted(axes);
  llvm::sort(sorted);
  return b.make("graph.reduce_sum", x.type(), x,
                {b.attr("axes", ArrayRef<int64_t>(sorted)),
                 b.flag("keep_dims", keepDims)});
}

Tensor transpose(Tensor x, ArrayRef<int64_t> permutation) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  SmallVector<int64_t> whole(permutation);
  if (auto before = x.value().getDefiningOp<TransposeOp>()) {
    for (int64_t &axis : whole)
      axis = before.getPermutation()[axis];
    x = Tensor(b, before.getInput());
  }
  if (llvm::equal(whole, upTo(whole.size())))
    return x;
  return b.make("graph.transpose", x.type(), x,
                b.attr("permutation", ArrayRef<int64_t>(whole)));
}

Tensor reshape(Tensor x, Tensor shape) {
  if (!x || !shape)
    return {};
  return x.builder().make("graph.reshape", x.type(), {x, shape});
}

Tensor reshapeLike(Tensor x, Value like) {
  if (!x || x.dims() == x.builder().shapes.dims(like))
    return x;
  return reshape(x, x.builder().shapeOf(like));
}

Tensor expandDims(Tensor x, ArrayRef<int64_t> axes) {
  if (!x || axes.empty())
    return x;
  GraphBuilder &b = x.builder();
  return b.make("graph.expand_dims", x.type(), x, b.attr("axes", axes));
}

Tensor broadcastTo(Tensor x, Tensor shape) {
  if (!x || !shape)
    return {};
  return x.builder().make("graph.broadcast_to", x.type(), {x, shape});
}

Tensor concat(ArrayRef<Tensor> parts, int64_t axis) {
  for (Tensor part : parts)
    if (!part)
      return {};
  if (parts.size() == 1)
    return parts[0];
  GraphBuilder &b = parts[0].builder();
  return b.make("graph.concat", parts[0].type(), parts, b.attr("axis", axis));
}

Tensor slice(Tensor x, Tensor begin, Tensor size) {
  if (!x || !begin || !size)
    return {};
  return x.builder().make("graph.slice", x.type(), {x, begin, size});
}

Tensor part(Tensor vector, int64_t begin, int64_t size) {
  if (!vector)
    return vector;
  GraphBuilder &b = vector.builder();
  return slice(vector, b.integers(begin), b.integers(size));
}

Tensor gather(Tensor x, Tensor indices, int64_t axis) {
  if (!x || !indices)
    return {};
  GraphBuilder &b = x.builder();
  return b.make("graph.gather", x.type(), {x, indices}, b.attr("axis", axis));
}

Tensor scatter(Tensor indices, Tensor updates, Tensor shape) {
  if (!indices || !updates || !shape)
    return {};
  return updates.builder().make("graph.scatter_nd", updates.type(),
                                {indices, updates, shape});
}

Tensor matmul(Tensor a, Tensor b, bool transposeA, bool transposeB) {
  if (!a || !b)
    return {};
  GraphBuilder &builder = a.builder();
  SmallVector<NamedAttribute> attributes;
  if (transposeA)
    attributes.push_back(builder.unit("transpose_a"));
  if (transposeB)
    attributes.push_back(builder.unit("transpose_b"));
  return builder.make("graph.matmul", a.type(), {a, b}, attributes);
}

Tensor spreadDiagonals(Tensor x, StringRef term, Value like) {
  for (size_t i = 0; x && i < term.size(); ++i) {
    size_t first = term.find(term[i]);
    if (first == i)
      continue;
    x = expandDims(x, int64_t(i));
    if (!x)
      break;
    GraphBuilder &b = x.builder();
    Tensor count = b.size(like ? like : x.value(), int64_t(first));
    auto along = [&](size_t axis) {
      SmallVector<int64_t> others;
      for (int64_t d = 0; d < x.rank(); ++d)
        if (d != int64_t(axis))
          others.push_back(d);
      return expandDims(b.iota(count), others);
    };
    x = select(equal(along(first), along(i)), x, 0);
  }
  return x;
}

/// Sums dimension `axis` to the size that `like` has there: all of it where
/// that is 1, nothing where it is the same. Only the run knows which.
static Tensor sumIfOne(Tensor x, int64_t axis, Tensor count) {
  GraphBuilder &b = x.builder();
  if (x.isComplex()) {
    Type part = llvm::cast<ComplexType>(x.type()).getElementType();
    Tensor re = sumIfOne(b.make("graph.real", part, x), axis, count),
           im = sumIfOne(b.make("graph.imag", part, x), axis, count);
    return b.make("graph.complex", x.type(), {re, im});
  }
  SmallVector<int64_t> order = upTo(x.rank());
  std::swap(order[0], order[axis]);
  Tensor first = transpose(x, order);
  if (!first)
    return first;
  Tensor last = count - b.integer(1);
  Tensor ids = apply("minimum", b.iota(b.size(first.value(), 0)), last);
  Tensor sums = b.make("graph.segment", x.type(), {first, ids, count},
                       b.attr("mode", StringRef("sum")));
  return transpose(sums, order);
}

Tensor conform(Tensor x, Value like) {
  if (!x)
    return x;
  GraphBuilder &b = x.builder();
  ArrayRef<AffineExpr> want = b.shapes.dims(like);
  int64_t extra = x.rank() - int64_t(want.size());
  SmallVector<int64_t> sums = upTo(std::max<int64_t>(extra, 0)), ones;
  bool repeated = extra < 0;
  ArrayRef<AffineExpr> have = x.dims();
  for (int64_t d = std::max<int64_t>(extra, 0); d < int64_t(have.size()); ++d) {
    AffineExpr to = want[d - extra];
    if (have[d] == to)
      continue;
    if (ShapeContext::asConstant(to) == 1)
      ones.push_back(d);
    else if (ShapeContext::asConstant(have[d]) == 1)
      repeated = true;
  }
  // Dimensions of size 1 first: the axes of the others stay what they are.
  x = sum(sum(x, ones, /*keepDims=*/true), sums);
  if (!x)
    return x;
  if (repeated)
    return broadcastTo(x, b.shapeOf(like));
  for (int64_t d = 0; d < int64_t(want.size()); ++d)
    if (x && x.dim(d) != want[d] && !ShapeContext::asConstant(want[d]))
      x = sumIfOne(x, d, b.size(like, d));
  return reshapeLike(x, like);
}

} // namespace tenon::graph
