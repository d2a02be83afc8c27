#include "compiler/Pass.h"
#include "compiler/lowering/EntryABI.h"

using namespace mlir;
using namespace tenon;

namespace {

constexpr uint64_t kAlignment = 64;

/// Hands out offsets in the weights and in the state.
class Layout {
public:
  explicit Layout(ModuleOp module)
      : module(module), symbols(module), attributes(module.getContext()) {}

  void run() {
    // Values first, then their flags, so that all values are aligned.
    SmallVector<memref::GlobalOp> flags;
    for (auto global : module.getOps<memref::GlobalOp>()) {
      if (global->hasAttr("tenon.flag")) {
        flags.push_back(global);
        continue;
      }
      bool variable = global->hasAttr("tenon.variable");
      place(global, variable ? state : weights, bytesOf(global), kAlignment);
      if (!variable)
        continue;
      Attribute initial = global->getAttr("tenon.initial");
      if (initial && isZero(initial)) {
        // The state is zeros at first.
        global->setAttr("tenon.initial_offset",
                        attributes.getI64IntegerAttr(kInitialZeros));
      } else if (initial) {
        global->setAttr("tenon.initial_offset",
                        attributes.getI64IntegerAttr(weights));
        weights = llvm::alignTo(weights + bytesOf(global), kAlignment);
      }
    }
    llvm::StringMap<Attribute> places;
    for (memref::GlobalOp flag : flags) {
      place(flag, state, 1, 1);
      places[nameOf(flag)] = flag->getAttr("tenon.offset");
    }
    // The runtime sets the flags of all variables, also those that no entry
    // asks for and whose global is gone.
    for (auto global : module.getOps<memref::GlobalOp>()) {
      if (global->hasAttr("tenon.flag") || !global->hasAttr("tenon.variable"))
        continue;
      Attribute &flag = places[nameOf(global)];
      if (!flag)
        flag = attributes.getI64IntegerAttr(state++);
      global->setAttr("tenon.flag_offset", flag);
    }
    module->setAttr("tenon.weights_bytes",
                    attributes.getI64IntegerAttr(weights));
    module->setAttr("tenon.state_bytes", attributes.getI64IntegerAttr(state));
    module.walk([&](memref::GetGlobalOp get) { replace(get); });
  }

private:
  static bool isZero(Attribute value) {
    auto elements = dyn_cast<DenseIntOrFPElementsAttr>(value);
    return elements && elements.isSplat() &&
           llvm::all_of(elements.getRawData(), [](char c) { return c == 0; });
  }
  static StringRef nameOf(memref::GlobalOp global) {
    return cast<StringAttr>(global->getAttr("tenon.variable")).getValue();
  }

  static uint64_t bytesOf(memref::GlobalOp global) {
    return global.getType().getNumElements() *
           elementBytes(global.getType().getElementType());
  }

  void place(memref::GlobalOp global, uint64_t &section, uint64_t bytes,
             uint64_t alignment) {
    global->setAttr("tenon.offset", attributes.getI64IntegerAttr(section));
    section = llvm::alignTo(section + bytes, alignment);
  }

  void replace(memref::GetGlobalOp get) {
    auto global = symbols.lookup<memref::GlobalOp>(get.getName());
    int64_t field =
        global->hasAttr("tenon.variable") ? abi::State : abi::Weights;
    OpBuilder b(get);
    Value instance =
        get->getParentOfType<func::FuncOp>().getArgument(abi::Instance);
    auto symbol = module->getAttrOfType<StringAttr>(kWeightsAttr);
    Value pointer;
    if (field == abi::Weights && bytesOf(global) == 0) {
      // An artifact with nothing else has no weights to point into.
      pointer = LLVM::ZeroOp::create(
          b, get.getLoc(), LLVM::LLVMPointerType::get(b.getContext()));
    } else {
      // In one artifact with the weights, code needs no instance to find them.
      Value base = field == abi::Weights && symbol
                       ? loadWeights(b, get.getLoc(), symbol)
                       : loadPointer(b, get.getLoc(), instance, field);
      pointer = pointerAt(
          b, get.getLoc(), base,
          cast<IntegerAttr>(global->getAttr("tenon.offset")).getInt());
    }
    get.replaceAllUsesWith(
        memrefAt(b, get.getLoc(), pointer, global.getType(), {}));
    get.erase();
  }

  /// The pointer to the weights, which stands beside them.
  Value loadWeights(OpBuilder &b, Location loc, StringAttr symbol) {
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    auto global = module.lookupSymbol<LLVM::GlobalOp>(symbol);
    if (!global) {
      OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
      global =
          LLVM::GlobalOp::create(top, module.getLoc(), pointer,
                                 /*isConstant=*/true, LLVM::Linkage::External,
                                 symbol.getValue(), Attribute());
      global.setVisibility_(LLVM::Visibility::Hidden);
      global.setDsoLocal(true);
    }
    Value address = LLVM::AddressOfOp::create(b, loc, global);
    return LLVM::LoadOp::create(b, loc, pointer, address);
  }

  ModuleOp module;
  SymbolTable symbols;
  Builder attributes;
  uint64_t weights = 0, state = 0;
};

/// Every `memref.global` gets an offset in the weights or, for a variable, in
/// the instance's state (`tenon.offset`); uses become pointers into them. Sets
/// the module's `tenon.weights_bytes` and `tenon.state_bytes`.
struct LayOutDataPass : PassBase<LayOutDataPass, ModuleOp, LLVM::LLVMDialect,
                                 arith::ArithDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LayOutDataPass)
  static constexpr StringLiteral kArgument = "lay-out-data";
  static constexpr StringLiteral kSummary =
      "give weights and variables their places";

  void runOnOperation() override { Layout(getOperation()).run(); }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createLayOutDataPass() {
  return std::make_unique<LayOutDataPass>();
}
} // namespace tenon
