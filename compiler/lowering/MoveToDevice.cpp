#include "compiler/Pass.h"
#include "compiler/lowering/EntryABI.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace tenon;

namespace {

/// Words that the parameters of a kernel have room for (4 KB), with the number
/// of tasks.
constexpr int64_t kMostWords = 511;

/// Whether a GPU can run the kernel: its arguments fit, it calls nothing, and
/// has no values that a GPU has no type for.
bool canMove(func::FuncOp kernel) {
  auto isWide = [](Type type) {
    Type element = getElementTypeOrSelf(type);
    return element.isIntOrFloat() && element.getIntOrFloatBitWidth() > 64;
  };
  if (kernel->getAttrOfType<IntegerAttr>(kWordsAttr).getInt() > kMostWords)
    return false;
  return !kernel
              .walk([&](Operation *op) {
                bool stays = isa<CallOpInterface>(op) ||
                             llvm::any_of(op->getResultTypes(), isWide) ||
                             llvm::any_of(op->getOperandTypes(), isWide);
                return stays ? WalkResult::interrupt() : WalkResult::advance();
              })
              .wasInterrupted();
}

/// Moves kernels to the module `device` and lets the entries launch them.
class Mover {
public:
  Mover(ModuleOp module) : module(module), symbols(module) {}

  void run() {
    SmallVector<func::FuncOp> kernels, callers;
    for (auto function : module.getOps<func::FuncOp>()) {
      if (function->hasAttr(kKernelAttr))
        kernels.push_back(function);
      else if (!function.isExternal())
        callers.push_back(function);
    }
    move(kernels);
    for (func::FuncOp caller : callers) {
      caller.walk([&](LLVM::CallOp call) {
        if (call.getCallee() == kLaunchFunction)
          calls.push_back(call);
      });
      for (LLVM::CallOp call : calls)
        rewrite(call);
      calls.clear();
      wait(caller.getBody(), /*pending=*/false);
    }
    if (Operation *launch = symbols.lookup(kLaunchFunction))
      symbols.erase(launch);
  }

private:
  void move(ArrayRef<func::FuncOp> kernels) {
    OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
    auto device = ModuleOp::create(b, module.getLoc(), kDeviceModule);
    for (func::FuncOp kernel : kernels) {
      if (!canMove(kernel))
        continue;
      numbers[kernel.getSymName()] = numbers.size();
      symbols.remove(kernel);
      kernel->moveBefore(device.getBody(), device.getBody()->end());
      kernel.setPublic();
    }
  }

  /// A launch of a kernel that stayed becomes a call.
  void rewrite(LLVM::CallOp call) {
    OpBuilder b(call);
    Location loc = call.getLoc();
    ValueRange operands = call.getArgOperands();
    auto cast = operands[1].getDefiningOp<UnrealizedConversionCastOp>();
    auto function = cast.getOperand(0).getDefiningOp<func::ConstantOp>();
    StringRef kernel = function.getValue();
    auto number = numbers.find(kernel);
    if (number == numbers.end()) {
      Value zero = arith::ConstantIndexOp::create(b, loc, 0);
      Value tasks =
          arith::IndexCastOp::create(b, loc, b.getIndexType(), operands[3]);
      func::CallOp::create(b, loc, kernel, TypeRange(),
                           ValueRange{operands[2], zero, tasks});
    } else {
      Type pointer = operands[0].getType(), word = b.getI64Type(),
           number32 = b.getI32Type();
      auto callee = runtimeFunction(
          module, kCudaLaunch, LLVM::LLVMVoidType::get(b.getContext()),
          {pointer, number32, pointer, word, number32});
      Value which = LLVM::ConstantOp::create(
          b, loc, number32, b.getI32IntegerAttr(number->second));
      LLVM::CallOp::create(b, loc, callee,
                           ValueRange{operands[0], which, operands[2],
                                      operands[3], operands[4]});
    }
    call.erase();
    if (cast->use_empty())
      cast.erase();
    if (function->use_empty())
      function.erase();
  }

  static bool isLaunch(Operation *op) {
    auto call = dyn_cast<LLVM::CallOp>(op);
    return call && call.getCallee() == kCudaLaunch;
  }

  /// Whether code of the CPU touches what kernels read or write: tensors, by
  /// itself or in a function that it calls.
  static bool touchesTensors(Operation *op) {
    if (isa<memref::LoadOp, memref::StoreOp, memref::CopyOp, func::CallOp>(op))
      return true;
    auto call = dyn_cast<LLVM::CallOp>(op);
    return call && call.getCallee() &&
           call.getCallee()->starts_with("tenon_host_");
  }

  /// Waits for the kernels before each such place; `pending`: some may be
  /// running when the region begins. Returns whether some may when it ends.
  bool wait(Region &region, bool pending) {
    for (Block &block : region)
      for (Operation &op : llvm::make_early_inc_range(block)) {
        if (isLaunch(&op)) {
          pending = true;
          continue;
        }
        if (op.getNumRegions()) {
          bool launches = op.walk([](Operation *inner) {
                              return isLaunch(inner) || isa<func::CallOp>(inner)
                                         ? WalkResult::interrupt()
                                         : WalkResult::advance();
                            }).wasInterrupted();
          // A loop's body may follow itself.
          bool before = pending || launches, after = before;
          for (Region &inner : op.getRegions())
            after |= wait(inner, before);
          pending = after;
          continue;
        }
        if (!touchesTensors(&op))
          continue;
        if (pending) {
          OpBuilder b(&op);
          auto entry = op.getParentOfType<func::FuncOp>();
          Value instance = entry.getArgument(abi::Instance);
          auto callee = runtimeFunction(module, kCudaWait,
                                        LLVM::LLVMVoidType::get(b.getContext()),
                                        {instance.getType()});
          LLVM::CallOp::create(b, op.getLoc(), callee, instance);
        }
        // A part of an entry, or another version of it, launches as well.
        pending = isa<func::CallOp>(op);
      }
    return pending;
  }

  static constexpr StringLiteral kCudaLaunch = "tenon_cuda_launch",
                                 kCudaWait = "tenon_cuda_wait";
  ModuleOp module;
  SymbolTable symbols;
  llvm::StringMap<int32_t> numbers;
  SmallVector<LLVM::CallOp> calls;
};

/// Kernels that a GPU can run go to the module `device`, from which its code is
/// made; entries launch them and go on. Memory is one for both, so that the CPU
/// does the rest in place, once all that was launched has ended.
struct MoveToDevicePass
    : PassBase<MoveToDevicePass, ModuleOp, LLVM::LLVMDialect, func::FuncDialect,
               arith::ArithDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(MoveToDevicePass)
  static constexpr StringLiteral kArgument = "move-to-device";
  static constexpr StringLiteral kSummary =
      "part kernels for a GPU from the entries that launch them";

  void runOnOperation() override { Mover(getOperation()).run(); }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createMoveToDevicePass() {
  return std::make_unique<MoveToDevicePass>();
}
} // namespace tenon
