// kernel.window: lines of output pixels, vectorised over channels. Window
// positions outside the input are left out by the bounds of the loops. Inside a
// line, pixels whose whole window is inside are done several at once and share
// what they load.

#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/KernelEpilogue.h"
#include "compiler/lowering/KernelModels.h"

#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace tenon {

/// Fewer element operations than this are not worth sharing.
static constexpr int64_t kSmallWork = 1 << 16;
/// Widest window row that is unrolled.
static constexpr int64_t kMostUnrolled = 8;
static constexpr int64_t kLanes = 16;
/// Most pixels at an end of a line, with windows that leave the input, that
/// have code of their own.
static constexpr int64_t kMostEdge = 8;

namespace {

class WindowLowering {
public:
  WindowLowering(OpBuilder &builder, kernel::WindowOp op,
                 const CpuTarget &target);

  static Value countLines(KernelEmitter &e, kernel::WindowOp op);
  static Value isSmall(KernelEmitter &e, kernel::WindowOp op);
  static Value countPoints(KernelEmitter &e, kernel::WindowOp op);
  void run(Value begin, Value end);
  void runPoints(Value begin, Value end);

private:
  /// Positions [low, high) of a window dimension that lie inside the input, and
  /// the input position of window position 0.
  struct Clip {
    Value start, low, high;
  };
  struct Line {
    Value number;            // over N and all output dimensions but the last
    Value xBase;             // image
    SmallVector<Clip> clips; // of all dimensions but the last
    Value inside;            // number of positions inside, of these dimensions
  };
  /// Channels done at once.
  struct Channels {
    Value first;
    int64_t lanes, vectors;
  };

  Line openLine(Value number);
  void runLine(Value number);
  void runChannels(const Line &line, const Channels &channels);
  void alone(const Line &line, const Channels &channels, Value pixel);
  /// `pixels` at once; all their windows lie inside the input unless `pixel` is
  /// known.
  void together(const Line &line, const Channels &channels, Value pixel,
                int64_t pixels);
  bool runKnownLine(const Line &line, const Channels &channels, int64_t pixels);
  void finish(const Line &line, const Channels &channels, Value pixel,
              Value inside, ValueRange values);
  Clip clip(int64_t dim, Value output);
  /// Carries `values` through all positions of the outer window dimensions;
  /// `body` gets the addresses of the input line and of the weights.
  SmallVector<Value> overOuter(
      const Line &line, int64_t dim, Value xOffset, Value wOffset,
      ValueRange values,
      llvm::function_ref<SmallVector<Value>(Value, Value, ValueRange)> body);
  Value loadX(Value offset, const Channels &channels, int64_t vector);
  Value loadW(Value offset, const Channels &channels, int64_t vector);
  Value combine(Value sum, Value x, Value w);
  Value start(int64_t lanes);

  kernel::WindowOp op;
  KernelEmitter e;
  const CpuTarget &target;
  Buffer x, w;
  KernelEpilogue epilogue;
  const Buffer &y;
  Type accumulator;
  int64_t spatial;
  bool depthwise, scalarOnly;
  Value multiplier;
};

int64_t known(Value value, int64_t otherwise) {
  return getConstantIntValue(value).value_or(otherwise);
}

} // namespace

WindowLowering::WindowLowering(OpBuilder &builder, kernel::WindowOp op,
                               const CpuTarget &target)
    : op(op), e(builder, op.getLoc(), target.hasFma), target(target),
      x(e.open(op.getX())), w(op.getW() ? e.open(op.getW()) : Buffer()),
      epilogue(e, op.getBody().front(), op.getEpilogue(), op.getEpilogueMaps(),
               op.getY(), 0),
      y(epilogue.getDestination()),
      accumulator(op.getBody().front().getArgument(0).getType()),
      spatial(op.getSpatialRank()),
      depthwise(op.getKind() == kernel::WindowKind::Depthwise) {
  multiplier = depthwise ? w.sizes.back() : e.index(1);
  // A vector's lanes must read whole input channels, or parts of one.
  int64_t repeats = known(multiplier, 0);
  scalarOnly =
      isa<ComplexType>(accumulator) || !llvm::isPowerOf2_64(repeats) ||
      known(x.strides.back(), 0) != 1 || known(y.strides.back(), 0) != 1 ||
      (depthwise && (known(w.strides[spatial], 0) != repeats ||
                     (repeats > 1 && known(w.strides[spatial + 1], 0) != 1)));
}

//===----------------------------------------------------------------------===//
// Tasks
//===----------------------------------------------------------------------===//

static Value sizeOfY(KernelEmitter &e, kernel::WindowOp op, int64_t dim) {
  return sizeOf(e.b, e.loc, op.getY(), dim);
}

Value WindowLowering::countLines(KernelEmitter &e, kernel::WindowOp op) {
  Value lines = sizeOfY(e, op, 0);
  for (int64_t i = 0; i + 1 < op.getSpatialRank(); ++i)
    lines = e.mul(lines, sizeOfY(e, op, 1 + i));
  return lines;
}

Value WindowLowering::isSmall(KernelEmitter &e, kernel::WindowOp op) {
  Value work = e.index(1);
  for (int64_t i = 0; i < op.getYType().getRank(); ++i)
    work = e.mul(work, sizeOfY(e, op, i));
  for (int64_t size : op.getWindow())
    work = e.mul(work, size);
  return e.less(work, e.index(kSmallWork));
}

void WindowLowering::run(Value begin, Value end) {
  Value small = isSmall(e, op), lines = countLines(e, op);
  e.loop(e.select(small, e.index(0), begin), e.select(small, lines, end), 1,
         [&](Value number) { runLine(number); });
}

WindowLowering::Clip WindowLowering::clip(int64_t dim, Value output) {
  Clip result;
  int64_t dilation = op.getDilations()[dim];
  result.start =
      e.sub(e.mul(output, op.getStrides()[dim]), e.index(op.getPadding()[dim]));
  Value zero = e.index(0), before = e.max(e.sub(zero, result.start), zero);
  Value until = e.max(e.sub(x.sizes[1 + dim], result.start), zero);
  result.low = e.ceilDiv(before, dilation);
  result.high = e.min(e.ceilDiv(until, dilation), e.index(op.getWindow()[dim]));
  return result;
}

WindowLowering::Line WindowLowering::openLine(Value number) {
  Line line;
  line.number = number;
  int64_t outer = std::max<int64_t>(spatial - 1, 0);
  SmallVector<Value> place =
      e.delinearize(number, ArrayRef(y.sizes).take_front(1 + outer));
  line.xBase = e.mul(place[0], x.strides[0]);
  line.inside = e.index(1);
  for (int64_t i = 0; i < outer; ++i) {
    line.clips.push_back(clip(i, place[1 + i]));
    const Clip &clip = line.clips.back();
    line.inside =
        e.mul(line.inside, e.max(e.sub(clip.high, clip.low), e.index(0)));
  }
  return line;
}

/// Elements of the result.
Value WindowLowering::countPoints(KernelEmitter &e, kernel::WindowOp op) {
  Value points = e.index(1);
  for (int64_t i = 0; i < op.getYType().getRank(); ++i)
    points = e.mul(points, sizeOfY(e, op, i));
  return points;
}

void WindowLowering::runPoints(Value begin, Value end) {
  Value pixels = spatial > 0 ? y.sizes[spatial] : e.index(1);
  e.loop(begin, end, 1, [&](Value point) {
    Value channel = e.rem(point, y.sizes.back());
    Value place = e.div(point, y.sizes.back());
    alone(openLine(e.div(place, pixels)), {channel, 1, 1},
          e.rem(place, pixels));
  });
}

void WindowLowering::runLine(Value number) {
  Line line = openLine(number);
  Value channels = y.sizes.back(), done = e.index(0);
  if (!scalarOnly) {
    int64_t registers =
        target.getPanelRegisters(getAccumulatorBits(accumulator));
    int64_t atOnce =
        std::max<int64_t>(1, target.vectorRegisters / 4 / registers);
    // Where a line has hardly any pixels, channels fill the registers.
    bool narrow = spatial == 0 || known(y.sizes[spatial], 4) < 4;
    for (int64_t vectors : {narrow ? atOnce : atOnce / 4, int64_t(1)}) {
      if (vectors < 1 || (vectors == 1 && known(channels, kLanes) < kLanes))
        continue;
      int64_t step = vectors * kLanes;
      Value until = e.mul(e.div(channels, e.index(step)), step);
      e.loop(done, until, step,
             [&](Value c) { runChannels(line, {c, kLanes, vectors}); });
      done = until;
    }
    if (std::optional<int64_t> count = getConstantIntValue(channels)) {
      int64_t from = known(done, 0);
      for (int64_t lanes = kLanes / 2; lanes > 1; lanes /= 2) {
        if (*count - from < lanes)
          continue;
        runChannels(line, {e.index(from), lanes, 1});
        from += lanes;
      }
      done = e.index(from);
    }
  }
  e.loop(done, channels, 1, [&](Value c) { runChannels(line, {c, 1, 1}); });
}

/// All pixels of a line, for some channels.
void WindowLowering::runChannels(const Line &line, const Channels &channels) {
  if (spatial == 0)
    return alone(line, channels, e.index(0));
  int64_t dim = spatial - 1, stride = op.getStrides()[dim];
  int64_t padding = op.getPadding()[dim], size = op.getWindow()[dim];
  Value count = y.sizes[1 + dim], zero = e.index(0);
  Value from = zero, to = zero;
  int64_t registers = target.getPanelRegisters(getAccumulatorBits(accumulator));
  int64_t pixels = std::clamp<int64_t>(
      target.vectorRegisters / 4 / registers / channels.vectors, 1, 4);
  bool unrolls = pixels > 1 && size <= kMostUnrolled && channels.lanes > 1;
  if (unrolls && runKnownLine(line, channels, pixels))
    return;
  if (unrolls && known(count, pixels) >= pixels) {
    // Pixels [from, to) read nothing outside the input.
    from = e.min(
        e.index(std::max<int64_t>(0, llvm::divideCeilSigned(padding, stride))),
        count);
    int64_t reach = (size - 1) * op.getDilations()[dim] + 1;
    Value room =
        e.add(e.sub(x.sizes[1 + dim], e.index(reach)), padding + stride);
    to = e.min(e.div(e.max(room, zero), e.index(stride)), count);
    Value blocks = e.div(e.max(e.sub(to, from), zero), e.index(pixels));
    to = e.add(from, e.mul(blocks, pixels));
    e.loop(from, to, pixels,
           [&](Value pixel) { together(line, channels, pixel, pixels); });
  }
  // What is left before and behind, with one copy of the code.
  if (getConstantIntValue(from) == 0) {
    e.loop(to, count, 1, [&](Value pixel) { alone(line, channels, pixel); });
    return;
  }
  Value both = e.add(from, e.sub(count, to));
  e.loop(zero, both, 1, [&](Value i) {
    Value behind = e.add(e.sub(i, from), to);
    alone(line, channels, e.select(e.less(i, from), i, behind));
  });
}

/// With known sizes the pixels at both ends are done like the others, without
/// the window positions that lie outside. False when there are too many of them
/// to have code of their own.
bool WindowLowering::runKnownLine(const Line &line, const Channels &channels,
                                  int64_t pixels) {
  int64_t dim = spatial - 1, stride = op.getStrides()[dim];
  int64_t padding = op.getPadding()[dim];
  int64_t count = known(y.sizes[1 + dim], 0),
          width = known(x.sizes[1 + dim], 0);
  if (count <= 0 || width <= 0)
    return false;
  int64_t reach = (op.getWindow()[dim] - 1) * op.getDilations()[dim] + 1;
  int64_t from =
      std::clamp<int64_t>(llvm::divideCeilSigned(padding, stride), 0, count);
  int64_t to = std::clamp<int64_t>(
      llvm::divideFloorSigned(width - reach + padding, stride) + 1, from,
      count);
  if (from > kMostEdge || count - to > kMostEdge)
    return false;
  int64_t next = 0;
  auto untilEnd = [&](int64_t end) {
    while (next < end) {
      int64_t blocks = llvm::divideCeil(end - next, pixels);
      int64_t size = llvm::divideCeil(end - next, blocks);
      together(line, channels, e.index(next), size);
      next += size;
    }
  };
  if (from > 0)
    untilEnd(std::min<int64_t>(count, llvm::alignTo(from, pixels)));
  int64_t blocks = std::max<int64_t>(to - next, 0) / pixels;
  if (blocks > 0) {
    int64_t end = next + blocks * pixels;
    e.loop(e.index(next), e.index(end), pixels,
           [&](Value pixel) { together(line, channels, pixel, pixels); });
    next = end;
  }
  untilEnd(count);
  return true;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value WindowLowering::start(int64_t lanes) {
  if (op.getKind() != kernel::WindowKind::Max)
    return e.zero(accumulator, lanes);
  if (auto type = dyn_cast<FloatType>(accumulator)) {
    // The lowest value of the element type, which may be narrower.
    auto element = cast<FloatType>(x.element);
    bool lossy;
    APFloat lowest =
        APFloat::getLargest(element.getFloatSemantics(), /*Negative=*/true);
    lowest.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                   &lossy);
    return e.constant(e.b.getFloatAttr(type, lowest), lanes);
  }
  unsigned bits = accumulator.getIntOrFloatBitWidth();
  return e.constant(
      e.b.getIntegerAttr(accumulator, APInt::getSignedMinValue(bits)), lanes);
}

Value WindowLowering::combine(Value sum, Value value, Value weight) {
  switch (op.getKind()) {
  case kernel::WindowKind::Depthwise:
    return e.mulAdd(value, weight, sum);
  case kernel::WindowKind::Max: {
    if (isa<IntegerType>(accumulator))
      return arith::MaxSIOp::create(e.b, e.loc, sum, value);
    // Not maximumf: NaN loses.
    Value more = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OGT,
                                       value, sum);
    return arith::SelectOp::create(e.b, e.loc, more, value, sum);
  }
  case kernel::WindowKind::Sum:
  case kernel::WindowKind::Average:
    return e.plus(sum, value);
  }
  return sum;
}

Value WindowLowering::loadX(Value offset, const Channels &channels,
                            int64_t vector) {
  Value c = e.div(e.add(channels.first, vector * kLanes), multiplier);
  Value pointer =
      e.at(x.pointer, x.element, e.add(offset, e.mul(c, x.strides.back())));
  int64_t lanes = channels.lanes;
  int64_t repeats = std::min(lanes, lanes > 1 ? known(multiplier, 1) : 1);
  Value read =
      e.widen(e.load(pointer, x.element, lanes / repeats), accumulator);
  if (repeats == 1)
    return read;
  if (repeats == lanes)
    return e.splat(read, lanes);
  SmallVector<int64_t> channelOf(lanes);
  for (int64_t i = 0; i < lanes; ++i)
    channelOf[i] = i / repeats;
  return vector::ShuffleOp::create(e.b, e.loc, read, read, channelOf);
}

Value WindowLowering::loadW(Value offset, const Channels &channels,
                            int64_t vector) {
  Value c = e.add(channels.first, vector * kLanes);
  offset = e.add(offset, e.mul(e.div(c, multiplier), w.strides[spatial]));
  offset = e.add(offset, e.mul(e.rem(c, multiplier), w.strides[spatial + 1]));
  Value pointer = e.at(w.pointer, w.element, offset);
  return e.widen(e.load(pointer, w.element, channels.lanes), accumulator);
}

//===----------------------------------------------------------------------===//
// Pixels
//===----------------------------------------------------------------------===//

SmallVector<Value> WindowLowering::overOuter(
    const Line &line, int64_t dim, Value xOffset, Value wOffset,
    ValueRange values,
    llvm::function_ref<SmallVector<Value>(Value, Value, ValueRange)> body) {
  if (dim >= spatial - 1)
    return body(xOffset, wOffset, values);
  const Clip &clip = line.clips[dim];
  return e.loop(
      clip.low, clip.high, 1, values, [&](Value k, ValueRange carried) {
        Value position = e.add(clip.start, e.mul(k, op.getDilations()[dim]));
        Value nextX = e.add(xOffset, e.mul(position, x.strides[1 + dim]));
        Value nextW =
            depthwise ? e.add(wOffset, e.mul(k, w.strides[dim])) : wOffset;
        return overOuter(line, dim + 1, nextX, nextW, carried, body);
      });
}

void WindowLowering::alone(const Line &line, const Channels &channels,
                           Value pixel) {
  SmallVector<Value> values(channels.vectors, start(channels.lanes));
  auto add = [&](Value xOffset, Value wOffset, ValueRange carried) {
    SmallVector<Value> result;
    for (auto [v, value] : llvm::enumerate(carried))
      result.push_back(
          combine(value, loadX(xOffset, channels, v),
                  depthwise ? loadW(wOffset, channels, v) : Value()));
    return result;
  };
  Value inside = line.inside;
  if (spatial == 0) {
    values = add(line.xBase, e.index(0), values);
  } else {
    int64_t dim = spatial - 1;
    Clip last = clip(dim, pixel);
    inside = e.mul(inside, e.max(e.sub(last.high, last.low), e.index(0)));
    values = overOuter(
        line, 0, line.xBase, e.index(0), values,
        [&](Value xOffset, Value wOffset, ValueRange carried) {
          return e.loop(
              last.low, last.high, 1, carried, [&](Value k, ValueRange now) {
                Value position =
                    e.add(last.start, e.mul(k, op.getDilations()[dim]));
                Value nextX =
                    e.add(xOffset, e.mul(position, x.strides[1 + dim]));
                Value nextW = depthwise
                                  ? e.add(wOffset, e.mul(k, w.strides[dim]))
                                  : wOffset;
                return add(nextX, nextW, now);
              });
        });
  }
  finish(line, channels, pixel, inside, values);
}

void WindowLowering::together(const Line &line, const Channels &channels,
                              Value pixel, int64_t pixels) {
  int64_t dim = spatial - 1, size = op.getWindow()[dim];
  int64_t stride = op.getStrides()[dim], dilation = op.getDilations()[dim];
  std::optional<int64_t> start = getConstantIntValue(pixel),
                         width = getConstantIntValue(x.sizes[1 + dim]);
  auto isInside = [&](int64_t distance) {
    if (!start || !width)
      return true;
    int64_t place = *start * stride - op.getPadding()[dim] + distance;
    return place >= 0 && place < *width;
  };
  Value first = e.sub(e.mul(pixel, stride), e.index(op.getPadding()[dim]));
  Value xBase = e.add(line.xBase, e.mul(first, x.strides[1 + dim]));
  SmallVector<Value> values(pixels * channels.vectors,
                            this->start(channels.lanes));
  values = overOuter(
      line, 0, xBase, e.index(0), values,
      [&](Value xOffset, Value wOffset, ValueRange carried) {
        SmallVector<Value> result(carried);
        for (int64_t v = 0; v < channels.vectors; ++v) {
          llvm::DenseMap<int64_t, Value> loaded;
          for (int64_t k = 0; k < size; ++k) {
            Value weight;
            if (depthwise)
              weight = loadW(e.add(wOffset, e.mul(e.index(k), w.strides[dim])),
                             channels, v);
            for (int64_t p = 0; p < pixels; ++p) {
              int64_t distance = p * stride + k * dilation;
              if (!isInside(distance))
                continue;
              Value &value = loaded[distance];
              if (!value)
                value = loadX(e.add(xOffset, e.mul(e.index(distance),
                                                   x.strides[1 + dim])),
                              channels, v);
              Value &sum = result[p * channels.vectors + v];
              sum = combine(sum, value, weight);
            }
          }
        }
        return result;
      });
  for (int64_t p = 0; p < pixels; ++p) {
    int64_t positions = 0;
    for (int64_t k = 0; k < size; ++k)
      positions += isInside(p * stride + k * dilation);
    Value inside = e.mul(line.inside, positions);
    finish(line, channels, e.add(pixel, p), inside,
           ValueRange(values).slice(p * channels.vectors, channels.vectors));
  }
}

void WindowLowering::finish(const Line &line, const Channels &channels,
                            Value pixel, Value inside, ValueRange values) {
  Value divisor;
  if (op.getKind() == kernel::WindowKind::Average) {
    if (isa<IntegerType>(accumulator)) // must not trap when nothing is inside
      inside = e.max(inside, e.index(1));
    divisor = arith::IndexCastOp::create(e.b, e.loc, e.b.getI64Type(), inside);
    if (isa<FloatType>(accumulator))
      divisor = arith::SIToFPOp::create(e.b, e.loc, accumulator, divisor);
    else if (accumulator.getIntOrFloatBitWidth() < 64)
      divisor = arith::TruncIOp::create(e.b, e.loc, accumulator, divisor);
    divisor = e.splat(divisor, channels.lanes);
  }
  Value row = line.number;
  if (spatial > 0)
    row = e.add(e.mul(row, y.sizes[spatial]), pixel);
  for (auto [v, value] : llvm::enumerate(values)) {
    if (divisor && isa<FloatType>(accumulator))
      value = arith::DivFOp::create(e.b, e.loc, value, divisor);
    else if (divisor)
      value = arith::DivSIOp::create(e.b, e.loc, value, divisor);
    epilogue.store(value, {{}, row, e.add(channels.first, v * kLanes)},
                   channels.lanes, {});
  }
}

Value buildWindowTaskCount(OpBuilder &b, Location loc, kernel::WindowOp op,
                           const CpuTarget &target) {
  KernelEmitter e(b, loc, false);
  if (target.byPoint)
    return WindowLowering::countPoints(e, op);
  return e.select(WindowLowering::isSmall(e, op), e.index(1),
                  WindowLowering::countLines(e, op));
}

LogicalResult lowerWindow(OpBuilder &b, kernel::WindowOp op, Value begin,
                          Value end, const CpuTarget &target) {
  WindowLowering lowering(b, op, target);
  target.byPoint ? lowering.runPoints(begin, end) : lowering.run(begin, end);
  op.erase();
  return success();
}

} // namespace tenon
