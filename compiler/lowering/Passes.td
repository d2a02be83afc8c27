// Graph to linalg to kernels to LLVM. One pass per file of the same name.
#ifndef TENON_COMPILER_LOWERING_PASSES
#define TENON_COMPILER_LOWERING_PASSES

include "mlir/Pass/PassBase.td"

def GraphToLinalgPass : Pass<"graph-to-linalg", "::mlir::ModuleOp"> {
  let summary = "lower entries from graph ops to linalg on tensors";
  let description = [{
    Every op lowers itself (`LinalgLowering`). An entry becomes a function of
    the type that the runtime calls, `(instance, inputs, outputs, dims) -> i32`;
    variables become `memref.global`s with a flag beside those that may be
    uninitialized.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
      "::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect",
      "::mlir::math::MathDialect", "::mlir::scf::SCFDialect", "::mlir::LLVM::LLVMDialect",
      "::mlir::affine::AffineDialect", "::mlir::cf::ControlFlowDialect", "::mlir::complex::ComplexDialect",
      "::tenon::kernel::KernelDialect"];
}

def FoldPacksPass : Pass<"fold-packs", "::mlir::ModuleOp"> {
  let summary = "pack constant contraction operands at compile time";
  let description = [{
    A `kernel.pack` of a constant becomes a `memref.global` that carries what is
    to be packed and how (`tenon.pack`); its bytes are produced when the weights
    are written.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect"];
}

def FuseElementwisePass : Pass<"fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "fuse elementwise ops into their consumers and into contractions";
  let description = [{
    The kernel partition: what is one linalg or kernel op after this pass is one
    kernel. A producer joins its consumer when each of its elements is computed
    once there (or costs no more than a load); an elementwise consumer joins the
    contraction or window that produces its operand as epilogue.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def BufferizeEntriesPass : Pass<"bufferize-entries", "::mlir::ModuleOp"> {
  let summary = "tensors become buffers, in place where nothing reads the old value";
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect", "::mlir::memref::MemRefDialect"];
}

def PlanMemoryPass : Pass<"plan-memory", "::mlir::ModuleOp"> {
  let summary = "give every buffer its place in the arena";
  let description = [{
    Buffers with static sizes get offsets (largest first, reusing what is dead);
    buffers whose sizes follow from the entry's dimensions share slots whose
    sizes are computed on entry, in one reservation; buffers whose sizes depend
    on data are allocated where they are made. An elementwise kernel whose
    operand dies writes over it. Sets `tenon.arena_bytes`.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def LayOutDataPass : Pass<"lay-out-data", "::mlir::ModuleOp"> {
  let summary = "give weights and variables their places";
  let description = [{
    Every `memref.global` gets an offset in the weights or, for a variable, in
    the instance's state (`tenon.offset`); uses become pointers into them. Sets
    the module's `tenon.weights_bytes` and `tenon.state_bytes`.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

def LowerChecksPass : Pass<"lower-checks", "::mlir::ModuleOp"> {
  let summary = "checks report their failure to the instance";
  let description = [{
    `cf.assert` becomes a call of the runtime; the run goes on without harm
    (loops end) and the entry returns the status. The module's `tenon.failures`
    has the messages.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect"];
}

class CpuPass<string argument, string op> : Pass<argument, op> {
  let options = [
    Option<"triple", "triple", "std::string", "\"x86_64-linux-gnu\"", "LLVM's name of the platform">,
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "LLVM's name of the CPU">];
}

def OutlineKernelsPass : CpuPass<"outline-kernels", "::mlir::ModuleOp"> {
  let summary = "move every compute op into a kernel function, shared by equal ones";
  let description = [{
    A kernel is `(args, begin, end)`: pointers and sizes as words, and the range
    of tasks to do. The entry becomes a list of calls, through the instance's
    dispatch function when there is one. The module's `tenon.kernels` names the
    calls by the source nodes that they compute.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect"];
}

def LowerKernelsPass : CpuPass<"lower-kernels", "::mlir::func::FuncOp"> {
  let summary = "lower the compute op of a kernel function to loops for a CPU";
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect", "::mlir::memref::MemRefDialect",
      "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def SplitDynamicDimsPass : Pass<"split-dynamic-dims"> {
  let summary = "lower memref.expand_shape with several dynamic sizes in a group";
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect"];
}

#endif // TENON_COMPILER_LOWERING_PASSES
