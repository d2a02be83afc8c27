#include "compiler/lowering/LowerPrecision.h"
#include "compiler/Pass.h"
#include "compiler/backend/cpu/Target.h"
#include "dialects/kernel/Kernel.h"

using namespace mlir;
using namespace tenon;

Value tenon::getRounded(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumDpsInputs() != 1 ||
      generic->getNumResults() != 1 ||
      !llvm::all_of(generic.getIndexingMapsArray(),
                    [](AffineMap map) { return map.isIdentity(); }))
    return {};
  Block &body = *generic.getBody();
  auto rounding = dyn_cast<arith::TruncFOp>(body.front());
  return rounding && rounding.getIn() == body.getArgument(0) &&
                 rounding.getIn().getType().isF32() &&
                 rounding.getType().isBF16() &&
                 body.getTerminator()->getOperand(0) == rounding.getResult()
             ? generic.getInputs()[0]
             : Value();
}

namespace {

/// Sums of fewer terms gain less than rounding their operands costs.
constexpr int64_t kFewestTerms = 16;

class Rounder {
public:
  explicit Rounder(bool roundsF32) : roundsF32(roundsF32) {}

  void round(kernel::ContractOp op) {
    auto pack = op.getB().getDefiningOp<kernel::PackOp>();
    Type element = op.getAType().getElementType();
    if (!pack || !isa<RankedTensorType>(pack.getSource().getType()) ||
        !((element.isF32() && roundsF32) || element.isBF16()) ||
        !op.getBody().front().getArgument(0).getType().isF32())
      return;
    int64_t channels = op.getBType().getDimSize(op.getBChannelDim()),
            width = op.getBType().getShape().back();
    // Two by two; with unknown numbers of them there may be one left over.
    if (ShapedType::isDynamic(channels) || channels % 2 != 0 ||
        channels < kFewestTerms || width != kPanelWidth)
      return;
    op.getAMutable().assign(rounded(op.getA()));
    op.getBMutable().assign(packedRounded(pack));
    op.setPairs(true);
  }

private:
  static RankedTensorType toBf16(Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    return type.clone(BFloat16Type::get(value.getContext()));
  }

  static Value emptyLike(OpBuilder &b, Location loc, Value value) {
    return tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, value),
                                   BFloat16Type::get(value.getContext()));
  }

  /// The value in bf16. Rearrangements come behind the rounding, which then
  /// stands next to what computes the value and becomes a part of it.
  Value rounded(Value value) {
    if (getElementTypeOrSelf(value).isBF16())
      return value;
    if (Value result = known.lookup(value))
      return result;
    OpBuilder b(value.getContext());
    b.setInsertionPointAfterValue(value);
    Location loc = value.getLoc();
    Operation *op = value.getDefiningOp();
    if (isa_and_present<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op)) {
      Value source = rounded(op->getOperand(0));
      Operation *copy = b.clone(*op);
      copy->setOperand(0, source);
      copy->getResult(0).setType(toBf16(value));
      return known[value] = copy->getResult(0);
    }
    if (auto transpose = dyn_cast_or_null<linalg::TransposeOp>(op)) {
      Value source = rounded(transpose.getInput());
      return known[value] = linalg::TransposeOp::create(
                                b, loc, source, emptyLike(b, loc, value),
                                transpose.getPermutation())
                                ->getResult(0);
    }
    int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
    SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(rank));
    SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
    auto generic = linalg::GenericOp::create(
        b, loc, TypeRange{toBf16(value)}, ValueRange{value},
        ValueRange{emptyLike(b, loc, value)}, maps, loops,
        [](OpBuilder &nested, Location place, ValueRange elements) {
          Value element = arith::TruncFOp::create(
              nested, place, elements[1].getType(), elements[0]);
          linalg::YieldOp::create(nested, place, element);
        });
    return known[value] = generic.getResult(0);
  }

  Value packedRounded(kernel::PackOp pack) {
    if (Value result = known.lookup(pack->getResult(0)))
      return result;
    Value source = rounded(pack.getSource());
    OpBuilder b(pack);
    Value destination = emptyLike(b, pack.getLoc(), pack.getPacked());
    IRMapping mapping;
    mapping.map(pack.getSource(), source);
    mapping.map(pack.getPacked(), destination);
    Operation *copy = b.clone(*pack, mapping);
    copy->getResult(0).setType(destination.getType());
    cast<kernel::PackOp>(copy).setPairs(true);
    return known[pack->getResult(0)] = copy->getResult(0);
  }

  bool roundsF32;
  DenseMap<Value, Value> known;
};

/// With `--precision bf16` both operands of contractions are rounded to bf16;
/// sums stay f32, and so do results, which what follows may round again. So are
/// activations and packed weights half as large, and CPUs that add products of
/// bf16 in pairs do twice the work. Contractions of bf16 get the same panels.
///
/// ```mlir
/// %c = kernel.contract ins(%a, %p : tensor<8x32xf32>, tensor<1x2x32x16xf32>)
/// // becomes, %0 and %1 being rounded:
/// %c = kernel.contract ins(%0, %1 : tensor<8x32xbf16>, tensor<1x2x32x16xbf16>)
///     {pairs}
/// ```
struct LowerPrecisionPass
    : PassBase<LowerPrecisionPass, ModuleOp, kernel::KernelDialect,
               linalg::LinalgDialect, arith::ArithDialect,
               tensor::TensorDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerPrecisionPass)
  static constexpr StringLiteral kArgument = "lower-precision";
  static constexpr StringLiteral kSummary =
      "round the operands of contractions to the precision asked for";

  void runOnOperation() override {
    auto precision = getOperation()->getAttrOfType<StringAttr>(kPrecisionAttr);
    SmallVector<kernel::ContractOp> contractions;
    getOperation().walk(
        [&](kernel::ContractOp op) { contractions.push_back(op); });
    Rounder rounder(precision && precision.getValue() == "bf16");
    for (kernel::ContractOp op : contractions)
      rounder.round(op);
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createLowerPrecisionPass() {
  return std::make_unique<LowerPrecisionPass>();
}
} // namespace tenon
