//===- ShareKernels.cpp - one function for kernels that differ in numbers -===//

#include "compiler/backend/cpu/ShareKernels.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/MapVector.h"

#include <map>

using namespace mlir;

namespace tenon {

namespace {

/// Smaller kernels gain nothing by sharing.
constexpr size_t kMinOps = 40;

/// Zeros and ones shape the code around them.
std::optional<int64_t> asNumber(int64_t value) {
  return value == 0 || value == 1 ? std::nullopt : std::optional(value);
}

/// The value of an integer constant that may become a number in a table.
std::optional<int64_t> getNumber(OpOperand &use) {
  auto constant = use.get().getDefiningOp<LLVM::ConstantOp>();
  if (!constant || !constant.getType().isInteger(64))
    return std::nullopt;
  auto value = dyn_cast<IntegerAttr>(constant.getValue());
  return value ? asNumber(value.getInt()) : std::nullopt;
}

/// The same of an address: its only step, in elements.
std::optional<int64_t> getNumber(LLVM::GEPOp address) {
  ArrayRef<int32_t> indices = address.getRawConstantIndices();
  if (indices.size() != 1 || indices.front() == LLVM::GEPOp::kDynamicIndex)
    return std::nullopt;
  return asNumber(indices.front());
}

/// Where a number stands: an operand, or else the step of an address.
struct Use {
  OpOperand *operand = nullptr;
  LLVM::GEPOp address;

  /// An alloca of constant size is in the frame, any other moves the stack.
  bool isConstant() const {
    return operand && isa<LLVM::AllocaOp>(operand->getOwner());
  }

  void set(Value number) {
    if (operand)
      return operand->set(number);
    OpBuilder builder(address);
    LLVM::GEPOp general = LLVM::GEPOp::create(
        builder, address.getLoc(), address.getType(), address.getElemType(),
        address.getBase(), ArrayRef<LLVM::GEPArg>{number},
        address.getNoWrapFlags());
    address.replaceAllUsesWith(general.getResult());
    address.erase();
  }
};

/// A kernel as text without its numbers, and the numbers in order of use.
/// Constants count where they are used, not where they stand: whether two of
/// them happen to be one makes no difference.
class Shape {
public:
  explicit Shape(LLVM::LLVMFuncOp kernel) : os(text) {
    for (Block &block : kernel.getBody())
      addBlock(block);
    for (Block &block : kernel.getBody())
      for (Operation &op : block)
        addOp(op);
  }

  std::string text;
  SmallVector<int64_t> numbers;
  SmallVector<Use> uses;
  size_t ops = 0;

private:
  void addBlock(Block &block) {
    blocks[&block] = blocks.size();
    os << "block";
    for (BlockArgument argument : block.getArguments()) {
      values[argument] = values.size();
      os << ' ' << argument.getType();
    }
    os << '\n';
    // Blocks may use values of blocks that stand behind them.
    for (Operation &op : block)
      for (Value result : op.getResults())
        if (!isa<LLVM::ConstantOp>(op))
          values[result] = values.size();
  }

  void addOp(Operation &op) {
    if (isa<LLVM::ConstantOp>(op))
      return;
    ++ops;
    os << op.getName() << ' ';
    auto address = dyn_cast<LLVM::GEPOp>(op);
    std::optional<int64_t> step = address ? getNumber(address) : std::nullopt;
    if (step) {
      os << '#' << address.getElemType() << ' '
         << uint32_t(address.getNoWrapFlags());
      add(*step, {nullptr, address});
    } else {
      os << op.getAttrDictionary() << ' ' << op.getPropertiesAsAttribute();
    }
    for (Type type : op.getResultTypes())
      os << ' ' << type;
    for (OpOperand &operand : op.getOpOperands())
      addOperand(operand);
    for (Block *successor : op.getSuccessors())
      os << " ^" << blocks.lookup(successor);
    // No operation of a lowered kernel holds others.
    os << (op.getNumRegions() ? " region\n" : "\n");
    if (&op == &op.getBlock()->back())
      os << "end\n";
  }

  void addOperand(OpOperand &operand) {
    if (std::optional<int64_t> number = getNumber(operand)) {
      os << " #";
      add(*number, {&operand, {}});
    } else if (auto constant =
                   operand.get().getDefiningOp<LLVM::ConstantOp>()) {
      os << ' ' << constant.getValue() << ':' << constant.getType();
    } else {
      os << " %" << values.lookup(operand.get());
    }
  }

  void add(int64_t number, Use use) {
    numbers.push_back(number);
    uses.push_back(use);
  }

  llvm::raw_string_ostream os{text};
  llvm::DenseMap<Value, size_t> values;
  llvm::DenseMap<Block *, size_t> blocks;
};

/// A kernel and what tells it from the others of its group.
struct Member {
  LLVM::LLVMFuncOp kernel;
  SmallVector<int64_t> numbers;
};

class Sharer {
public:
  explicit Sharer(ModuleOp module) : module(module) {}

  void run() {
    llvm::MapVector<StringRef, SmallVector<Member>> groups;
    std::vector<std::string> keys; // Their storage must not move.
    SmallVector<LLVM::LLVMFuncOp> kernels;
    for (auto function : module.getOps<LLVM::LLVMFuncOp>())
      if (function->hasAttr("tenon.kernel") && !function.isExternal())
        kernels.push_back(function);
    keys.reserve(kernels.size());
    for (LLVM::LLVMFuncOp kernel : kernels) {
      Shape shape(kernel);
      if (shape.ops < kMinOps)
        continue;
      keys.push_back(std::move(shape.text));
      groups[keys.back()].push_back({kernel, shape.numbers});
    }
    for (auto &[key, members] : groups)
      if (members.size() > 1)
        share(members);
  }

private:
  void share(ArrayRef<Member> members) {
    LLVM::LLVMFuncOp shared = createShared(members);
    MLIRContext *context = module.getContext();
    OpBuilder builder(context);
    auto pointer = LLVM::LLVMPointerType::get(context);
    for (const Member &member : members) {
      LLVM::LLVMFuncOp kernel = member.kernel;
      Location loc = kernel.getLoc();
      builder.setInsertionPoint(kernel);
      LLVM::GlobalOp table = createTable(builder, member);
      kernel.getBody().dropAllReferences();
      kernel.getBody().getBlocks().clear();
      Block *block = kernel.addEntryBlock(builder);
      builder.setInsertionPointToStart(block);
      SmallVector<Value> arguments(block->getArguments());
      arguments.push_back(
          table ? LLVM::AddressOfOp::create(builder, loc, table).getResult()
                : LLVM::ZeroOp::create(builder, loc, pointer).getResult());
      LLVM::CallOp call = LLVM::CallOp::create(builder, loc, shared, arguments);
      call.setTailCallKind(LLVM::TailCallKind::Tail);
      LLVM::ReturnOp::create(builder, loc, ValueRange());
    }
  }

  /// The numbers of `member` that differ within its group; null when none do.
  LLVM::GlobalOp createTable(OpBuilder &builder, const Member &member) {
    if (columns.empty())
      return {};
    SmallVector<int64_t> row;
    for (size_t column : columns)
      row.push_back(member.numbers[column]);
    auto type = LLVM::LLVMArrayType::get(builder.getI64Type(), row.size());
    auto values = DenseElementsAttr::get(
        RankedTensorType::get({int64_t(row.size())}, builder.getI64Type()),
        ArrayRef<int64_t>(row));
    LLVM::LLVMFuncOp kernel = member.kernel;
    return LLVM::GlobalOp::create(builder, kernel.getLoc(), type,
                                  /*isConstant=*/true, LLVM::Linkage::Private,
                                  (kernel.getName() + "_sizes").str(), values);
  }

  /// The group's function. Numbers that differ are loaded from the table; those
  /// that always differ in the same way share a place in it.
  LLVM::LLVMFuncOp createShared(ArrayRef<Member> members) {
    LLVM::LLVMFuncOp first = members.front().kernel;
    OpBuilder builder(first);
    auto shared = cast<LLVM::LLVMFuncOp>(builder.clone(*first));
    shared.setName((first.getName() + "_shared").str());
    auto pointer = LLVM::LLVMPointerType::get(module.getContext());
    auto type = first.getFunctionType();
    SmallVector<Type> parameters(type.getParams());
    parameters.push_back(pointer);
    shared.setFunctionType(
        LLVM::LLVMFunctionType::get(type.getReturnType(), parameters));
    // Else LLVM would make the copies again.
    shared.setNoInline(true);
    Block &entry = shared.getBody().front();
    Value table = entry.addArgument(pointer, shared.getLoc());
    builder.setInsertionPointToStart(&entry);

    Shape shape(shared);
    columns.clear();
    std::map<std::vector<int64_t>, Value> loaded;
    for (auto [column, use] : llvm::enumerate(shape.uses)) {
      std::vector<int64_t> values;
      for (const Member &member : members)
        values.push_back(member.numbers[column]);
      if (llvm::all_equal(values))
        continue;
      if (use.isConstant()) { // room for the largest
        use.set(LLVM::ConstantOp::create(builder, shared.getLoc(),
                                         builder.getI64Type(),
                                         *llvm::max_element(values)));
        continue;
      }
      Value &number = loaded[values];
      if (!number) {
        Value place = LLVM::GEPOp::create(
            builder, shared.getLoc(), pointer, builder.getI64Type(), table,
            ArrayRef<LLVM::GEPArg>{int32_t(columns.size())});
        number = LLVM::LoadOp::create(builder, shared.getLoc(),
                                      builder.getI64Type(), place,
                                      /*alignment=*/8, /*isVolatile=*/false,
                                      /*isNonTemporal=*/false,
                                      /*isInvariant=*/true);
        columns.push_back(column);
      }
      use.set(number);
    }
    return shared;
  }

  ModuleOp module;
  SmallVector<size_t> columns; // numbers of the group that are in the table
};

} // namespace

void shareKernels(ModuleOp module) { Sharer(module).run(); }

} // namespace tenon
