// Inputs are read, destinations written; what the function allocates is new.

#include "dialects/kernel/HostCall.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace tenon::kernel;

static bool isDestination(HostCallOp op, OpOperand &operand) {
  return operand.getOperandNumber() >= op.getInputs().size();
}

/// Which result a destination becomes.
static OpResult resultOf(HostCallOp op, OpOperand &operand) {
  unsigned wanted = operand.getOperandNumber() - op.getInputs().size();
  for (auto [i, allocated] : llvm::enumerate(op.getAllocated()))
    if (!allocated && wanted-- == 0)
      return op->getResult(i);
  return {};
}

LogicalResult HostCallOp::verify() {
  size_t outputs = getAllocated().size(),
         made = llvm::count(getAllocated(), true);
  if (getDestinations().size() + made != outputs)
    return emitOpError() << "has " << getDestinations().size()
                         << " destinations, expected " << outputs - made;
  bool tensors = llvm::all_of(getOperandTypes(), llvm::IsaPred<TensorType>);
  bool buffers = llvm::all_of(getOperandTypes(), llvm::IsaPred<MemRefType>);
  if (!tensors && !buffers)
    return emitOpError("mixes tensors and memrefs");
  if (getNumResults() != (tensors ? outputs : made))
    return emitOpError() << "has " << getNumResults() << " results, expected "
                         << (tensors ? outputs : made);
  if (getInputTypes().size() != 2 * getInputs().size() ||
      getOutputTypes().size() != 2 * outputs)
    return emitOpError("needs a type code and a number of bits per tensor");
  return success();
}

void HostCallOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  bool onBuffers =
      !getOperands().empty() && isa<MemRefType>(getOperandTypes().front());
  if (getReads() || onBuffers)
    effects.emplace_back(MemoryEffects::Read::get(),
                         SideEffects::DefaultResource::get());
  if (getWrites() || onBuffers)
    effects.emplace_back(MemoryEffects::Write::get(),
                         SideEffects::DefaultResource::get());
}

bool HostCallOp::bufferizesToMemoryRead(OpOperand &operand,
                                        const AnalysisState &) {
  return !isDestination(*this, operand);
}

bool HostCallOp::bufferizesToMemoryWrite(OpOperand &operand,
                                         const AnalysisState &) {
  return isDestination(*this, operand);
}

bool HostCallOp::bufferizesToAllocation(Value value) {
  auto result = dyn_cast<OpResult>(value);
  return result && getAllocated()[result.getResultNumber()];
}

AliasingValueList HostCallOp::getAliasingValues(OpOperand &operand,
                                                const AnalysisState &) {
  if (!isDestination(*this, operand))
    return {};
  return {{resultOf(*this, operand), BufferRelation::Equivalent}};
}

/// The same elements without strides.
static Value dense(OpBuilder &b, Location loc, Value buffer, bool copy) {
  auto type = cast<MemRefType>(buffer.getType());
  if (type.getLayout().isIdentity())
    return buffer;
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (type.isDynamicDim(i))
      sizes.push_back(memref::DimOp::create(b, loc, buffer, i));
  auto plain = MemRefType::get(type.getShape(), type.getElementType());
  Value own =
      memref::AllocOp::create(b, loc, plain, sizes, b.getI64IntegerAttr(64));
  if (copy)
    linalg::CopyOp::create(b, loc, buffer, own);
  return own;
}

LogicalResult HostCallOp::bufferize(RewriterBase &rewriter,
                                    const BufferizationOptions &options,
                                    BufferizationState &state) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(*this);
  Location loc = getLoc();
  SmallVector<Value> inputs, destinations, given;
  for (OpOperand &operand : (*this)->getOpOperands()) {
    FailureOr<Value> buffer =
        getBuffer(rewriter, operand.get(), options, state);
    if (failed(buffer))
      return failure();
    bool writes = isDestination(*this, operand);
    (writes ? destinations : inputs)
        .push_back(dense(rewriter, loc, *buffer, !writes));
    if (writes)
      given.push_back(*buffer);
  }
  SmallVector<Type> types;
  for (auto [result, allocated] : llvm::zip(getResults(), getAllocated())) {
    auto type = cast<RankedTensorType>(result.getType());
    if (allocated)
      types.push_back(MemRefType::get(type.getShape(), type.getElementType()));
  }
  auto call =
      HostCallOp::create(rewriter, loc, types, getFunctionAttr(), inputs,
                         destinations, getAllocatedAttr(), getInputTypesAttr(),
                         getOutputTypesAttr(), getReadsAttr(), getWritesAttr());
  for (auto [to, from] : llvm::zip(given, destinations))
    if (to != from)
      linalg::CopyOp::create(rewriter, loc, from, to);
  SmallVector<Value> results;
  size_t made = 0, kept = 0;
  for (bool allocated : getAllocated())
    results.push_back(allocated ? Value(call->getResult(made++))
                                : given[kept++]);
  replaceOpWithBufferizedValues(rewriter, *this, results);
  return success();
}

#define GET_OP_CLASSES
#include "dialects/kernel/HostCall.cpp.inc"

void tenon::kernel::registerHostCallOp(KernelDialect &dialect) {
  RegisteredOperationName::insert<HostCallOp>(dialect);
}
