// How the kernel ops' tensors become buffers: operands are read, the
// destination is written and nothing of it is read. An epilogue operand is not
// offered as the destination's memory: a tile's operands may still be needed
// when another tile is stored.

#include "dialects/kernel/Rows.h"

#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace tenon::kernel;

namespace {

template <typename Op>
LogicalResult bufferizeCompute(Op op, RewriterBase &rewriter,
                               const BufferizationOptions &options,
                               const BufferizationState &state) {
  if (op.hasPureBufferSemantics())
    return success();
  if (!op.hasPureTensorSemantics())
    return op.emitOpError("mixes tensors and memrefs");
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  SmallVector<Value> operands;
  SmallVector<Value> destinations;
  for (OpOperand &operand : op->getOpOperands()) {
    Value value = operand.get();
    if (isa<TensorType>(value.getType())) {
      FailureOr<Value> buffer = getBuffer(rewriter, value, options, state);
      if (failed(buffer))
        return failure();
      value = *buffer;
    }
    operands.push_back(value);
    if (op.isDpsInit(&operand))
      destinations.push_back(value);
  }
  OperationState newState(op.getLoc(), op->getName());
  newState.addOperands(operands);
  newState.addAttributes(op->getAttrs());
  newState.propertiesAttr = op->getPropertiesAsAttribute();
  for (Region &region : op->getRegions())
    newState.addRegion()->takeBody(region);
  rewriter.create(newState);
  replaceOpWithBufferizedValues(rewriter, op, destinations);
  return success();
}

template <typename Op>
void addEffects(
    Op op, SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
               &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand,
                           SideEffects::DefaultResource::get());
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand,
                           SideEffects::DefaultResource::get());
  }
}

template <typename Op>
LogicalResult reifyShapes(Op op, OpBuilder &builder,
                          ReifiedRankedShapedTypeDims &shapes) {
  for (OpOperand &init : op.getDpsInitsMutable())
    if (isa<RankedTensorType>(init.get().getType()))
      shapes.push_back(tensor::getMixedSizes(builder, op.getLoc(), init.get()));
  return success();
}

} // namespace

#define TENON_COMPUTE_OP(Op)                                                   \
  bool Op::bufferizesToMemoryRead(OpOperand &operand, const AnalysisState &) { \
    return !isDpsInit(&operand);                                               \
  }                                                                            \
  bool Op::bufferizesToMemoryWrite(OpOperand &operand,                         \
                                   const AnalysisState &) {                    \
    return isDpsInit(&operand);                                                \
  }                                                                            \
  AliasingValueList Op::getAliasingValues(OpOperand &operand,                  \
                                          const AnalysisState &) {             \
    if (!isDpsInit(&operand))                                                  \
      return {};                                                               \
    return {{getTiedOpResult(&operand), BufferRelation::Equivalent}};          \
  }                                                                            \
  LogicalResult Op::bufferize(RewriterBase &rewriter,                          \
                              const BufferizationOptions &options,             \
                              BufferizationState &state) {                     \
    return bufferizeCompute(*this, rewriter, options, state);                  \
  }                                                                            \
  void Op::getEffects(                                                         \
      SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>      \
          &effects) {                                                          \
    addEffects(*this, effects);                                                \
  }                                                                            \
  LogicalResult Op::reifyResultShapes(OpBuilder &builder,                      \
                                      ReifiedRankedShapedTypeDims &shapes) {   \
    return reifyShapes(*this, builder, shapes);                                \
  }

TENON_COMPUTE_OP(ContractOp)
TENON_COMPUTE_OP(PackOp)
TENON_COMPUTE_OP(RowsOp)
TENON_COMPUTE_OP(WindowOp)
