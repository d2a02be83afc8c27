#include "dialects/graph/ops/GradientSupport.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace tenon::graph {

Value placeOf(OpBuilder &b, Location loc, const WindowDim &dim, Value window,
              Value element, Value low) {
  Value start = mul(b, loc, window, constantIndex(b, loc, dim.stride)),
        step = mul(b, loc, element, constantIndex(b, loc, dim.dilation));
  return sub(b, loc, add(b, loc, start, step), low);
}

/// Whether all elements of all windows are known to be inside of the input.
static bool staysInside(const WindowDim &dim) {
  std::optional<int64_t> input = ShapeContext::asConstant(dim.input),
                         output = ShapeContext::asConstant(dim.output);
  return input && output && ShapeContext::asConstant(dim.low) == 0 &&
         (*output - 1) * dim.stride + dim.extent() <= *input;
}

/// `index` clamped to 0..size - 1, and 0 where there is nothing.
static Value readable(OpBuilder &b, Location loc, Value index, Value size) {
  Value last = sub(b, loc, size, constantIndex(b, loc, 1));
  return b.createOrFold<arith::MaxSIOp>(
      loc, b.createOrFold<arith::MinSIOp>(loc, index, last),
      constantIndex(b, loc, 0));
}

static Value alsoIf(OpBuilder &b, Location loc, Value condition, Value also) {
  return condition ? both(b, loc, condition, also) : also;
}

Value checkedPlace(OpBuilder &b, Location loc, const WindowDim &dim,
                   Value place, Value size, Value &inside) {
  if (staysInside(dim))
    return place;
  inside = alsoIf(b, loc, inside, inRange(b, loc, place, size));
  return readable(b, loc, place, size);
}

//===----------------------------------------------------------------------===//
// WindowIndices
//===----------------------------------------------------------------------===//

struct WindowIndices::Candidate {
  Value window, element, counts;
};

WindowIndices::WindowIndices(LoweringContext &lowering,
                             ArrayRef<WindowDim> window)
    : window(window) {
  for (const WindowDim &dim : window) {
    lows.push_back(lowering.index(dim.low));
    outputs.push_back(lowering.index(dim.output));
  }
}

/// How many windows an element can be in along a dimension. Without dilation
/// only every stride-th element of a window can be the one at a place.
int64_t WindowIndices::candidates(unsigned dim) const {
  const WindowDim &along = window[dim];
  return along.dilation == 1 ? llvm::divideCeil(along.size, along.stride)
                             : along.size;
}

WindowIndices::Candidate WindowIndices::candidate(OpBuilder &b, Location loc,
                                                  unsigned dim, Value number,
                                                  Value place) const {
  const WindowDim &along = window[dim];
  Value stride = constantIndex(b, loc, along.stride);
  Candidate result;
  if (along.dilation == 1) {
    Value rest = b.createOrFold<arith::RemUIOp>(loc, place, stride),
          last = b.createOrFold<arith::DivUIOp>(loc, place, stride);
    result.element = add(b, loc, rest, mul(b, loc, number, stride));
    result.window = sub(b, loc, last, number);
    if (along.size % along.stride != 0)
      result.counts =
          less(b, loc, result.element, constantIndex(b, loc, along.size));
  } else {
    Value start =
        sub(b, loc, place,
            mul(b, loc, number, constantIndex(b, loc, along.dilation)));
    result.element = number;
    // A negative start is beyond every window once it is taken as unsigned.
    result.window = b.createOrFold<arith::FloorDivSIOp>(loc, start, stride);
    if (along.stride != 1)
      result.counts =
          equal(b, loc, b.createOrFold<arith::RemSIOp>(loc, start, stride),
                constantIndex(b, loc, 0));
  }
  result.counts = alsoIf(b, loc, result.counts,
                         inRange(b, loc, result.window, outputs[dim]));
  result.window = readable(b, loc, result.window, outputs[dim]);
  // Elements past the window's end only matter as far as they are read.
  if (along.dilation == 1 && along.size % along.stride != 0)
    result.element = b.createOrFold<arith::MinSIOp>(
        loc, result.element, constantIndex(b, loc, along.size - 1));
  return result;
}

Value WindowIndices::addTerms(OpBuilder &b, Location loc, unsigned dim,
                              Value total, SmallVector<Value> windowAt,
                              SmallVector<Value> elementAt, Value inside,
                              bool unroll, ArrayRef<Value> places,
                              Term term) const {
  if (dim == window.size()) {
    Value value = term(b, loc, windowAt, elementAt);
    if (inside)
      value = arith::SelectOp::create(b, loc, inside, value,
                                      zeroOf(b, loc, value.getType()));
    return sum(b, loc, total, value);
  }
  auto step = [&](OpBuilder &nested, Value number, Value before) {
    Candidate next = candidate(nested, loc, dim, number, places[dim]);
    SmallVector<Value> windows(windowAt), elements(elementAt);
    windows.push_back(next.window);
    elements.push_back(next.element);
    return addTerms(nested, loc, dim + 1, before, windows, elements,
                    alsoIf(nested, loc, inside ? inside : Value(), next.counts),
                    unroll, places, term);
  };
  if (unroll) {
    for (int64_t j = 0, e = candidates(dim); j < e; ++j)
      total = step(b, constantIndex(b, loc, j), total);
    return total;
  }
  return scf::ForOp::create(b, loc, constantIndex(b, loc, 0),
                            constantIndex(b, loc, candidates(dim)),
                            constantIndex(b, loc, 1), total,
                            [&](OpBuilder &nested, Location at, Value number,
                                ValueRange state) {
                              scf::YieldOp::create(
                                  nested, at, step(nested, number, state[0]));
                            })
      .getResult(0);
}

Value WindowIndices::sumOver(OpBuilder &b, Location loc, Value start,
                             Term term) const {
  int64_t count = 1;
  for (unsigned dim = 0; dim < window.size(); ++dim)
    count = std::min<int64_t>(count * candidates(dim), kUnrolledWindow + 1);
  // An index of the generic cannot be asked for inside of a loop.
  SmallVector<Value> places;
  for (unsigned dim = 0; dim < window.size(); ++dim)
    places.push_back(
        add(b, loc, linalg::IndexOp::create(b, loc, dim + 1), lows[dim]));
  return addTerms(b, loc, 0, start, {}, {}, {}, count <= kUnrolledWindow,
                  places, term);
}

} // namespace tenon::graph
