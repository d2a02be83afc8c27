#ifndef TENON_KERNEL_INTERFACES
#define TENON_KERNEL_INTERFACES

include "mlir/IR/OpBase.td"

def KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::tenon::kernel";
  let description = [{
    A compute op on memrefs that becomes the body of one kernel function. Its
    work is cut into independent tasks, so that a pool of threads can share it;
    the number of tasks depends on sizes and target only, never on the number
    of threads. Implementations live with the lowerings.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds the number of tasks (index) from the sizes of the op's operands. A
      constant 1 when the work is too small to be worth sharing.
    }], "::mlir::Value", "buildTaskCount", (ins
      "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
      "const ::tenon::CpuTarget &":$target)>,
    InterfaceMethod<[{
      Replaces the op (on memrefs) by loops that do the tasks [begin, end). The
      builder stands before the op, which is erased.
    }], "::llvm::LogicalResult", "lowerToLoops", (ins
      "::mlir::OpBuilder &":$builder, "::mlir::Value":$begin,
      "::mlir::Value":$end, "const ::tenon::CpuTarget &":$target)>];
}

#endif // TENON_KERNEL_INTERFACES
