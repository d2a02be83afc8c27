#include "compiler/lowering/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"

namespace tenon {
#define GEN_PASS_DEF_BUFFERIZEENTRIESPASS
#include "compiler/lowering/Passes.h.inc"
} // namespace tenon

using namespace mlir;
using namespace tenon;

namespace {
struct BufferizeEntriesPass
    : tenon::impl::BufferizeEntriesPassBase<BufferizeEntriesPass> {
  void runOnOperation() override {
    bufferization::OneShotBufferizationOptions options;
    options.allowReturnAllocsFromLoops = true;
    options.bufferAlignment = 64;
    options.unknownTypeConverterFn =
        [](TensorType type, Attribute space,
           const bufferization::BufferizationOptions &) {
          return bufferization::getMemRefTypeWithStaticIdentityLayout(type,
                                                                      space);
        };
    // Copies are kernels like everything else.
    options.memCpyFn = [](OpBuilder &b, Location loc, Value from, Value to) {
      linalg::CopyOp::create(b, loc, from, to);
      return success();
    };
    ModuleOp module = getOperation();
    IRRewriter rewriter(&getContext());
    for (auto function : module.getOps<func::FuncOp>()) {
      // Producers write into the parts of a concatenation and into outputs.
      if (failed(bufferization::eliminateEmptyTensors(rewriter, function)))
        return signalPassFailure();
    }
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotBufferize(module, options, state)))
      return signalPassFailure();
  }
};
} // namespace
