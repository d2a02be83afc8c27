#include "compiler/Pass.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace tenon;

namespace {

/// Tensors are copied by the GPU, which need not be waited for.
struct CopyByKernelPass
    : PassBase<CopyByKernelPass, func::FuncOp, linalg::LinalgDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(CopyByKernelPass)
  static constexpr StringLiteral kArgument = "copy-by-kernel";
  static constexpr StringLiteral kSummary = "make kernels of copies";

  void runOnOperation() override {
    getOperation().walk([](memref::CopyOp copy) {
      OpBuilder b(copy);
      linalg::CopyOp::create(b, copy.getLoc(), copy.getSource(),
                             copy.getTarget());
      copy.erase();
    });
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createCopyByKernelPass() {
  return std::make_unique<CopyByKernelPass>();
}
} // namespace tenon
