#include "compiler/Pass.h"
#include "compiler/lowering/EntryABI.h"
#include "dialects/graph/ops/Control.h"
#include "dialects/graph/ops/Elementwise.h"
#include "dialects/graph/ops/Reduction.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace tenon;

namespace {

/// The source node of a location: its name, and its operation behind it.
std::pair<StringRef, StringRef> nodeOf(Location loc) {
  std::pair<StringRef, StringRef> node;
  loc->walk([&](Location inner) {
    auto name = dyn_cast<NameLoc>(inner);
    if (!name)
      return WalkResult::advance();
    node.first = name.getName();
    if (auto op = dyn_cast<NameLoc>(name.getChildLoc()))
      node.second = op.getName();
    return WalkResult::interrupt();
  });
  return node;
}

/// Whether raw little-endian elements have a NaN or infinity: all bits of an
/// exponent are set.
template <typename Word>
bool hasFullExponent(ArrayRef<char> bytes, Word exponent) {
  for (size_t at = 0; at + sizeof(Word) <= bytes.size(); at += sizeof(Word)) {
    Word word;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if ((word & exponent) == exponent)
      return true;
  }
  return false;
}

bool isFinite(ElementsAttr value) {
  ArrayRef<char> bytes;
  if (auto dense = dyn_cast<DenseElementsAttr>(value))
    bytes = dense.getRawData();
  else if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    bytes = resource.getData();
  Type type = value.getElementType();
  if (type.isF64())
    return !hasFullExponent<uint64_t>(bytes, 0x7ff0000000000000);
  if (type.isF32())
    return !hasFullExponent<uint32_t>(bytes, 0x7f800000);
  return !hasFullExponent<uint16_t>(bytes, type.isBF16() ? 0x7f80 : 0x7c00);
}

class CheckInserter {
public:
  explicit CheckInserter(func::FuncOp entry)
      : entry(entry), shapes(entry.getContext()) {
    shapes.addEntry(entry);
  }

  void run() {
    SmallVector<Value> values(entry.getArguments());
    entry.walk<WalkOrder::PreOrder>([&](Operation *op) {
      for (Value result : op->getResults())
        if (leavesNode(result))
          values.push_back(result);
    });
    for (Value value : values)
      if (auto type = dyn_cast<RankedTensorType>(value.getType());
          type && isa<FloatType>(type.getElementType()))
        check(value);
  }

private:
  /// What a node computes on its way to its results is its own business: a
  /// large exponential may well be infinite in between.
  static bool leavesNode(Value result) {
    auto name = nodeOf(result.getLoc()).first;
    return llvm::any_of(result.getUsers(), [&](Operation *user) {
      return user->hasTrait<OpTrait::IsTerminator>() ||
             nodeOf(user->getLoc()).first != name;
    });
  }

  void check(Value value) {
    Location loc = value.getLoc();
    OpBuilder b(entry.getContext());
    b.setInsertionPointAfterValue(value);
    Type boolean = b.getI1Type();
    Value finite;
    if (auto constant = value.getDefiningOp<graph::ConstantOp>()) {
      if (isFinite(constant.getValue()))
        return;
      finite = graph::ConstantOp::create(
          b, loc,
          DenseElementsAttr::get(RankedTensorType::get({}, boolean), false));
    } else {
      SmallVector<int64_t> axes(
          cast<RankedTensorType>(value.getType()).getRank());
      std::iota(axes.begin(), axes.end(), 0);
      auto each =
          graph::create<graph::IsFiniteOp>(b, loc, shapes, boolean, value);
      if (!each)
        return;
      auto all = graph::create<graph::ReduceAllOp>(
          b, loc, shapes, boolean, each.getResult(),
          b.getNamedAttr("axes", b.getDenseI64ArrayAttr(axes)));
      if (!all)
        return;
      finite = all.getResult();
    }
    auto [name, op] = nodeOf(loc);
    std::string what = isa<BlockArgument>(value) ? "input '" + name.str() + "'"
                                                 : "node '" + name.str() + "'";
    if (!op.empty())
      what += " (" + op.str() + ")";
    auto check = graph::CheckOp::create(
        b, loc, finite, what + ": the tensor has Inf or NaN elements");
    check->setAttr(kNumericsAttr, b.getUnitAttr());
  }

  func::FuncOp entry;
  graph::ShapeContext shapes;
};

/// After every source node whose result is floating-point, in a module that
/// asks for it (`tenon.check_numerics`): a check that fails at run time, when
/// the instance wants to know, on a NaN or an infinity.
///
/// ```mlir
/// %y = graph.log %x : (tensor<3xf32>) -> tensor<3xf32>
/// %0 = graph.is_finite %y : (tensor<3xf32>) -> tensor<3xi1>
/// %1 = graph.reduce_all %0 {axes = array<i64: 0>} : (tensor<3xi1>) ->
/// tensor<i1> graph.check %1 "node 'y' (Log): ..." {tenon.numerics} :
/// tensor<i1>
/// ```
struct InsertNumericChecksPass
    : PassBase<InsertNumericChecksPass, ModuleOp, graph::GraphDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(InsertNumericChecksPass)
  static constexpr StringLiteral kArgument = "insert-numeric-checks";
  static constexpr StringLiteral kSummary =
      "check the floating-point results of all source nodes";

  void runOnOperation() override {
    if (!getOperation()->hasAttr(kCheckNumericsAttr))
      return;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr(kEntryAttr))
        CheckInserter(function).run();
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createInsertNumericChecksPass() {
  return std::make_unique<InsertNumericChecksPass>();
}
} // namespace tenon
