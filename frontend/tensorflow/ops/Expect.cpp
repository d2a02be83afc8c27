//===- Expect.cpp - what TensorFlow checks of operands at run time --------===//

#include "frontend/tensorflow/ops/Expect.h"

using namespace mlir;

namespace tenon::tf {

void expect(Binder &b, Value good, const llvm::Twine &message) {
  if (b.failed() || !good)
    return;
  if (auto known = b.shapes().constants(good);
      known && !llvm::is_contained(*known, 0))
    return;
  SmallVector<int64_t> axes(b.rank(good));
  std::iota(axes.begin(), axes.end(), 0);
  if (!axes.empty())
    good = b.make("graph.reduce_all", b.builder().getI1Type(), good,
                  b.attribute("axes", axes));
  b.perform("graph.check", good,
            b.textAttribute("message",
                            ("node '" + b.name() + "': " + message).str()));
}

void expect(Binder &b, Value x, StringRef comparison, Value y,
            const llvm::Twine &message) {
  expect(b, b.make(comparison, b.builder().getI1Type(), {x, y}), message);
}

/// A size as a scalar.
static Value sizeOf(Binder &b, Value value, int64_t d) {
  Type type = b.builder().getI64Type();
  return b.make(
      "graph.gather", type,
      {b.make("graph.shape_of", type, value), b.scalar(type, double(d))},
      b.attribute("axis", int64_t(0)));
}

void expectSize(Binder &b, Value value, int64_t d, Value other, int64_t e,
                const llvm::Twine &message) {
  if (b.failed() || b.dims(value)[d] == b.dims(other)[e])
    return;
  expect(b, sizeOf(b, value, d), "graph.equal", sizeOf(b, other, e), message);
}

void expectAtLeast(Binder &b, Value value, int64_t d, int64_t least,
                   const llvm::Twine &message) {
  if (b.failed())
    return;
  expect(b, b.scalar(b.builder().getI64Type(), double(least)),
         "graph.less_equal", sizeOf(b, value, d), message);
}

} // namespace tenon::tf
