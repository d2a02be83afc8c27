// Convolutions by lines of the result.

#include "compiler/lowering/LowerContract.h"

using namespace mlir;

namespace tenon {

/// Elements of the result's lines, of a panel, that a task has about.
static constexpr int64_t kTaskRows = 256;
/// Bytes of copied lines and of weights, which stay in the nearest cache.
static constexpr int64_t kMostBytes = 1 << 15;

int64_t ContractLines::getSpan(kernel::ContractOp op, int64_t lines) {
  int64_t window = op.getBType().getDimSize(2);
  return (lines - 1) * op.getStrides()[0] +
         (window - 1) * op.getDilations()[0] + 1;
}

std::optional<ContractLines> ContractLines::find(kernel::ContractOp op) {
  if (op.getBatchRank() != 0 || op.getSpatialRank() != 2 ||
      op.getGroups() != 1 || op.readsMatrix() || op.getPairs() ||
      !op.getAOrder().empty() || op.sumsOverPlaces() ||
      op.getDilations()[1] != 1 || op.getInputDilation()[0] != 1 ||
      op.getInputDilation()[1] != 1)
    return std::nullopt;
  auto a = dyn_cast<MemRefType>(op.getA().getType());
  auto c = dyn_cast<MemRefType>(op.getC().getType());
  ShapedType b = op.getBType();
  if (!a || !c || isa<ComplexType>(a.getElementType()))
    return std::nullopt;
  auto [strides, offset] = a.getStridesAndOffset();
  int64_t channels = a.getDimSize(3), window = b.getDimSize(3),
          bytes = std::max<int64_t>(a.getElementTypeBitWidth() / 8, 1);
  for (int64_t size :
       {a.getDimSize(1), a.getDimSize(2), channels, c.getDimSize(1),
        c.getDimSize(2), b.getDimSize(2), window})
    if (size < 1) // or unknown
      return std::nullopt;
  if (b.getShape().back() != kPanelWidth || channels >= kPanelWidth ||
      window == 1 || channels * window > kShortRun || strides[3] != 1 ||
      strides[2] != channels || op.getPadding()[0] < 0 ||
      op.getPadding()[1] < 0 ||
      b.getDimSize(2) * window * channels * kPanelWidth * bytes > kMostBytes)
    return std::nullopt;

  ContractLines lines;
  lines.height = c.getDimSize(1);
  lines.width = c.getDimSize(2);
  lines.inputHeight = a.getDimSize(1);
  lines.inputLine = a.getDimSize(2) * channels;
  lines.before = op.getPadding()[1] * channels;
  lines.reach = ((lines.width - 1) * op.getStrides()[1] + window) * channels;
  lines.isCopied = op.getPadding()[0] > 0 || op.getPadding()[1] > 0 ||
                   getSpan(op, lines.height) > lines.inputHeight ||
                   lines.reach > lines.inputLine;
  int64_t most = std::clamp<int64_t>(kTaskRows / lines.width, 1, lines.height);
  while (most > 1 && lines.isCopied &&
         getSpan(op, most) * lines.getCopiedStride() * bytes > kMostBytes)
    --most;
  if (lines.isCopied &&
      getSpan(op, most) * lines.getCopiedStride() * bytes > kMostBytes)
    return std::nullopt;
  lines.blocks = llvm::divideCeil(lines.height, most);
  return lines;
}

void ContractLowering::openLines(Task &task, Value block) {
  Value image = e.div(block, e.index(lines->blocks));
  Value number = e.rem(block, e.index(lines->blocks));
  Value each = e.index(lines->height / lines->blocks),
        more = e.index(lines->height % lines->blocks);
  Value first = e.add(e.mul(number, each), e.min(number, more));
  Value count =
      e.add(each, e.select(e.less(number, more), e.index(1), e.index(0)));
  task.firstRow =
      e.mul(e.add(e.mul(image, lines->height), first), lines->width);
  task.rows = e.mul(count, lines->width);
  Buffer whole = openA(e, op); // as it is before it is copied
  Value from = e.at(task.aBase, a.element, e.mul(image, whole.strides[0]));
  Value line = e.mul(first, op.getStrides()[0]);
  if (!lines->isCopied) {
    task.aBase = e.at(from, a.element, e.mul(line, whole.strides[1]));
    return;
  }
  int64_t stride = lines->getCopiedStride(),
          extra = ContractLines::getSpan(op, 0);
  Value span = e.add(e.mul(count, op.getStrides()[0]), extra);
  line = e.sub(line, e.index(op.getPadding()[0]));
  e.rolledLoop(e.index(0), span, 1, [&](Value i) {
    Value now = e.add(line, i);
    Value to = e.at(copiedLines, a.element, e.mul(i, stride));
    Value zero = e.zero(a.element, kPanelWidth);
    auto clear = [&](int64_t begin, int64_t end) {
      // What is behind is written later, or never read.
      for (; begin < end; begin += kPanelWidth)
        e.store(zero, e.at(to, a.element,
                           e.index(std::min(begin, stride - kPanelWidth))));
    };
    e.branch(
        e.lessUnsigned(now, e.index(lines->inputHeight)),
        [&] {
          int64_t behind =
              std::min(lines->reach, lines->before + lines->inputLine);
          clear(0, lines->before);
          clear(std::min(behind, stride - kPanelWidth), lines->reach);
          copyLine(e.at(from, a.element, e.mul(now, whole.strides[1])),
                   e.at(to, a.element, e.index(lines->before)));
        },
        [&] { clear(0, lines->reach); });
  });
  task.aBase = copiedLines;
}

/// The part of a line that windows reach.
void ContractLowering::copyLine(Value from, Value to) {
  int64_t count = std::min(lines->inputLine, lines->reach - lines->before);
  int64_t whole = std::max<int64_t>(count, 0) / kPanelWidth * kPanelWidth;
  auto copy = [&](Value i, Value mask) {
    Value values =
        e.load(e.at(from, a.element, i), a.element, kPanelWidth, mask);
    e.store(values, e.at(to, a.element, i), mask);
  };
  e.loop(e.index(0), e.index(whole), kPanelWidth,
         [&](Value i) { copy(i, {}); });
  if (whole < count)
    copy(e.index(whole), e.laneMask(e.index(count - whole), kPanelWidth));
}

ContractRows ContractLowering::openLineRows(const Task &task, Value first,
                                            unsigned count) {
  Value local = e.sub(first, task.firstRow), width = e.index(lines->width);
  Value line = e.mul(e.div(local, width), op.getStrides()[0]);
  Value step = e.mul(a.strides[2], op.getStrides()[1]);
  Value start =
      e.at(task.aBase, a.element,
           e.add(e.mul(line, a.strides[1]), e.mul(e.rem(local, width), step)));
  ContractRows rows;
  rows.count = count;
  for (unsigned r = 0; r < count; ++r)
    rows.pointers.push_back(e.at(start, a.element, e.mul(step, r)));
  rows.inside.assign(count, Value());
  return rows;
}

} // namespace tenon
