#include "compiler/Pass.h"
#include "compiler/backend/cpu/Target.h"
#include "compiler/lowering/FoldPacks.h"
#include "compiler/lowering/Winograd.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace tenon;

/// The product of x - root over the roots but one: its coefficients, and its
/// value at that one.
static SmallVector<double> polynomial(ArrayRef<double> roots, size_t but,
                                      double &value) {
  SmallVector<double> result{1};
  value = 1;
  for (auto [i, root] : llvm::enumerate(roots)) {
    if (i == but)
      continue;
    result.insert(result.begin(), 0);
    for (size_t k = 0; k + 1 < result.size(); ++k)
      result[k] -= root * result[k + 1];
    if (but < roots.size())
      value *= roots[but] - root;
  }
  return result;
}

/// Polynomials are multiplied by their values at `places` and at infinity.
static Winograd build(ArrayRef<double> places) {
  constexpr size_t window = 3;
  size_t side = places.size() + 1, tile = side + 1 - window;
  Winograd result;
  result.output.assign(tile, SmallVector<double>(side));
  for (size_t i = 0; i < side; ++i) {
    double divisor;
    result.input.push_back(polynomial(places, i, divisor));
    result.input.back().resize(side);
    SmallVector<double> filter(window);
    for (size_t k = 0; k < window; ++k)
      filter[k] = i + 1 < side ? std::pow(places[i], k) / divisor
                               : double(k + 1 == window);
    result.filter.push_back(filter);
    for (size_t k = 0; k < tile; ++k)
      result.output[k][i] =
          i + 1 < side ? std::pow(places[i], k) : double(k + 1 == tile);
  }
  return result;
}

const Winograd &Winograd::get(int64_t tile) {
  static const Winograd two = build({0, 1, -1});
  // Errors are a quarter of those of 1 and 2, and all numbers are exact.
  static const Winograd four = build({0, .75, -.75, 1.5, -1.5});
  return tile == 2 ? two : four;
}

namespace {

constexpr int64_t kWindow = 3;
/// Rows that a register tile has at least, for its products to be worth it.
constexpr int64_t kFewestRows = 6;

/// Rough times in products of vectors, of all places of an image.
struct Cost {
  int64_t height, width, channels, columns;

  int64_t direct() const {
    return height * width * kWindow * kWindow * channels * columns / 16;
  }
  /// Products, the transforms of input and sums, and filters that come from far
  /// away.
  int64_t winograd(int64_t tile) const {
    int64_t tiles =
        llvm::divideCeil(height, tile) * llvm::divideCeil(width, tile);
    int64_t points = (tile + 2) * (tile + 2);
    return points *
           (tiles * channels * columns / 16 +
            tiles * (channels + 2 * columns) / 4 + channels * columns / 2);
  }
};

class Applier {
public:
  void apply(kernel::ContractOp op) {
    auto pack = op.getB().getDefiningOp<kernel::PackOp>();
    int64_t tile = pack ? chooseTile(op, pack) : 0;
    if (tile == 0)
      return;
    OpBuilder b(pack);
    Location loc = pack.getLoc();
    Value filter = transformed(b, pack, tile);
    Type element = op.getAType().getElementType();
    Value destination =
        tensor::EmptyOp::create(b, loc,
                                kernel::PackOp::getPackedSizes(
                                    b, loc, filter, 2, 1, pack.getTransposeB()),
                                element);
    auto panels = kernel::PackOp::create(
        b, loc, TypeRange{destination.getType()}, filter, destination,
        /*spatial=*/2, /*groups=*/1, pack.getTransposeB(), /*reverse=*/false,
        /*pairs=*/false);
    op.getBMutable().assign(panels->getResult(0));
    op.setWinograd(tile);
    if (pack->use_empty())
      pack.erase();
  }

private:
  static int64_t chooseTile(kernel::ContractOp op, kernel::PackOp pack) {
    auto all = [](ArrayRef<int64_t> values, int64_t value) {
      return llvm::all_of(values, [&](int64_t v) { return v == value; });
    };
    auto source = dyn_cast<RankedTensorType>(pack.getSource().getType());
    if (!source || !source.hasStaticShape() || !source.getElementType().isF32())
      return 0;
    ArrayRef<int64_t> shape = source.getShape();
    if (op.getSpatialRank() != 2 || op.getBatchRank() != 0 ||
        op.getGroups() != 1 || !op.getAOrder().empty() || op.getPairs() ||
        !all(op.getStrides(), 1) || !all(op.getDilations(), 1) ||
        !all(op.getInputDilation(), 1) || shape[0] != kWindow ||
        shape[1] != kWindow)
      return 0;
    int64_t channels = shape[pack.getTransposeB() ? 3 : 2],
            columns = shape[pack.getTransposeB() ? 2 : 3];
    if (channels == 0 || channels % kPanelWidth || columns < kPanelWidth)
      return 0;
    // Unknown sizes are taken for large ones.
    auto sizeOr = [&](int64_t dim, int64_t otherwise) {
      int64_t size = op.getCType().getDimSize(dim);
      return ShapedType::isDynamic(size) ? otherwise : size;
    };
    Cost cost{sizeOr(0, 1) * sizeOr(1, 64), sizeOr(2, 64), channels, columns};
    int64_t best = 0, least = cost.direct() * 4 / 5;
    for (int64_t tile : {2, 4}) {
      int64_t bytes =
          (tile + 2) * (tile + 2) * kFewestRows * (channels + 64) * 4;
      if (bytes <= kWinogradBytes && cost.winograd(tile) < least) {
        best = tile;
        least = cost.winograd(tile);
      }
    }
    return best;
  }

  /// Which number of the filter, transformed, takes how much of which number of
  /// the filter.
  static SmallVector<float> weightsOf(kernel::PackOp pack, int64_t tile) {
    const WinogradMatrix &matrix = Winograd::get(tile).filter;
    SmallVector<float> result;
    for (const SmallVector<double> &row : matrix)
      for (const SmallVector<double> &column : matrix)
        for (int64_t k = 0; k < kWindow * kWindow; ++k) {
          int64_t at = pack.getReverse() ? kWindow * kWindow - 1 - k : k;
          result.push_back(
              static_cast<float>(row[at / kWindow] * column[at % kWindow]));
        }
    return result;
  }

  Value transformed(OpBuilder &b, kernel::PackOp pack, int64_t tile) {
    Location loc = pack.getLoc();
    Value source = pack.getSource();
    auto type = cast<RankedTensorType>(source.getType());
    Value &known = filters[{source, 2 * tile + pack.getReverse()}];
    if (known)
      return known;
    int64_t points = tile + 2, each = type.getDimSize(2) * type.getDimSize(3);
    SmallVector<float> weights = weightsOf(pack, tile);
    auto result = RankedTensorType::get(
        {points, points, type.getDimSize(2), type.getDimSize(3)},
        type.getElementType());
    if (ElementsAttr constant = constantOf(source)) {
      b.setInsertionPointAfterValue(source);
      return known = arith::ConstantOp::create(
                 b, loc, result, computed(constant, weights, each, result));
    }
    b.setInsertionPointAfterValue(source);
    Value matrix = arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(
            RankedTensorType::get({points * points, kWindow * kWindow},
                                  type.getElementType()),
            ArrayRef(weights)));
    SmallVector<ReassociationIndices> pairs{{0, 1}, {2, 3}};
    Value rows = tensor::CollapseShapeOp::create(b, loc, source, pairs);
    Value init = tensor::EmptyOp::create(b, loc, {points * points, each},
                                         type.getElementType());
    auto product = kernel::ContractOp::create(b, loc, matrix, rows, init);
    product.setBOrder({0, 1});
    return known = tensor::ExpandShapeOp::create(b, loc, result,
                                                 product->getResult(0), pairs);
  }

  static TypedAttr computed(ElementsAttr source, ArrayRef<float> weights,
                            int64_t each, RankedTensorType type) {
    auto resource = dyn_cast<DenseResourceElementsAttr>(source);
    ArrayRef<char> bytes = resource
                               ? resource.getData()
                               : cast<DenseElementsAttr>(source).getRawData();
    bool isSplat = bytes.size() == sizeof(float);
    auto number = [&](int64_t i) {
      float value;
      std::memcpy(&value, bytes.data() + (isSplat ? 0 : i) * sizeof(float),
                  sizeof(float));
      return double(value);
    };
    AsmResourceBlob blob = HeapAsmResourceBlob::allocate(
        type.getNumElements() * sizeof(float), /*align=*/64);
    auto *to = reinterpret_cast<float *>(blob.getMutableData().data());
    int64_t points = weights.size() / (kWindow * kWindow);
    for (int64_t p = 0; p < points; ++p)
      for (int64_t i = 0; i < each; ++i) {
        double sum = 0;
        for (int64_t k = 0; k < kWindow * kWindow; ++k)
          sum +=
              double(weights[p * kWindow * kWindow + k]) * number(k * each + i);
        to[p * each + i] = static_cast<float>(sum);
      }
    return DenseResourceElementsAttr::get(type, "winograd", std::move(blob));
  }

  /// Transformed, by what they were, the tile and whether they are reversed.
  DenseMap<std::pair<Value, int64_t>, Value> filters;
};

/// With `--fast-math`, convolutions of 3 by 3 that are large enough are
/// computed from transformed filters, with less than half of the products.
/// Constant filters are transformed now.
///
/// ```mlir
/// %p = kernel.pack ins(%w : tensor<3x3x64x64xf32>) ... {spatial = 2 : i64}
/// %c = kernel.contract ins(%x, %p : ...) ...
/// // becomes, %u being %w transformed:
/// %p = kernel.pack ins(%u : tensor<6x6x64x64xf32>) ... {spatial = 2 : i64}
/// %c = kernel.contract ins(%x, %p : ...) ... attributes {winograd = 4 : i64}
/// ```
struct ApplyWinogradPass
    : PassBase<ApplyWinogradPass, ModuleOp, kernel::KernelDialect,
               arith::ArithDialect, tensor::TensorDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ApplyWinogradPass)
  static constexpr StringLiteral kArgument = "apply-winograd";
  static constexpr StringLiteral kSummary =
      "compute convolutions of 3 by 3 with fewer products where that is "
      "allowed";

  void runOnOperation() override {
    if (!getOperation()->hasAttr(kFastMathAttr))
      return;
    SmallVector<kernel::ContractOp> contractions;
    getOperation().walk(
        [&](kernel::ContractOp op) { contractions.push_back(op); });
    Applier applier;
    for (kernel::ContractOp op : contractions)
      applier.apply(op);
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createApplyWinogradPass() {
  return std::make_unique<ApplyWinogradPass>();
}
} // namespace tenon
