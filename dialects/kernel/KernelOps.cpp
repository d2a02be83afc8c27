#include "dialects/kernel/Kernel.h"

#include "compiler/backend/cpu/Target.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::kernel;

#define GET_OP_CLASSES
#include "dialects/kernel/KernelOps.cpp.inc"

//===----------------------------------------------------------------------===//
// What contract and window share
//===----------------------------------------------------------------------===//

namespace {

bool sizesDiffer(int64_t a, int64_t b) {
  return ShapedType::isStatic(a) && ShapedType::isStatic(b) && a != b;
}

std::string describe(int64_t size) {
  return ShapedType::isDynamic(size) ? "?" : std::to_string(size);
}

LogicalResult expectSize(Operation *op, StringRef what, int64_t got,
                         int64_t want) {
  if (sizesDiffer(got, want))
    return op->emitOpError() << what << " must be " << want << ", not " << got;
  return success();
}

/// Panels have 16 columns, or 1 of a group that has no more.
LogicalResult expectPanelWidth(Operation *op, StringRef what, ShapedType panels,
                               int64_t columns) {
  int64_t got = panels.getShape().back();
  bool mayBeOne = ShapedType::isDynamic(columns) || columns == 1;
  return expectSize(op, what, got, got == 1 && mayBeOne ? 1 : kPanelWidth);
}

LogicalResult expectRank(Operation *op, StringRef what, ShapedType type,
                         int64_t rank) {
  if (type.getRank() != rank)
    return op->emitOpError()
           << what << " must have rank " << rank << ", not " << type.getRank();
  return success();
}

LogicalResult verifyGeometry(Operation *op, StringRef name,
                             ArrayRef<int64_t> values, int64_t count,
                             int64_t least) {
  if (static_cast<int64_t>(values.size()) != count)
    return op->emitOpError()
           << name << " needs " << count
           << " values, one per spatial dimension, not " << values.size();
  for (int64_t value : values)
    if (value < least)
      return op->emitOpError()
             << name << " must be at least " << least << ", not " << value;
  return success();
}

LogicalResult verifyPairs(Operation *op, bool pairs, Type element,
                          int64_t channels, int64_t width) {
  if (pairs && (!element.isBF16() || ShapedType::isDynamic(channels) ||
                channels % 2 != 0 || width != kPanelWidth))
    return op->emitOpError()
           << "pairs need an even number of channels of bf16 "
              "in panels of "
           << kPanelWidth << " columns, not " << describe(channels) << " of "
           << element << " in panels of " << width;
  return success();
}

LogicalResult verifyDestination(Operation *op, Value init,
                                ResultRange results) {
  bool onTensor = isa<RankedTensorType>(init.getType());
  if (results.size() != (onTensor ? 1 : 0))
    return op->emitOpError(onTensor ? "on tensors must have one result"
                                    : "on memrefs must have no result");
  if (onTensor && results[0].getType() != init.getType())
    return op->emitOpError()
           << "result type " << results[0].getType()
           << " differs from the destination's " << init.getType();
  for (Value operand : op->getOperands())
    if (isa<ShapedType>(operand.getType()) &&
        isa<RankedTensorType>(operand.getType()) != onTensor)
      return op->emitOpError("mixes tensors and memrefs");
  return success();
}

/// Body arguments, yielded type and epilogue maps.
LogicalResult verifyBody(Operation *op, Block &body, OperandRange epilogue,
                         ArrayAttr maps, ShapedType destination) {
  if (maps.size() != epilogue.size())
    return op->emitOpError()
           << "has " << epilogue.size() << " epilogue operands but "
           << maps.size() << " epilogue_maps";
  if (body.getNumArguments() != 1 + epilogue.size())
    return op->emitOpError() << "body needs " << 1 + epilogue.size()
                             << " arguments, not " << body.getNumArguments();
  for (auto [i, operand] : llvm::enumerate(epilogue)) {
    AffineMap map = cast<AffineMapAttr>(maps[i]).getValue();
    auto shaped = dyn_cast<ShapedType>(operand.getType());
    int64_t rank = shaped ? shaped.getRank() : 0;
    if (map.getNumDims() != destination.getRank() ||
        static_cast<int64_t>(map.getNumResults()) != rank ||
        !map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return op->emitOpError()
             << "epilogue map " << i << " must select " << rank
             << " distinct dimensions (or 0) out of " << destination.getRank();
    Type element = shaped ? shaped.getElementType() : operand.getType();
    if (body.getArgument(1 + i).getType() != element)
      return op->emitOpError()
             << "body argument " << 1 + i << " must be " << element << ", not "
             << body.getArgument(1 + i).getType();
    for (auto [r, expr] : llvm::enumerate(map.getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      int64_t want = dim ? destination.getDimSize(dim.getPosition()) : 1;
      if (sizesDiffer(shaped.getDimSize(r), want))
        return op->emitOpError()
               << "epilogue operand " << i << " has size "
               << shaped.getDimSize(r) << " where its map needs " << want;
    }
  }
  // Complex numbers are computed one by one, all others on vectors.
  bool onScalars = isa<ComplexType>(body.getArgument(0).getType());
  for (Operation &inner : body.without_terminator()) {
    bool fits = onScalars ? inner.hasTrait<OpTrait::Elementwise>()
                          : OpTrait::hasElementwiseMappableTraits(&inner);
    if (!fits && !inner.hasTrait<OpTrait::ConstantLike>())
      return op->emitOpError() << "body may hold elementwise ops only, not '"
                               << inner.getName() << "'";
  }
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield || yield.getValue().getType() != destination.getElementType())
    return op->emitOpError()
           << "body must yield one " << destination.getElementType();
  return success();
}

LogicalResult verifyAccumulator(Operation *op, Type element, Type accumulator) {
  Type want = ContractOp::getAccumulatorType(element);
  if (!want)
    return op->emitOpError()
           << "cannot compute with elements of type " << element;
  bool fits = want == accumulator;
  if (isa<IntegerType>(want))
    fits = accumulator.isSignlessInteger() &&
           accumulator.getIntOrFloatBitWidth() >= want.getIntOrFloatBitWidth();
  if (!fits)
    return op->emitOpError() << "accumulator of " << element << " must be "
                             << want << ", not " << accumulator;
  return success();
}

/// A body that passes its value on, rounded to `result`.
void buildIdentityBody(OpBuilder &builder, OperationState &state, Type element,
                       Type result) {
  OpBuilder::InsertionGuard guard(builder);
  Region *region = state.addRegion();
  Type accumulator = ContractOp::getAccumulatorType(element);
  if (isa<IntegerType>(result))
    accumulator = result;
  Block *block =
      builder.createBlock(region, {}, {accumulator}, {state.location});
  Value value = block->getArgument(0);
  if (value.getType() != result)
    value = arith::TruncFOp::create(builder, state.location, result, value);
  YieldOp::create(builder, state.location, value);
}

SmallVector<int64_t> orDefault(ArrayRef<int64_t> values, size_t count,
                               int64_t value) {
  return values.empty() ? SmallVector<int64_t>(count, value)
                        : SmallVector<int64_t>(values);
}

void addDestination(OperationState &state, Value init) {
  if (auto tensor = dyn_cast<RankedTensorType>(init.getType()))
    state.addTypes(tensor);
}

} // namespace

//===----------------------------------------------------------------------===//
// ContractOp
//===----------------------------------------------------------------------===//

Type ContractOp::getAccumulatorType(Type element) {
  if (element.isF16() || element.isBF16())
    return Float32Type::get(element.getContext());
  if (element.isF32() || element.isF64())
    return element;
  if (auto integer = dyn_cast<IntegerType>(element))
    return integer.isSignless() && integer.getWidth() >= 8 &&
                   integer.getWidth() <= 64 &&
                   llvm::isPowerOf2_32(integer.getWidth())
               ? element
               : Type();
  if (auto complex = dyn_cast<ComplexType>(element))
    return complex.getElementType().isF32() || complex.getElementType().isF64()
               ? element
               : Type();
  return {};
}

ShapedType ContractOp::getAType() { return cast<ShapedType>(getA().getType()); }
ShapedType ContractOp::getBType() { return cast<ShapedType>(getB().getType()); }
ShapedType ContractOp::getCType() { return cast<ShapedType>(getC().getType()); }

int64_t ContractOp::getBatchRank() {
  return getCType().getRank() - 2 - getSpatialRank();
}

int64_t ContractOp::getADim(int64_t i) {
  return getAOrder().empty() ? i : getAOrder()[i];
}

int64_t ContractOp::getBChannelDim() {
  int64_t rank = getCType().getRank();
  return readsMatrix() ? getBOrder()[rank - 2] : rank;
}

AffineMap ContractOp::getEpilogueMap(unsigned i) {
  return cast<AffineMapAttr>(getEpilogueMaps()[i]).getValue();
}

void ContractOp::build(OpBuilder &builder, OperationState &state, Value a,
                       Value b, Value c, ArrayRef<int64_t> strides,
                       ArrayRef<int64_t> dilations, ArrayRef<int64_t> padding,
                       ArrayRef<int64_t> inputDilation, int64_t groups) {
  state.addOperands({a, b, c});
  addDestination(state, c);
  size_t spatial = std::max(
      {strides.size(), dilations.size(), padding.size(), inputDilation.size()});
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.strides =
      builder.getDenseI64ArrayAttr(orDefault(strides, spatial, 1));
  properties.dilations =
      builder.getDenseI64ArrayAttr(orDefault(dilations, spatial, 1));
  properties.padding =
      builder.getDenseI64ArrayAttr(orDefault(padding, spatial, 0));
  properties.input_dilation =
      builder.getDenseI64ArrayAttr(orDefault(inputDilation, spatial, 1));
  properties.groups = builder.getI64IntegerAttr(groups);
  properties.a_order = properties.b_order = builder.getDenseI64ArrayAttr({});
  properties.winograd = builder.getI64IntegerAttr(0);
  properties.epilogue_maps = builder.getAffineMapArrayAttr({});
  buildIdentityBody(builder, state, getElementTypeOrSelf(a.getType()),
                    getElementTypeOrSelf(c.getType()));
}

/// What kernel.contract's `winograd` asks for.
static LogicalResult verifyWinograd(ContractOp op) {
  int64_t tile = op.getWinograd();
  auto all = [](ArrayRef<int64_t> values, int64_t value) {
    return llvm::all_of(values, [&](int64_t v) { return v == value; });
  };
  ShapedType b = op.getBType();
  if ((tile != 2 && tile != 4) || op.getSpatialRank() != 2 ||
      op.getBatchRank() != 0 || op.getGroups() != 1 || op.getPairs() ||
      !all(op.getStrides(), 1) || !all(op.getDilations(), 1) ||
      !all(op.getInputDilation(), 1) || op.readsMatrix() ||
      !all(b.getShape().slice(2, 2), tile + 2) || b.isDynamicDim(4) ||
      b.getShape().back() != kPanelWidth ||
      !isa<Float32Type, Float64Type>(b.getElementType()))
    return op.emitOpError("winograd needs a plain convolution of images with a "
                          "transformed window of 3 by 3");
  return success();
}

LogicalResult ContractOp::verify() {
  if (failed(verifyDestination(*this, getC(), getResults())))
    return failure();
  ShapedType a = getAType(), b = getBType(), c = getCType();
  int64_t spatial = getSpatialRank(), rank = c.getRank();
  int64_t batch = rank - 2 - spatial;
  if (batch < 0)
    return emitOpError() << "c of rank " << rank << " is too small for "
                         << spatial << " spatial dimensions";
  if (failed(verifyGeometry(*this, "strides", getStrides(), spatial, 1)) ||
      failed(verifyGeometry(*this, "dilations", getDilations(), spatial, 1)) ||
      failed(verifyGeometry(*this, "padding", getPadding(), spatial,
                            std::numeric_limits<int32_t>::min())) ||
      failed(verifyGeometry(*this, "input_dilation", getInputDilation(),
                            spatial, 1)) ||
      failed(expectRank(*this, "a", a, rank)) ||
      failed(expectRank(*this, "b", b, readsMatrix() ? rank : rank + 2)))
    return failure();
  int64_t groups = getGroups();
  for (auto [name, order] :
       {std::pair("a_order", getAOrder()), std::pair("b_order", getBOrder())})
    if (!order.empty() &&
        (groups != 1 || static_cast<int64_t>(order.size()) != rank ||
         !isPermutationVector(order)))
      return emitOpError() << name << " must be a permutation of " << rank
                           << " dimensions, without groups";
  if (spatial != 0 && (readsMatrix() || !getAOrder().empty()) &&
      (!readsMatrix() || getAOrder().empty() || getPairs() ||
       getAOrder()[batch] != rank - 1 || getBOrder()[rank - 1] != rank - 1 ||
       llvm::any_of(getInputDilation(), [](int64_t d) { return d != 1; }) ||
       llvm::any_of(c.getShape().drop_front(batch), ShapedType::isDynamic) ||
       isa<ComplexType>(a.getElementType())))
    return emitOpError("with spatial dimensions reads operands where they lie "
                       "only if rows and columns are contiguous there");
  if (getWinograd() && failed(verifyWinograd(*this)))
    return failure();
  auto sizeOfA = [&](int64_t i) { return a.getDimSize(getADim(i)); };
  auto sizeOfB = [&](int64_t i) {
    return b.getDimSize(readsMatrix() ? getBOrder()[i] : i);
  };
  if (groups < 1)
    return emitOpError() << "groups must be at least 1, not " << groups;
  for (int64_t i = 0; i < batch; ++i) {
    if (sizeOfA(i) != 1 && failed(expectSize(*this, "batch size of a",
                                             sizeOfA(i), c.getDimSize(i))))
      return failure();
    if (sizeOfB(i) != 1 && failed(expectSize(*this, "batch size of b",
                                             sizeOfB(i), c.getDimSize(i))))
      return failure();
  }
  if (failed(
          expectSize(*this, "rows of a", sizeOfA(batch), c.getDimSize(batch))))
    return failure();
  int64_t columns = c.getShape().back();
  if (readsMatrix()
          ? failed(expectSize(*this, "columns of b", sizeOfB(rank - 1),
                              c.getDimSize(rank - 1)))
          : failed(expectSize(*this, "group dimension of b",
                              b.getDimSize(batch), groups)) ||
                failed(expectPanelWidth(*this, "last dimension of b", b,
                                        ShapedType::isDynamic(columns)
                                            ? columns
                                            : columns / groups)))
    return failure();
  int64_t channels = b.getDimSize(getBChannelDim()), inputs = sizeOfA(rank - 1);
  if (ShapedType::isStatic(channels) && ShapedType::isStatic(inputs) &&
      inputs != groups * channels)
    return emitOpError() << "a has " << inputs << " channels, b " << groups
                         << " groups of " << channels;
  if (failed(verifyPairs(*this, getPairs(), b.getElementType(), channels,
                         readsMatrix() ? kPanelWidth : b.getShape().back())))
    return failure();
  if (ShapedType::isStatic(columns)) {
    if (columns % groups)
      return emitOpError() << "c has " << columns << " channels, which "
                           << groups << " groups do not divide";
    if (!readsMatrix() &&
        failed(expectSize(*this, "panels of b", b.getDimSize(batch + 1),
                          llvm::divideCeil(columns / groups, kPanelWidth))))
      return failure();
  }
  if (a.getElementType() != b.getElementType())
    return emitOpError() << "a holds " << a.getElementType() << ", b "
                         << b.getElementType();
  Block &body = getBody().front();
  if (failed(verifyBody(*this, body, getEpilogue(), getEpilogueMaps(), c)))
    return failure();
  return verifyAccumulator(*this, a.getElementType(),
                           body.getArgument(0).getType());
}

//===----------------------------------------------------------------------===//
// PackOp
//===----------------------------------------------------------------------===//

ShapedType PackOp::getSourceType() {
  return cast<ShapedType>(getSource().getType());
}
ShapedType PackOp::getPackedType() {
  return cast<ShapedType>(getPacked().getType());
}

SmallVector<int64_t> PackOp::getPackedShape(ArrayRef<int64_t> shape,
                                            int64_t spatial, int64_t groups,
                                            bool transposeB) {
  int64_t rank = shape.size(), batch = rank - 2 - spatial;
  int64_t channels = shape[transposeB ? rank - 1 : rank - 2];
  int64_t columns = shape[transposeB ? rank - 2 : rank - 1];
  int64_t width = kPanelWidth, panels = columns;
  if (ShapedType::isStatic(columns)) {
    width = getPanelWidth(columns / groups);
    panels = llvm::divideCeil(columns / groups, width);
  }
  SmallVector<int64_t> result(shape.take_front(batch));
  result.append({groups, panels});
  llvm::append_range(result, shape.slice(batch, spatial));
  result.push_back(channels);
  result.push_back(width);
  return result;
}

SmallVector<OpFoldResult>
PackOp::getPackedSizes(OpBuilder &builder, Location loc, Value source,
                       int64_t spatial, int64_t groups, bool transposeB) {
  auto type = cast<ShapedType>(source.getType());
  SmallVector<OpFoldResult> sizes =
      isa<RankedTensorType>(type) ? tensor::getMixedSizes(builder, loc, source)
                                  : memref::getMixedSizes(builder, loc, source);
  int64_t rank = type.getRank(), batch = rank - 2 - spatial;
  OpFoldResult columns = sizes[transposeB ? rank - 2 : rank - 1];
  std::optional<int64_t> known = getConstantIntValue(columns);
  int64_t width = known ? getPanelWidth(*known / groups) : kPanelWidth;
  AffineExpr perPanel =
      builder.getAffineSymbolExpr(0).floorDiv(groups).ceilDiv(width);
  SmallVector<OpFoldResult> result(ArrayRef(sizes).take_front(batch));
  result.push_back(builder.getIndexAttr(groups));
  result.push_back(affine::makeComposedFoldedAffineApply(
      builder, loc, AffineMap::get(0, 1, perPanel), {columns}));
  llvm::append_range(result, ArrayRef(sizes).slice(batch, spatial));
  result.push_back(sizes[transposeB ? rank - 1 : rank - 2]);
  result.push_back(builder.getIndexAttr(width));
  return result;
}

LogicalResult PackOp::verify() {
  if (failed(verifyDestination(*this, getPacked(), getResults())))
    return failure();
  ShapedType source = getSourceType(), packed = getPackedType();
  int64_t spatial = getSpatial(), groups = getGroups();
  if (spatial < 0 || source.getRank() < spatial + 2)
    return emitOpError() << "source of rank " << source.getRank()
                         << " is too small for " << spatial
                         << " window dimensions";
  if (groups < 1)
    return emitOpError() << "groups must be at least 1, not " << groups;
  int64_t columns =
      source.getShape()[source.getRank() - (getTransposeB() ? 2 : 1)];
  if (ShapedType::isStatic(columns) && columns % groups)
    return emitOpError() << "source has " << columns << " columns, which "
                         << groups << " groups do not divide";
  SmallVector<int64_t> want =
      getPackedShape(source.getShape(), spatial, groups, getTransposeB());
  if (failed(expectRank(*this, "packed", packed, want.size())))
    return failure();
  for (auto [i, size] : llvm::enumerate(ArrayRef(want).drop_back()))
    if (sizesDiffer(size, packed.getDimSize(i)))
      return emitOpError() << "dimension " << i << " of packed must be "
                           << describe(size) << ", not "
                           << packed.getDimSize(i);
  if (failed(expectPanelWidth(
          *this, "last dimension of packed", packed,
          ShapedType::isDynamic(columns) ? columns : columns / groups)))
    return failure();
  if (failed(verifyPairs(*this, getPairs(), packed.getElementType(),
                         packed.getDimSize(packed.getRank() - 2),
                         packed.getShape().back())))
    return failure();
  if (source.getElementType() != packed.getElementType())
    return emitOpError() << "source holds " << source.getElementType()
                         << ", packed " << packed.getElementType();
  return success();
}

//===----------------------------------------------------------------------===//
// WindowOp
//===----------------------------------------------------------------------===//

ShapedType WindowOp::getXType() { return cast<ShapedType>(getX().getType()); }
ShapedType WindowOp::getYType() { return cast<ShapedType>(getY().getType()); }

AffineMap WindowOp::getEpilogueMap(unsigned i) {
  return cast<AffineMapAttr>(getEpilogueMaps()[i]).getValue();
}

void WindowOp::build(OpBuilder &builder, OperationState &state, WindowKind kind,
                     Value x, Value w, Value y, ArrayRef<int64_t> window,
                     ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
                     ArrayRef<int64_t> padding) {
  state.addOperands(x);
  if (w)
    state.addOperands(w);
  state.addOperands(y);
  addDestination(state, y);
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.kind = WindowKindAttr::get(builder.getContext(), kind);
  properties.window = builder.getDenseI64ArrayAttr(window);
  properties.strides = builder.getDenseI64ArrayAttr(strides);
  properties.dilations = builder.getDenseI64ArrayAttr(dilations);
  properties.padding = builder.getDenseI64ArrayAttr(padding);
  properties.epilogue_maps = builder.getAffineMapArrayAttr({});
  properties.operandSegmentSizes = {1, w ? 1 : 0, 0, 1};
  buildIdentityBody(builder, state, getElementTypeOrSelf(x.getType()),
                    getElementTypeOrSelf(y.getType()));
}

LogicalResult WindowOp::verify() {
  if (failed(verifyDestination(*this, getY(), getResults())))
    return failure();
  ShapedType x = getXType(), y = getYType();
  int64_t spatial = getSpatialRank();
  if (failed(expectRank(*this, "x", x, spatial + 2)) ||
      failed(expectRank(*this, "y", y, spatial + 2)) ||
      failed(verifyGeometry(*this, "window", getWindow(), spatial, 1)) ||
      failed(verifyGeometry(*this, "strides", getStrides(), spatial, 1)) ||
      failed(verifyGeometry(*this, "dilations", getDilations(), spatial, 1)) ||
      failed(verifyGeometry(*this, "padding", getPadding(), spatial,
                            std::numeric_limits<int32_t>::min())) ||
      failed(expectSize(*this, "batch size of x", x.getDimSize(0),
                        y.getDimSize(0))))
    return failure();
  int64_t channels = x.getShape().back(), outputs = y.getShape().back();
  bool depthwise = getKind() == WindowKind::Depthwise;
  if (depthwise != static_cast<bool>(getW()))
    return emitOpError(depthwise ? "depthwise needs weights"
                                 : "only depthwise has weights");
  if (depthwise) {
    auto w = cast<ShapedType>(getW().getType());
    if (failed(expectRank(*this, "w", w, spatial + 2)) ||
        failed(expectSize(*this, "channels of w", w.getDimSize(spatial),
                          channels)))
      return failure();
    for (int64_t i = 0; i < spatial; ++i)
      if (failed(expectSize(*this, "window size of w", w.getDimSize(i),
                            getWindow()[i])))
        return failure();
    int64_t multiplier = w.getShape().back();
    if (ShapedType::isStatic(multiplier) && ShapedType::isStatic(channels) &&
        failed(
            expectSize(*this, "channels of y", outputs, channels * multiplier)))
      return failure();
    if (w.getElementType() != x.getElementType())
      return emitOpError() << "x holds " << x.getElementType() << ", w "
                           << w.getElementType();
  } else if (failed(expectSize(*this, "channels of y", outputs, channels))) {
    return failure();
  }
  Block &body = getBody().front();
  if (failed(verifyBody(*this, body, getEpilogue(), getEpilogueMaps(), y)))
    return failure();
  Type accumulator = body.getArgument(0).getType();
  if (getKind() == WindowKind::Max) {
    if (!x.getElementType().isIntOrFloat())
      return emitOpError() << "cannot order elements of type "
                           << x.getElementType();
    if (x.getElementType().isInteger() && accumulator != x.getElementType())
      return emitOpError() << "accumulator of max must be "
                           << x.getElementType() << ", not " << accumulator;
  }
  return verifyAccumulator(*this, x.getElementType(), accumulator);
}
