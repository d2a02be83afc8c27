#include "compiler/lowering/Reserve.h"
#include "compiler/lowering/EntryABI.h"

using namespace mlir;

namespace tenon {

/// Starts the function; returns it and its argument, the dimensions.
static std::pair<func::FuncOp, Value> startReserve(func::FuncOp entry,
                                                   OpBuilder &b) {
  b.setInsertionPointAfter(entry);
  auto reserve = func::FuncOp::create(
      b, entry.getLoc(), (entry.getSymName() + ".reserve").str(),
      b.getFunctionType({entry.getArgument(abi::DimsArray).getType()},
                        {b.getI64Type()}));
  reserve.setPrivate();
  StringAttr name = SymbolTable(entry->getParentOp()).insert(reserve);
  entry->setAttr(kReserveAttr, FlatSymbolRefAttr::get(name));
  b.setInsertionPointToStart(reserve.addEntryBlock());
  return {reserve, reserve.getArgument(0)};
}

/// Clones what computes `value`, all in one block.
static Value cloneInto(OpBuilder &b, Value value, IRMapping &mapping) {
  llvm::SetVector<Operation *> needed;
  SmallVector<Value> open{value};
  while (!open.empty()) {
    Operation *op = open.pop_back_val().getDefiningOp();
    if (op && needed.insert(op))
      llvm::append_range(open, op->getOperands());
  }
  SmallVector<Operation *> ops = needed.takeVector();
  llvm::sort(ops,
             [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  for (Operation *op : ops)
    b.clone(*op, mapping);
  return mapping.lookup(value);
}

void addReserve(func::FuncOp entry, Value total, int64_t fixedBytes) {
  OpBuilder b(entry.getContext());
  auto [reserve, dims] = startReserve(entry, b);
  Location loc = entry.getLoc();
  Value bytes;
  if (total) {
    IRMapping mapping;
    mapping.map(entry.getArgument(abi::DimsArray), dims);
    bytes = cloneInto(b, total, mapping);
  } else {
    bytes = arith::ConstantIndexOp::create(b, loc, fixedBytes);
  }
  func::ReturnOp::create(
      b, loc,
      arith::IndexCastOp::create(b, loc, b.getI64Type(), bytes).getResult());
}

bool choosesVersion(func::FuncOp entry) {
  return entry.walk([](func::CallOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

/// Clones the ops that choose a version, with the versions' own functions in
/// their place. Returns what the block ends with.
static Value cloneChoice(OpBuilder &b, Block &block, SymbolTable &symbols,
                         IRMapping &mapping) {
  for (Operation &op : block.without_terminator()) {
    Location loc = op.getLoc();
    if (auto call = dyn_cast<func::CallOp>(op)) {
      auto version = symbols.lookup<func::FuncOp>(call.getCallee());
      auto reserve = version->getAttrOfType<FlatSymbolRefAttr>(kReserveAttr);
      auto bytes =
          func::CallOp::create(b, loc, reserve, b.getI64Type(),
                               mapping.lookup(call.getOperand(abi::DimsArray)));
      mapping.map(call.getResult(0), bytes.getResult(0));
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      auto choice = scf::IfOp::create(b, loc, TypeRange{b.getI64Type()},
                                      mapping.lookup(branch.getCondition()),
                                      /*withElseRegion=*/true);
      for (auto [from, to] :
           llvm::zip(branch->getRegions(), choice->getRegions())) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(&to.front());
        scf::YieldOp::create(b, loc,
                             cloneChoice(b, from.front(), symbols, mapping));
      }
      mapping.map(branch.getResult(0), choice.getResult(0));
    } else {
      b.clone(op, mapping);
    }
  }
  return mapping.lookup(block.getTerminator()->getOperand(0));
}

void addReserveOfChoice(func::FuncOp entry) {
  OpBuilder b(entry.getContext());
  entry->setAttr("tenon.arena_bytes", b.getI64IntegerAttr(0));
  auto [reserve, dims] = startReserve(entry, b);
  SymbolTable symbols(entry->getParentOp());
  IRMapping mapping;
  mapping.map(entry.getArgument(abi::DimsArray), dims);
  Value bytes = cloneChoice(b, entry.getBody().front(), symbols, mapping);
  func::ReturnOp::create(b, entry.getLoc(), bytes);
}

} // namespace tenon
