#include "compiler/Pass.h"
#include "compiler/lowering/EntryABI.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ComplexToLLVM/ComplexToLLVM.h"
#include "mlir/Conversion/ComplexToStandard/ComplexToStandard.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Interfaces/MaskingOpInterface.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace tenon;

namespace {

/// Whether an op is about vectors that have no LLVM type, or moves them by
/// more than a plain load or store.
bool isAboveLLVM(Operation *op) {
  if (isa<VectorTransferOpInterface, vector::MaskingOpInterface>(op))
    return true;
  auto isDeep = [](Type type) {
    auto vector = dyn_cast<VectorType>(type);
    return vector && vector.getRank() != 1;
  };
  return isa_and_present<vector::VectorDialect>(op->getDialect()) &&
         (llvm::any_of(op->getOperandTypes(), isDeep) ||
          llvm::any_of(op->getResultTypes(), isDeep));
}

/// The memref of an address, its sizes and strides becomes a descriptor.
struct DescribeMemory : ConvertOpToLLVMPattern<UnrealizedConversionCastOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult
  matchAndRewrite(UnrealizedConversionCastOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!memoryOf(op.getResult(0)))
      return failure();
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getResult(0).getType());
    SmallVector<int64_t> strides;
    int64_t offset;
    if (failed(type.getStridesAndOffset(strides, offset)))
      return failure();
    ValueRange words = adaptor.getInputs().drop_front();
    auto next = [&](int64_t known) {
      if (!ShapedType::isDynamic(known))
        return createIndexAttrConstant(rewriter, loc, getIndexType(), known);
      Value word = words.front();
      words = words.drop_front();
      return word;
    };
    Value pointer = adaptor.getInputs().front();
    auto descriptor = MemRefDescriptor::poison(
        rewriter, loc, getTypeConverter()->convertType(type));
    descriptor.setAllocatedPtr(rewriter, loc, pointer);
    descriptor.setAlignedPtr(rewriter, loc, pointer);
    descriptor.setConstantOffset(rewriter, loc, 0);
    SmallVector<Value> sizes;
    for (int64_t size : type.getShape())
      sizes.push_back(next(size));
    SmallVector<Value> steps(strides.size());
    bool isDense = type.getLayout().isIdentity();
    for (size_t i = 0; i < strides.size() && !isDense; ++i)
      steps[i] = next(strides[i]);
    Value running;
    for (size_t i = strides.size(); i-- > 0 && isDense;) {
      if (!ShapedType::isDynamic(strides[i]))
        running =
            createIndexAttrConstant(rewriter, loc, getIndexType(), strides[i]);
      else
        running = LLVM::MulOp::create(rewriter, loc, running, sizes[i + 1]);
      steps[i] = running;
    }
    for (size_t i = 0; i < strides.size(); ++i) {
      descriptor.setSize(rewriter, loc, i, sizes[i]);
      descriptor.setStride(rewriter, loc, i, steps[i]);
    }
    rewriter.replaceOp(op, {descriptor});
    return success();
  }
};

/// What is left of arith, math, memref, vector, cf and func becomes the LLVM
/// dialect in one conversion: each of its own walks all code again, which is
/// most of a large model's way to LLVM. What must be lowered in steps has its
/// steps before, when it is there.
struct LowerToLLVMPass
    : PassBase<LowerToLLVMPass, ModuleOp, LLVM::LLVMDialect,
               arith::ArithDialect, math::MathDialect, vector::VectorDialect,
               complex::ComplexDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerToLLVMPass)
  static constexpr StringLiteral kArgument = "lower-to-llvm";
  static constexpr StringLiteral kSummary =
      "convert everything to the LLVM dialect";

  void runOnOperation() override {
    ModuleOp module = getOperation();
    MLIRContext *context = &getContext();
    bool vectors = false, complexes = false;
    module.walk([&](Operation *op) {
      vectors |= isAboveLLVM(op);
      complexes |= isa_and_present<complex::ComplexDialect>(op->getDialect());
    });
    OpPassManager before(ModuleOp::getOperationName());
    if (vectors)
      before.addPass(createConvertVectorToLLVMPass());
    if (complexes) {
      before.addPass(createConvertComplexToStandardPass());
      before.addPass(createConvertComplexToLLVMPass());
    }
    if (failed(runPipeline(before, module)))
      return signalPassFailure();

    LLVMTypeConverter converter(context);
    RewritePatternSet patterns(context);
    SymbolTableCollection symbols;
    vector::populateVectorMaskMaterializationPatterns(
        patterns, /*force32BitVectorIndices=*/true);
    populateVectorToLLVMConversionPatterns(converter, patterns,
                                           /*reassociateFPReductions=*/false,
                                           /*force32BitVectorIndices=*/true);
    // Before libm's: what LLVM can do by itself it should.
    populateMathToLLVMConversionPatterns(converter, patterns);
    populateMathToLibmConversionPatterns(patterns, /*benefit=*/0);
    ub::populateUBToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns,
                                                   &symbols);
    populateFuncToLLVMConversionPatterns(converter, patterns, &symbols);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    index::populateIndexToLLVMConversionPatterns(converter, patterns);
    patterns.add<DescribeMemory>(converter);
    LLVMConversionTarget target(*context);
    target.addDynamicallyLegalOp<UnrealizedConversionCastOp>(
        [](UnrealizedConversionCastOp op) {
          return op.getNumResults() != 1 || !memoryOf(op.getResult(0));
        });
    if (failed(applyPartialConversion(module, target, std::move(patterns))))
      return signalPassFailure();
    // Strings that a caller passes are aligned as pointers are, LLVM's integers
    // of their size as twice that.
    module.walk([](Operation *op) {
      if (auto load = dyn_cast<LLVM::LoadOp>(op);
          load && load.getType().isInteger(128))
        load.setAlignment(8);
      if (auto store = dyn_cast<LLVM::StoreOp>(op);
          store && store.getValue().getType().isInteger(128))
        store.setAlignment(8);
    });
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createLowerToLLVMPass() {
  return std::make_unique<LowerToLLVMPass>();
}
} // namespace tenon
