#include "compiler/Pass.h"
#include "compiler/lowering/EntryABI.h"
#include "dialects/kernel/HostCall.h"

using namespace mlir;
using namespace tenon;

namespace {

/// Offsets of tenon_tensor and tenon_host_call (tenon/abi.h).
enum : int64_t {
  kTensorBytes = 48,
  kTensorRank = 16,
  kTensorType = 20,
  kTensorShape = 24,
  kTensorStrides = 32,
  kTensorOffset = 40,
  kCallInputs = 8,
  kCallOutputs = 16,
  kCallInputCount = 24,
  kCallBytes = 32
};

/// Makes one call: descriptors on the entry's frame, the call, and what the
/// function allocated as memrefs.
class CallLowering {
public:
  CallLowering(func::FuncOp entry, kernel::HostCallOp call)
      : entry(entry), call(call), b(call), loc(call.getLoc()),
        pointer(LLVM::LLVMPointerType::get(call.getContext())) {}

  void run() {
    int64_t inputs = call.getInputs().size(),
            outputs = call.getAllocated().size();
    Value tensors = frame((inputs + outputs) * kTensorBytes);
    for (auto [i, input] : llvm::enumerate(call.getInputs()))
      describe(pointerAt(b, loc, tensors, int64_t(i) * kTensorBytes), input,
               input.getType(), call.getInputTypes().slice(2 * i, 2));
    Value firstOutput = pointerAt(b, loc, tensors, inputs * kTensorBytes);
    auto destination = call.getDestinations().begin();
    auto made = call.getOutputs().begin();
    SmallVector<Value> shapes;
    for (auto [i, allocated] : llvm::enumerate(call.getAllocated())) {
      Value value = allocated ? Value() : *destination++;
      Type type = allocated ? (*made++).getType() : value.getType();
      shapes.push_back(
          describe(pointerAt(b, loc, firstOutput, int64_t(i) * kTensorBytes),
                   value, type, call.getOutputTypes().slice(2 * i, 2)));
    }
    Value descriptor = frame(kCallBytes);
    store(entry.getArgument(abi::Instance), descriptor, 0);
    store(tensors, descriptor, kCallInputs);
    store(firstOutput, descriptor, kCallOutputs);
    store(word(inputs, 32), descriptor, kCallInputCount);
    store(word(outputs, 32), descriptor, kCallInputCount + 4);
    auto callee = runtimeFunction(entry->getParentOfType<ModuleOp>(),
                                  ("tenon_host_" + call.getFunction()).str(),
                                  b.getI32Type(), {pointer});
    LLVM::CallOp::create(b, loc, callee, ValueRange{descriptor});
    takeResults(firstOutput, shapes);
    call.erase();
  }

private:
  /// Memory on the entry's frame: a call in a loop must not grow the stack.
  Value frame(int64_t bytes) {
    OpBuilder top = OpBuilder::atBlockBegin(&entry.getBody().front());
    Value size = LLVM::ConstantOp::create(top, loc, top.getI64Type(),
                                          top.getI64IntegerAttr(bytes));
    return LLVM::AllocaOp::create(top, loc, pointer, top.getI8Type(), size,
                                  /*alignment=*/16);
  }

  Value word(int64_t value, unsigned bits = 64) {
    return LLVM::ConstantOp::create(
        b, loc, b.getIntegerType(bits),
        b.getIntegerAttr(b.getIntegerType(bits), value));
  }

  void store(Value value, Value base, int64_t offset) {
    LLVM::StoreOp::create(b, loc, value, pointerAt(b, loc, base, offset));
  }

  /// Fills in a tensor; returns where its shape is. Without a value the data
  /// is NULL and dynamic sizes are -1.
  Value describe(Value at, Value value, Type type, ArrayRef<int32_t> dtype) {
    auto memref = cast<MemRefType>(type);
    Value null = LLVM::ZeroOp::create(b, loc, pointer);
    store(value ? pointerOf(b, loc, value) : null, at, 0);
    // The CPU's memory; nobody's yet where the function allocates.
    store(word(value ? 1 : 0), at, 8);
    store(word(memref.getRank(), 32), at, kTensorRank);
    store(word(dtype[0] | dtype[1] << 8 | 1 << 16, 32), at, kTensorType);
    store(null, at, kTensorStrides);
    store(word(0), at, kTensorOffset);
    Value shape = null;
    if (memref.getRank())
      shape = frame(8 * memref.getRank());
    store(shape, at, kTensorShape);
    for (auto [i, size] : llvm::enumerate(memref.getShape())) {
      int64_t offset = 8 * int64_t(i);
      if (!ShapedType::isDynamic(size))
        store(word(size), shape, offset);
      else if (value)
        storeIndex(b, loc, sizeOf(b, loc, value, i), shape, offset);
      else
        store(word(-1), shape, offset);
    }
    return shape;
  }

  void takeResults(Value firstOutput, ArrayRef<Value> shapes) {
    auto made = call.getOutputs().begin();
    for (auto [i, allocated] : llvm::enumerate(call.getAllocated())) {
      if (!allocated)
        continue;
      Value result = *made++;
      auto type = cast<MemRefType>(result.getType());
      SmallVector<Value> sizes;
      for (int64_t d = 0; d < type.getRank(); ++d)
        if (type.isDynamicDim(d))
          sizes.push_back(loadIndex(b, loc, shapes[i], 8 * d));
      Value data = loadPointer(b, loc, firstOutput, int64_t(i) * kTensorBytes);
      result.replaceAllUsesWith(memrefAt(b, loc, data, type, sizes));
    }
  }

  func::FuncOp entry;
  kernel::HostCallOp call;
  OpBuilder b;
  Location loc;
  Type pointer;
};

/// `kernel.host_call` on memrefs becomes a call of `tenon_host_<function>` with
/// DLPack descriptors. After the memory plan, which sees the op's buffers.
struct LowerHostCallsPass
    : PassBase<LowerHostCallsPass, ModuleOp, LLVM::LLVMDialect,
               memref::MemRefDialect, arith::ArithDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerHostCallsPass)
  static constexpr StringLiteral kArgument = "lower-host-calls";
  static constexpr StringLiteral kSummary =
      "call the runtime's functions for ops that they do";

  void runOnOperation() override {
    for (auto entry : getOperation().getOps<func::FuncOp>()) {
      SmallVector<kernel::HostCallOp> calls;
      entry.walk([&](kernel::HostCallOp call) { calls.push_back(call); });
      for (kernel::HostCallOp call : calls)
        CallLowering(entry, call).run();
    }
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createLowerHostCallsPass() {
  return std::make_unique<LowerHostCallsPass>();
}
} // namespace tenon
