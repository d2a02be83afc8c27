#include "compiler/lowering/KernelModels.h"

#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace tenon {

namespace {

#define TENON_KERNEL_MODEL(Name)                                               \
  struct Name##Model                                                           \
      : kernel::KernelOpInterface::ExternalModel<Name##Model,                  \
                                                 kernel::Name##Op> {           \
    Value buildTaskCount(Operation *op, OpBuilder &b, Location loc,            \
                         const CpuTarget &target) const {                      \
      return build##Name##TaskCount(b, loc, cast<kernel::Name##Op>(op),        \
                                    target);                                   \
    }                                                                          \
    LogicalResult lowerToLoops(Operation *op, OpBuilder &b, Value begin,       \
                               Value end, const CpuTarget &target) const {     \
      return lower##Name(b, cast<kernel::Name##Op>(op), begin, end, target);   \
    }                                                                          \
  };

TENON_KERNEL_MODEL(Contract)
TENON_KERNEL_MODEL(Window)
TENON_KERNEL_MODEL(Pack)
TENON_KERNEL_MODEL(Rows)

} // namespace

void registerKernelModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, kernel::KernelDialect *) {
    // What the loops are made of.
    context->loadDialect<arith::ArithDialect, complex::ComplexDialect,
                         LLVM::LLVMDialect, math::MathDialect,
                         memref::MemRefDialect, scf::SCFDialect,
                         vector::VectorDialect>();
    kernel::ContractOp::attachInterface<ContractModel>(*context);
    kernel::WindowOp::attachInterface<WindowModel>(*context);
    kernel::PackOp::attachInterface<PackModel>(*context);
    kernel::RowsOp::attachInterface<RowsModel>(*context);
  });
}

} // namespace tenon
