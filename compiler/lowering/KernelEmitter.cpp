#include "compiler/lowering/KernelEmitter.h"

#include "dialects/kernel/Kernel.h"

#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace tenon {

Type getStorageType(Type element) {
  return element.isInteger(1) ? IntegerType::get(element.getContext(), 8)
                              : element;
}

unsigned getAccumulatorBits(Type accumulator) {
  if (auto complex = dyn_cast<ComplexType>(accumulator))
    return 2 * complex.getElementType().getIntOrFloatBitWidth();
  return accumulator.getIntOrFloatBitWidth();
}

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

Value KernelEmitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

static std::optional<int64_t> known(Value value) {
  return getConstantIntValue(value);
}

Value KernelEmitter::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(loc, x, y);
}

Value KernelEmitter::sub(Value x, Value y) {
  return b.createOrFold<arith::SubIOp>(loc, x, y);
}

Value KernelEmitter::mul(Value x, Value y) {
  return b.createOrFold<arith::MulIOp>(loc, x, y);
}

Value KernelEmitter::div(Value x, Value y) {
  return known(y) == 1 ? x : b.createOrFold<arith::DivUIOp>(loc, x, y);
}

Value KernelEmitter::rem(Value x, Value y) {
  return known(y) == 1 ? index(0) : b.createOrFold<arith::RemUIOp>(loc, x, y);
}

Value KernelEmitter::ceilDiv(Value x, int64_t y) {
  return div(add(x, y - 1), index(y));
}

Value KernelEmitter::min(Value x, Value y) {
  return b.createOrFold<arith::MinSIOp>(loc, x, y);
}

Value KernelEmitter::max(Value x, Value y) {
  return b.createOrFold<arith::MaxSIOp>(loc, x, y);
}

Value KernelEmitter::less(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, x, y);
}

Value KernelEmitter::lessUnsigned(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ult, x, y);
}

Value KernelEmitter::equal(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, x, y);
}

Value KernelEmitter::both(Value x, Value y) {
  return x ? b.createOrFold<arith::AndIOp>(loc, x, y) : y;
}

Value KernelEmitter::select(Value condition, Value x, Value y) {
  return b.createOrFold<arith::SelectOp>(loc, condition, x, y);
}

Value KernelEmitter::product(ValueRange values) {
  Value result = index(1);
  for (Value value : values)
    result = mul(result, value);
  return result;
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void KernelEmitter::loop(Value from, Value to, int64_t step, Body body) {
  loop(from, to, step, {}, [&](Value iv, ValueRange) {
    body(iv);
    return SmallVector<Value>();
  });
}

SmallVector<Value> KernelEmitter::loop(Value from, Value to, int64_t step,
                                       ValueRange init, SumBody body) {
  std::optional<int64_t> first = known(from), last = known(to);
  if (first && last && *first >= *last)
    return SmallVector<Value>(init);
  if (first && last && *first + step >= *last)
    return body(from, init);
  auto loop = scf::ForOp::create(b, loc, from, to, index(step), init);
  if (keepsLoopsScalar || isRolled) {
    MLIRContext *context = b.getContext();
    auto yes = b.getBoolAttr(true);
    auto notVectorized = LLVM::LoopVectorizeAttr::get(context, /*disable=*/yes,
                                                      {}, {}, {}, {}, {}, {});
    LLVM::LoopUnrollAttr notUnrolled;
    if (isRolled)
      notUnrolled = LLVM::LoopUnrollAttr::get(context, /*disable=*/yes, {}, {},
                                              {}, {}, {}, {});
    loop->setAttr("loop_annotation",
                  LLVM::LoopAnnotationAttr::get(context, {}, notVectorized, {},
                                                notUnrolled, {}, {}, {}, {}, {},
                                                {}, {}, {}, {}, {}, {}));
  }
  OpBuilder::InsertionGuard guard(b);
  // Without carried values the builder has already put in a terminator.
  if (init.empty())
    loop.getBody()->getTerminator()->erase();
  b.setInsertionPointToEnd(loop.getBody());
  SmallVector<Value> carried =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(b, loc, carried);
  return SmallVector<Value>(loop.getResults());
}

void KernelEmitter::rolledLoop(Value from, Value to, int64_t step, Body body) {
  rolledLoop(from, to, step, {}, [&](Value iv, ValueRange) {
    body(iv);
    return SmallVector<Value>();
  });
}

SmallVector<Value> KernelEmitter::rolledLoop(Value from, Value to, int64_t step,
                                             ValueRange init, SumBody body) {
  llvm::SaveAndRestore outer(isRolled, true);
  return loop(from, to, step, init, [&](Value iv, ValueRange carried) {
    llvm::SaveAndRestore inner(isRolled, false);
    return body(iv, carried);
  });
}

void KernelEmitter::branch(Value condition, llvm::function_ref<void()> then,
                           llvm::function_ref<void()> otherwise) {
  if (std::optional<int64_t> value = known(condition)) {
    if (*value)
      then();
    else if (otherwise)
      otherwise();
    return;
  }
  auto branch =
      scf::IfOp::create(b, loc, condition, static_cast<bool>(otherwise));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  then();
  if (otherwise) {
    b.setInsertionPointToStart(branch.elseBlock());
    otherwise();
  }
}

void KernelEmitter::choose(Value value, ArrayRef<int64_t> cases,
                           llvm::function_ref<void(int64_t)> body) {
  if (cases.size() == 1)
    return body(cases.front());
  if (std::optional<int64_t> one = known(value))
    return body(*one);
  auto choice = scf::IndexSwitchOp::create(b, loc, TypeRange(), value,
                                           cases.drop_back(), cases.size() - 1);
  OpBuilder::InsertionGuard guard(b);
  auto fill = [&](Region &region, int64_t which) {
    b.createBlock(&region);
    body(which);
    scf::YieldOp::create(b, loc);
  };
  for (auto [region, which] : llvm::zip(choice.getCaseRegions(), cases))
    fill(region, which);
  fill(choice.getDefaultRegion(), cases.back());
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static Type pointerType(OpBuilder &b) {
  return LLVM::LLVMPointerType::get(b.getContext());
}

static Value pointerOf(OpBuilder &b, Location loc, Value memref) {
  Value address =
      memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memref);
  address = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
  return LLVM::IntToPtrOp::create(b, loc, pointerType(b), address);
}

Buffer KernelEmitter::open(Value memref) {
  Buffer buffer;
  auto type = cast<MemRefType>(memref.getType());
  buffer.type = type;
  buffer.element = type.getElementType();
  buffer.pointer = pointerOf(b, loc, memref);
  auto [strides, offset] = type.getStridesAndOffset();
  memref::ExtractStridedMetadataOp metadata;
  if (!type.hasStaticShape() || ShapedType::isDynamic(offset) ||
      llvm::any_of(strides, ShapedType::isDynamic))
    metadata = memref::ExtractStridedMetadataOp::create(b, loc, memref);
  for (int64_t i = 0; i < type.getRank(); ++i) {
    buffer.sizes.push_back(type.isDynamicDim(i) ? metadata.getSizes()[i]
                                                : index(type.getDimSize(i)));
    buffer.strides.push_back(ShapedType::isDynamic(strides[i])
                                 ? metadata.getStrides()[i]
                                 : index(strides[i]));
  }
  Value start =
      ShapedType::isDynamic(offset) ? metadata.getOffset() : index(offset);
  buffer.pointer = at(buffer.pointer, buffer.element, start);
  return buffer;
}

bool Buffer::isCollapsible(int64_t first, int64_t last) const {
  if (type.getLayout().isIdentity())
    return true;
  SmallVector<int64_t> steps;
  int64_t offset;
  if (failed(type.getStridesAndOffset(steps, offset)))
    return false;
  for (int64_t i = last; i > first; --i) {
    // Where there is one position only its stride says nothing.
    if (type.getDimSize(i - 1) == 1)
      continue;
    if (ShapedType::isDynamic(steps[i]) ||
        ShapedType::isDynamic(steps[i - 1]) || type.isDynamicDim(i) ||
        steps[i - 1] != steps[i] * type.getDimSize(i))
      return false;
  }
  return true;
}

Buffer Buffer::permuted(ArrayRef<int64_t> order) const {
  Buffer result(*this);
  SmallVector<int64_t> shape;
  for (auto [i, dim] : llvm::enumerate(order)) {
    shape.push_back(type.getDimSize(dim));
    result.sizes[i] = sizes[dim];
    result.strides[i] = strides[dim];
  }
  result.type = MemRefType::get(shape, element);
  return result;
}

SmallVector<Value> KernelEmitter::delinearize(Value linear, ValueRange sizes) {
  SmallVector<Value> result(sizes.size());
  for (size_t i = sizes.size(); i-- > 0;) {
    result[i] = i == 0 ? linear : rem(linear, sizes[i]);
    linear = i == 0 ? linear : div(linear, sizes[i]);
  }
  return result;
}

Value KernelEmitter::stackMemory(Type element, int64_t count) {
  // In the entry block, so that loops do not grow the stack.
  auto function = b.getInsertionBlock()
                      ->getParentOp()
                      ->getParentOfType<FunctionOpInterface>();
  if (auto self =
          dyn_cast<FunctionOpInterface>(b.getInsertionBlock()->getParentOp()))
    function = self;
  b.setInsertionPointToStart(&function.getFunctionBody().front());
  return memref::AllocaOp::create(b, loc, MemRefType::get({count}, element),
                                  b.getI64IntegerAttr(64));
}

Value KernelEmitter::stackScratch(Type element, int64_t count) {
  OpBuilder::InsertionGuard guard(b);
  Value memory = stackMemory(element, count);
  return pointerOf(b, loc, memory);
}

Value KernelEmitter::stackZeros(Type element, int64_t count) {
  OpBuilder::InsertionGuard guard(b);
  Type bytes = b.getI8Type();
  int64_t size = count * std::max(1u, getAccumulatorBits(element) / 8);
  Value pointer = pointerOf(b, loc, stackMemory(bytes, size));
  LLVM::MemsetOp::create(
      b, loc, pointer, LLVM::ConstantOp::create(b, loc, bytes, 0),
      LLVM::ConstantOp::create(b, loc, b.getI64Type(), size), false);
  // LLVM must not see what the pointer is: it would turn every choice between
  // zeros and real memory into branches around the loads.
  Value one = LLVM::ConstantOp::create(b, loc, b.getI64Type(), 1);
  Value slot =
      LLVM::AllocaOp::create(b, loc, pointer.getType(), pointer.getType(), one);
  LLVM::StoreOp::create(b, loc, pointer, slot);
  return LLVM::LoadOp::create(b, loc, pointer.getType(), slot, /*alignment=*/0,
                              /*isVolatile=*/true);
}

/// Complex numbers lie in memory as two of their parts.
static std::pair<Type, int64_t> unitOf(Type element) {
  if (auto complex = dyn_cast<ComplexType>(element))
    return {complex.getElementType(), 2};
  return {getStorageType(element), 1};
}

Value KernelEmitter::at(Value pointer, Type element, Value offset) {
  auto [unit, count] = unitOf(element);
  if (std::optional<int64_t> value = known(offset)) {
    if (*value == 0)
      return pointer;
    // Constants fit the op's own 32 bits nearly always.
    if (llvm::isInt<32>(*value * count))
      return LLVM::GEPOp::create(
          b, loc, pointer.getType(), unit, pointer,
          ArrayRef<LLVM::GEPArg>(static_cast<int32_t>(*value * count)));
  }
  Value scaled =
      arith::IndexCastOp::create(b, loc, b.getI64Type(), mul(offset, count));
  return LLVM::GEPOp::create(b, loc, pointer.getType(), unit, pointer,
                             ArrayRef<LLVM::GEPArg>(scaled));
}

Type KernelEmitter::lanesOf(Type type, int64_t lanes) {
  return lanes == 1 ? type : VectorType::get({lanes}, type);
}

static int64_t lanesIn(Value value) {
  auto vector = dyn_cast<VectorType>(value.getType());
  return vector ? vector.getNumElements() : 1;
}

static unsigned alignmentOf(Type unit) {
  return std::max(1u, unit.getIntOrFloatBitWidth() / 8);
}

/// The type that loads and stores use. Half floats move as their bits: not
/// every CPU has instructions for them, and LLVM then converts even constants
/// by calls.
static Type getMovedType(OpBuilder &b, Type element) {
  return element.isF16() || element.isBF16() ? b.getI16Type()
                                             : getStorageType(element);
}

/// Back from memory's type.
static Value fromStorage(KernelEmitter &e, Value value, Type element,
                         int64_t lanes) {
  Type type = KernelEmitter::lanesOf(element, lanes);
  if (value.getType() == type)
    return value;
  if (element.isInteger(1))
    return arith::TruncIOp::create(e.b, e.loc, type, value);
  return arith::BitcastOp::create(e.b, e.loc, type, value);
}

Value KernelEmitter::load(Value pointer, Type element, int64_t lanes,
                          Value mask) {
  auto [unit, count] = unitOf(element);
  unsigned alignment = alignmentOf(unit);
  if (count == 2) {
    Value parts[2];
    for (int i : {0, 1})
      parts[i] = LLVM::LoadOp::create(b, loc, unit, at(pointer, unit, index(i)),
                                      alignment);
    return complex::CreateOp::create(b, loc, element, parts[0], parts[1]);
  }
  unit = getMovedType(b, element);
  Type type = lanesOf(unit, lanes);
  Value value =
      mask ? LLVM::MaskedLoadOp::create(b, loc, type, pointer, mask,
                                        zero(unit, lanes), alignment)
                 .getResult()
           : LLVM::LoadOp::create(b, loc, type, pointer, alignment).getResult();
  return fromStorage(*this, value, element, lanes);
}

/// Places that are `stride` numbers of type `unit` apart.
static Value lanePointers(KernelEmitter &e, Value pointer, Type unit,
                          int64_t lanes, Value stride) {
  OpBuilder &b = e.b;
  auto indices = VectorType::get({lanes}, b.getI64Type());
  auto steps = llvm::to_vector(llvm::seq<int64_t>(0, lanes));
  Value offsets = arith::ConstantOp::create(
      b, e.loc, DenseElementsAttr::get(indices, ArrayRef(steps)));
  Value step = arith::IndexCastOp::create(b, e.loc, b.getI64Type(), stride);
  offsets = arith::MulIOp::create(b, e.loc, offsets, e.splat(step, lanes));
  return LLVM::GEPOp::create(b, e.loc, VectorType::get({lanes}, pointerType(b)),
                             unit, pointer, ArrayRef<LLVM::GEPArg>(offsets));
}

Value KernelEmitter::gather(Value pointer, Type element, int64_t lanes,
                            Value stride, Value mask) {
  Type unit = getMovedType(b, element);
  if (!mask)
    mask = constant(b.getBoolAttr(true), lanes);
  Value value = LLVM::masked_gather::create(
      b, loc, lanesOf(unit, lanes),
      lanePointers(*this, pointer, unit, lanes, stride), mask,
      zero(unit, lanes), alignmentOf(unit));
  return fromStorage(*this, value, element, lanes);
}

/// Whether a constant mask has the first lane alone.
static bool isFirstLane(Value mask) {
  DenseElementsAttr bits;
  if (!matchPattern(mask, m_Constant(&bits)))
    return false;
  auto lanes = bits.getValues<bool>();
  return *lanes.begin() && llvm::count(lanes, true) == 1;
}

/// A vector or number as the type that it moves as.
static Value toStorage(KernelEmitter &e, Value value) {
  Type element = getElementTypeOrSelf(value.getType());
  Type moved =
      KernelEmitter::lanesOf(getMovedType(e.b, element), lanesIn(value));
  if (element.isInteger(1))
    return arith::ExtUIOp::create(e.b, e.loc, moved, value);
  return value.getType() == moved
             ? value
             : arith::BitcastOp::create(e.b, e.loc, moved, value).getResult();
}

void KernelEmitter::stream(Value value, Value pointer) {
  value = toStorage(*this, value);
  unsigned bytes =
      lanesIn(value) * alignmentOf(getElementTypeOrSelf(value.getType()));
  LLVM::StoreOp::create(b, loc, value, pointer, std::min(bytes, 64u),
                        /*isVolatile=*/false, /*isNonTemporal=*/true);
}

void KernelEmitter::endStreams() {
  LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr("llvm.x86.sse.sfence"),
                                ValueRange());
}

void KernelEmitter::store(Value value, Value pointer, Value mask) {
  Type element = getElementTypeOrSelf(value.getType());
  auto [unit, count] = unitOf(element);
  unsigned alignment = alignmentOf(unit);
  if (count == 2) {
    Value parts[2] = {complex::ReOp::create(b, loc, value),
                      complex::ImOp::create(b, loc, value)};
    for (int i : {0, 1})
      LLVM::StoreOp::create(b, loc, parts[i], at(pointer, unit, index(i)),
                            alignment);
    return;
  }
  value = toStorage(*this, value);
  if (mask && isFirstLane(mask)) {
    // As a masked store LLVM writes the number that was cut, not what is left.
    Value lane = vector::ExtractOp::create(b, loc, value, int64_t(0));
    LLVM::StoreOp::create(b, loc, lane, pointer, alignment);
  } else if (mask)
    LLVM::MaskedStoreOp::create(b, loc, value, pointer, mask, alignment);
  else
    LLVM::StoreOp::create(b, loc, value, pointer, alignment);
}

void KernelEmitter::scatter(Value value, Value pointer, Value stride,
                            Value mask) {
  int64_t lanes = lanesIn(value);
  value = toStorage(*this, value);
  Type unit = getElementTypeOrSelf(value.getType());
  if (!mask)
    mask = constant(b.getBoolAttr(true), lanes);
  LLVM::masked_scatter::create(
      b, loc, value, lanePointers(*this, pointer, unit, lanes, stride), mask,
      alignmentOf(unit));
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

Value KernelEmitter::splat(Value scalar, int64_t lanes) {
  if (lanes == 1)
    return scalar;
  return vector::BroadcastOp::create(b, loc, lanesOf(scalar.getType(), lanes),
                                     scalar);
}

Value KernelEmitter::constant(TypedAttr scalar, int64_t lanes) {
  if (lanes == 1)
    return arith::ConstantOp::create(b, loc, scalar);
  auto type = VectorType::get({lanes}, scalar.getType());
  return arith::ConstantOp::create(b, loc,
                                   DenseElementsAttr::get(type, scalar));
}

Value KernelEmitter::zero(Type element, int64_t lanes) {
  if (auto complex = dyn_cast<ComplexType>(element)) {
    Attribute part = b.getZeroAttr(complex.getElementType());
    return complex::ConstantOp::create(b, loc, element,
                                       b.getArrayAttr({part, part}));
  }
  return constant(b.getZeroAttr(element), lanes);
}

Value KernelEmitter::laneMask(Value count, int64_t lanes) {
  std::optional<int64_t> value = known(count);
  // A single lane is not left out: there is at least one.
  if (lanes == 1 || (value && *value >= lanes))
    return {};
  if (value) {
    SmallVector<bool> bits(lanes, false);
    std::fill_n(bits.begin(), *value, true);
    auto type = VectorType::get({lanes}, b.getI1Type());
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, ArrayRef(bits)));
  }
  auto type = VectorType::get({lanes}, b.getI32Type());
  auto steps = llvm::to_vector(llvm::seq<int32_t>(0, lanes));
  Value numbers = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, ArrayRef(steps)));
  Value limit = arith::IndexCastOp::create(b, loc, b.getI32Type(),
                                           min(count, index(lanes)));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, numbers,
                               splat(limit, lanes));
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value KernelEmitter::widen(Value value, Type accumulator) {
  Type element = getElementTypeOrSelf(value.getType());
  if (element == accumulator)
    return value;
  Type type = lanesOf(accumulator, lanesIn(value));
  if (isa<FloatType>(accumulator))
    return arith::ExtFOp::create(b, loc, type, value);
  return arith::ExtSIOp::create(b, loc, type, value);
}

Value KernelEmitter::plus(Value x, Value y) {
  Type element = getElementTypeOrSelf(x.getType());
  if (isa<FloatType>(element))
    return arith::AddFOp::create(b, loc, x, y);
  if (isa<ComplexType>(element))
    return complex::AddOp::create(b, loc, x, y);
  return arith::AddIOp::create(b, loc, x, y);
}

Value KernelEmitter::mulAdd(Value x, Value y, Value sum) {
  Type element = getElementTypeOrSelf(x.getType());
  if (isa<FloatType>(element))
    return hasFma ? math::FmaOp::create(b, loc, x, y, sum).getResult()
                  : plus(sum, arith::MulFOp::create(b, loc, x, y));
  if (isa<ComplexType>(element))
    return plus(sum, complex::MulOp::create(b, loc, x, y));
  return plus(sum, arith::MulIOp::create(b, loc, x, y));
}

Value KernelEmitter::inlineBody(Block &body, ValueRange arguments,
                                int64_t lanes) {
  return inlineBlock(body, arguments, lanes).front();
}

SmallVector<Value> KernelEmitter::inlineBlock(Block &body, ValueRange arguments,
                                              int64_t lanes) {
  IRMapping mapping;
  mapping.map(body.getArguments(), arguments);
  auto lookup = [&](Value value) {
    Value mapped = mapping.lookupOrNull(value);
    // A value from outside the body is the same for every lane.
    return mapped ? mapped : splat(value, lanes);
  };
  for (Operation &op : body.without_terminator()) {
    Attribute value;
    if (lanes > 1 && op.getNumOperands() == 0 &&
        matchPattern(&op, m_Constant(&value))) {
      mapping.map(op.getResult(0), constant(cast<TypedAttr>(value), lanes));
      continue;
    }
    OperationState state(loc, op.getName());
    for (Value operand : op.getOperands())
      state.operands.push_back(lookup(operand));
    for (Type type : op.getResultTypes())
      state.types.push_back(lanesOf(type, lanes));
    state.attributes = op.getDiscardableAttrDictionary();
    state.propertiesAttr = op.getPropertiesAsAttribute();
    mapping.map(op.getResults(), b.create(state)->getResults());
  }
  return llvm::map_to_vector(body.getTerminator()->getOperands(), lookup);
}

} // namespace tenon
