//===- Formulas.cpp - array functions that layers are written with --------===//

#include "frontend/keras/Formulas.h"

#include "dialects/graph/Graph.h"

using namespace mlir;

namespace tenon::keras {

std::optional<int64_t> knownDim(Tensor x, int64_t dim) {
  return graph::ShapeContext::asConstant(x.dim(dim < 0 ? dim + x.rank() : dim));
}

Tensor shapeOf(GraphBuilder &g, ArrayRef<Size> sizes) {
  SmallVector<int64_t> known;
  for (const Size &size : sizes) {
    if (!size.of)
      known.push_back(size.known);
    else if (auto number = knownDim(size.of, size.dim))
      known.push_back(*number);
  }
  if (known.size() == sizes.size())
    return g.integers(known);
  SmallVector<Tensor> parts;
  for (const Size &size : sizes)
    parts.push_back(size.of ? g.size(size.of.value(), size.dim)
                            : g.integer(size.known));
  return g.make("graph.pack", g.i64(), parts, g.attr("axis", int64_t(0)));
}

Tensor reshape(Tensor x, ArrayRef<Size> sizes) {
  return x ? graph::reshape(x, shapeOf(x.builder(), sizes)) : x;
}

Tensor broadcast(Tensor x, ArrayRef<Size> sizes) {
  return x ? graph::broadcastTo(x, shapeOf(x.builder(), sizes)) : x;
}

SmallVector<Size> sizesOf(Tensor x) {
  SmallVector<Size> sizes;
  for (int64_t i = 0; x && i < x.rank(); ++i)
    sizes.emplace_back(x, i);
  return sizes;
}

static SmallVector<int64_t> fromFront(Tensor x, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> result;
  for (int64_t axis : axes)
    result.push_back(axis < 0 ? axis + x.rank() : axis);
  llvm::sort(result);
  return result;
}

Tensor reduce(StringRef name, Tensor x, ArrayRef<int64_t> axes, bool keepDims) {
  if (!x)
    return x;
  GraphBuilder &g = x.builder();
  SmallVector<int64_t> sorted = fromFront(x, axes);
  return g.make(("graph.reduce_" + name).str(), x.type(), x,
                {g.attr("axes", ArrayRef<int64_t>(sorted)),
                 g.flag("keep_dims", keepDims)});
}

Tensor mean(Tensor x, ArrayRef<int64_t> axes, bool keepDims) {
  return reduce("mean", x, axes, keepDims);
}

Tensor squeeze(Tensor x, ArrayRef<int64_t> axes) {
  if (!x || axes.empty())
    return x;
  GraphBuilder &g = x.builder();
  SmallVector<int64_t> sorted = fromFront(x, axes);
  return g.make("graph.squeeze", x.type(), x,
                g.attr("axes", ArrayRef<int64_t>(sorted)));
}

Tensor slice(Tensor x, int64_t axis, std::optional<int64_t> begin,
             std::optional<int64_t> end, int64_t step) {
  if (!x)
    return x;
  axis = axis < 0 ? axis + x.rank() : axis;
  GraphBuilder &g = x.builder();
  SmallVector<int64_t> begins(axis + 1, 0), ends(axis + 1, 0),
      steps(axis + 1, 1);
  int64_t all = (int64_t(1) << axis) - 1, here = int64_t(1) << axis;
  begins[axis] = begin.value_or(0);
  ends[axis] = end.value_or(0);
  steps[axis] = step;
  return g.make("graph.strided_slice", x.type(),
                {x, g.integers(begins), g.integers(ends), g.integers(steps)},
                {g.attr("begin_mask", begin ? all : all | here),
                 g.attr("end_mask", end ? all : all | here)});
}

Tensor element(Tensor x, int64_t axis, int64_t place) {
  std::optional<int64_t> end;
  if (place != -1)
    end = place + 1;
  return squeeze(slice(x, axis, place, end), axis);
}

SmallVector<Tensor> split(Tensor x, int64_t axis, ArrayRef<int64_t> sizes) {
  SmallVector<Tensor> parts(sizes.size());
  if (!x)
    return parts;
  GraphBuilder &g = x.builder();
  SmallVector<Type> types(sizes.size(), x.type());
  return g.makeAll("graph.split", types, x,
                   {g.attr("axis", axis < 0 ? axis + x.rank() : axis),
                    g.attr("sizes", sizes)});
}

SmallVector<Tensor> split(Tensor x, int64_t axis, unsigned count) {
  SmallVector<Tensor> parts(count);
  if (!x)
    return parts;
  GraphBuilder &g = x.builder();
  SmallVector<Type> types(count, x.type());
  return g.makeAll("graph.split", types, x,
                   {g.attr("axis", axis < 0 ? axis + x.rank() : axis)});
}

Tensor pad(Tensor x, ArrayRef<std::pair<int64_t, int64_t>> amounts,
           double value) {
  if (!x || llvm::all_of(amounts, [](auto amount) {
        return amount.first == 0 && amount.second == 0;
      }))
    return x;
  GraphBuilder &g = x.builder();
  SmallVector<int64_t> flat;
  for (auto [before, after] : amounts)
    llvm::append_values(flat, before, after);
  auto type = RankedTensorType::get({int64_t(amounts.size()), 2}, g.i64());
  Tensor paddings =
      graph::reshape(g.integers(flat), g.integers(type.getShape()));
  return g.make("graph.pad", x.type(),
                {x, paddings, g.scalar(x.type(), value)});
}

Tensor reverse(Tensor x, int64_t axis) {
  if (!x)
    return x;
  GraphBuilder &g = x.builder();
  return g.make("graph.reverse", x.type(), x,
                g.attr("axes", ArrayRef<int64_t>{axis}));
}

Tensor stack(ArrayRef<Tensor> parts, int64_t axis) {
  for (Tensor part : parts)
    if (!part)
      return {};
  GraphBuilder &g = parts[0].builder();
  return g.make("graph.pack", parts[0].type(), parts, g.attr("axis", axis));
}

Tensor constant(GraphBuilder &g, Type type, ArrayRef<double> values,
                ArrayRef<int64_t> shape) {
  SmallVector<Attribute> elements;
  for (double value : values) {
    if (isa<FloatType>(type))
      elements.push_back(FloatAttr::get(type, value));
    else
      elements.push_back(IntegerAttr::get(type, int64_t(value)));
  }
  auto tensor = RankedTensorType::get(shape, type);
  auto value = DenseElementsAttr::get(tensor, elements);
  return g.make("graph.constant", type, {},
                g.builder.getNamedAttr("value", value));
}

Tensor einsum(StringRef equation, Tensor a, Tensor b) {
  if (!a || !b)
    return {};
  GraphBuilder &g = a.builder();
  return g.make("graph.einsum", a.type(), {a, b}, g.attr("equation", equation));
}

Tensor maximum(Tensor a, Tensor b) { return graph::apply("maximum", a, b); }
Tensor minimum(Tensor a, Tensor b) { return graph::apply("minimum", a, b); }
Tensor maximum(Tensor a, double b) { return maximum(a, graph::number(a, b)); }
Tensor minimum(Tensor a, double b) { return minimum(a, graph::number(a, b)); }
Tensor logicalNot(Tensor x) { return graph::apply("not", x); }

Tensor unitLength(Tensor x, ArrayRef<int64_t> axes, double epsilon) {
  Tensor power = reduce("sum", graph::square(x), axes, true);
  return x * minimum(graph::apply("rsqrt", power), 1 / epsilon);
}

Tensor softmax(Tensor x, int64_t axis) {
  if (!x)
    return x;
  GraphBuilder &g = x.builder();
  return g.make("graph.softmax", x.type(), x, g.attr("axis", axis));
}

Tensor moveAxis(Tensor x, int64_t from, int64_t to) {
  if (!x)
    return x;
  SmallVector<int64_t> order = graph::upTo(x.rank());
  order.erase(order.begin() + from);
  order.insert(order.begin() + to, from);
  return graph::transpose(x, order);
}

SmallVector<Tensor>
loop(GraphBuilder &g, Tensor count, ArrayRef<Tensor> values,
     llvm::function_ref<SmallVector<Tensor>(GraphBuilder &, Tensor,
                                            ArrayRef<Tensor>)>
         body) {
  SmallVector<Tensor> none(values.size());
  if (g.failed() || !count)
    return none;
  SmallVector<Value> inits = {g.integer(0).value()};
  for (Tensor value : values) {
    if (!value)
      return none;
    inits.push_back(value.value());
  }
  OperationState state(g.loc, "graph.while");
  state.addOperands(inits);
  for (Value init : inits)
    state.addTypes(
        UnrankedTensorType::get(getElementTypeOrSelf(init.getType())));
  // Where the loop will be, so that what is around it is found.
  OperationState holderState(g.loc, "graph.while");
  holderState.addRegion();
  holderState.addRegion();
  Operation *holder = g.builder.create(holderState);
  Block *blocks[2];
  for (unsigned i = 0; i < 2; ++i) {
    blocks[i] = &holder->getRegion(i).emplaceBlock();
    for (Value init : inits)
      g.shapes.copyDims(blocks[i]->addArgument(init.getType(), g.loc), init);
  }
  OpBuilder inside = OpBuilder::atBlockEnd(blocks[0]);
  auto yield = [&](ArrayRef<Value> results) {
    OperationState end(g.loc, "graph.yield");
    end.addOperands(results);
    inside.create(end);
  };
  GraphBuilder condition(inside, g.shapes, g.loc);
  yield((Tensor(condition, blocks[0]->getArgument(0)) <
         Tensor(condition, count.value()))
            .value());
  inside.setInsertionPointToEnd(blocks[1]);
  GraphBuilder b(inside, g.shapes, g.loc);
  Tensor place(b, blocks[1]->getArgument(0));
  SmallVector<Tensor> carried;
  for (Value argument : blocks[1]->getArguments().drop_front())
    carried.emplace_back(b, argument);
  SmallVector<Value> next = {(place + b.integer(1)).value()};
  for (Tensor value : body(b, place, carried))
    next.push_back(value.value());
  bool good = !b.failed() && !llvm::is_contained(next, Value());
  if (!good) {
    // The holder stays: sizes of its values are known by their addresses, and
    // the whole function will go.
    g.abandon();
    return none;
  }
  yield(next);
  for (Region &region : holder->getRegions()) {
    auto moved = std::make_unique<Region>();
    moved->takeBody(region);
    state.addRegion(std::move(moved));
  }
  holder->erase();
  Operation *op = g.builder.create(state);
  if (failed(graph::inferResultTypes(op, g.shapes))) {
    g.abandon();
    return none;
  }
  SmallVector<Tensor> results;
  for (Value result : op->getResults().drop_front())
    results.emplace_back(g, result);
  return results;
}

} // namespace tenon::keras
