//===- Reduction.cpp - reductions and scans -------------------------------===//

#include "frontend/tensorflow/ops/Expect.h"
#include "frontend/tensorflow/ops/FedAxes.h"
#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// Axes from input 1, none twice.
SmallVector<int64_t> readAxes(Binder &b, int64_t rank) {
  SmallVector<int64_t> axes = b.constants(1);
  for (int64_t &axis : axes) {
    axis = b.axis(axis, rank);
    if (b.failed())
      return {};
  }
  llvm::sort(axes);
  if (llvm::unique(axes) != axes.end())
    b.fail("an axis is named twice");
  return axes;
}

Value reduce(Binder &b, StringRef op, Value input) {
  if (!isKnown(b, 1))
    return reduceAtRun(b, op, input);
  SmallVector<int64_t> axes = readAxes(b, b.rank(input));
  bool keep = b.flag("keep_dims", false);
  return b.make(op, Binder::type(input), input,
                {b.attribute("axes", axes),
                 b.attribute("keep_dims", b.builder().getBoolAttr(keep))});
}

Row reduction(StringRef op) {
  return [op](Binder &b) {
    Value input = b.input(0);
    b.set(0, reduce(b, op, input));
  };
}

/// How often each number below `size` appears, or the sum of its weights.
void importBincount(Binder &b) {
  Value numbers = b.input(0), size = b.input(1), weights = b.input(2);
  if (b.failed())
    return;
  Type type = Binder::type(weights), i1 = b.builder().getI1Type(),
       i32 = b.builder().getI32Type();
  auto count =
      graph::ShapeContext::asConstant(b.shapes().product(b.dims(weights)));
  if (!count)
    return b.fail("whether there are weights must be known at compile time");
  if (*count == 0)
    weights =
        b.make("graph.fill", type,
               {b.make("graph.shape_of", i32, numbers), b.scalar(type, 1)});
  expect(b, b.scalar(Binder::type(numbers), 0), "graph.less_equal", numbers,
         "a number to be counted is negative");
  expect(b, b.scalar(Binder::type(size), 0), "graph.less_equal", size,
         "the number of bins is negative");
  // Negative ids are left out, so numbers that are too large become one.
  Type id = Binder::type(numbers);
  Value inside = b.make("graph.less", i1, {numbers, b.cast(size, id)});
  Value ids = b.make("graph.select", id, {inside, numbers, b.scalar(id, -1)});
  b.set(0, b.make("graph.segment", type, {weights, ids, size},
                  b.textAttribute("mode", "sum")));
}

void importEuclideanNorm(Binder &b) {
  Value input = b.input(0);
  Type given = Binder::type(input), type = given;
  auto complex = dyn_cast_or_null<ComplexType>(given);
  if (complex)
    input = b.make("graph.abs", type = complex.getElementType(), input);
  // Squares of integers and their sum wrap around.
  Value sum =
      reduce(b, "graph.reduce_sum", b.make("graph.square", type, input));
  if (given && given.isInteger())
    sum = b.cast(sum, type = b.builder().getF64Type());
  Value root = b.make("graph.sqrt", type, sum);
  b.set(0, complex ? b.make("graph.complex", given, {root, b.scalar(type, 0)})
                   : b.cast(root, given));
}

Row extremum(StringRef op) {
  return [op](Binder &b) {
    Value input = b.input(0);
    Type type = b.has("output_type") ? b.elementType("output_type")
                                     : Type(b.builder().getI64Type());
    if (b.inputCount() > 1 && !isKnown(b, 1))
      return b.set(0, extremumAtRun(b, op, type));
    int64_t axis = b.inputCount() > 1 ? b.constant(1) : 0;
    axis = b.axis(axis, b.rank(input));
    expectAtLeast(b, input, axis, 1, "the dimension is empty");
    b.set(0, b.make(op, type, input, b.attribute("axis", axis)));
  };
}

Row scan(StringRef op) {
  return [op](Binder &b) {
    auto flag = [&](StringRef name) {
      return b.attribute(name, b.builder().getBoolAttr(b.flag(name, false)));
    };
    SmallVector<NamedAttribute> attributes = {flag("exclusive"),
                                              flag("reverse")};
    if (!isKnown(b, 1))
      return b.set(0, scanAtRun(b, op, attributes));
    Value input = b.input(0);
    int64_t axis = b.axis(b.constant(1), b.rank(input));
    attributes.push_back(b.attribute("axis", axis));
    b.set(0, b.make(op, Binder::type(input), input, attributes));
  };
}

/// Half the sum of squares.
void importL2Loss(Binder &b) {
  Value input = b.input(0);
  Type type = Binder::type(input);
  SmallVector<int64_t> axes(b.rank(input));
  std::iota(axes.begin(), axes.end(), 0);
  Value sum =
      b.make("graph.reduce_sum", type, b.make("graph.square", type, input),
             b.attribute("axes", axes));
  b.set(0, b.make("graph.mul", type, {sum, b.scalar(type, 0.5)}));
}

/// Whether fewer than k predictions of a row are greater than its target's.
void importInTopK(Binder &b, Value k) {
  Value predictions = b.input(0), targets = b.input(1);
  if (b.failed())
    return;
  if (b.rank(predictions) != 2 || b.rank(targets) != 1)
    return b.fail("expected a matrix and a vector");
  Type type = Binder::type(predictions), i32 = b.builder().getI32Type(),
       i1 = b.builder().getI1Type();
  auto last = b.attribute("axes", ArrayRef<int64_t>{1});
  Value column =
      b.make("graph.expand_dims", Binder::type(targets), targets, last);
  Value wanted = b.make(
      "graph.gather", type, {predictions, column},
      {b.attribute("axis", int64_t(1)), b.attribute("batch_dims", int64_t(1))});
  Value greater = b.make("graph.greater", i1, {predictions, wanted});
  Value count = b.make("graph.reduce_sum", i32, b.cast(greater, i32), last);
  Value few = b.make("graph.less", i1, {count, b.cast(k, i32)});
  Value finite = b.make("graph.reduce_all", i1,
                        b.make("graph.is_finite", i1, wanted), last);
  b.set(0, b.make("graph.and", i1, {few, finite}));
}
/// How many of the ascending boundaries are not above each element: all of them
/// for NaN, as a search finds.
void importBucketize(Binder &b) {
  Value input = b.input(0);
  SmallVector<double> boundaries = b.reals("boundaries");
  if (b.failed())
    return;
  if (!llvm::is_sorted(boundaries))
    return b.fail("expected ascending boundaries");
  Type type = Binder::type(input), i32 = b.builder().getI32Type(),
       i1 = b.builder().getI1Type();
  if (!type.isF64()) // The boundaries are single, and so is the comparison.
    input = b.cast(input, type = b.builder().getF32Type());
  SmallVector<Attribute> elements;
  for (double boundary : boundaries)
    elements.push_back(b.builder().getFloatAttr(type, boundary));
  Value table = b.constant(DenseElementsAttr::get(
      RankedTensorType::get({int64_t(elements.size())}, type), elements));
  auto last = b.attribute("axes", ArrayRef<int64_t>{b.rank(input)});
  Value columns = b.make("graph.expand_dims", type, input, last);
  Value below = b.make("graph.less", i1, {columns, table});
  Value reached = b.make("graph.not", i1, below);
  b.set(0, b.make("graph.reduce_sum", i32, b.cast(reached, i32), last));
}
} // namespace

void addReductionRows(RowTable &table) {
  table["Sum"] = reduction("graph.reduce_sum");
  table["Mean"] = reduction("graph.reduce_mean");
  table["Prod"] = reduction("graph.reduce_prod");
  table["Max"] = reduction("graph.reduce_max");
  table["Min"] = reduction("graph.reduce_min");
  table["All"] = reduction("graph.reduce_all");
  table["Any"] = reduction("graph.reduce_any");
  table["EuclideanNorm"] = importEuclideanNorm;
  table["Bincount"] = importBincount;
  table["ArgMax"] = extremum("graph.argmax");
  table["ArgMin"] = extremum("graph.argmin");
  table["Cumsum"] = scan("graph.cumsum");
  table["Cumprod"] = scan("graph.cumprod");
  table["CumulativeLogsumexp"] = scan("graph.cumlogsumexp");
  table["Bucketize"] = importBucketize;
  table["L2Loss"] = importL2Loss;
  table["InTopK"] = [](Binder &b) {
    importInTopK(b, b.scalar(b.builder().getI32Type(), double(b.integer("k"))));
  };
  table["InTopKV2"] = [](Binder &b) { importInTopK(b, b.input(2)); };
}

} // namespace tenon::tf
