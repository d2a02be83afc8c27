#include "compiler/Pass.h"
#include "dialects/kernel/Kernel.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace tenon;

/// Whether recomputing an element costs no more than loading it: moves, casts
/// and single cheap operations.
static bool isCheap(linalg::GenericOp op) {
  unsigned operations = 0;
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (isa<math::MathDialect>(inner.getDialect()) ||
        isa<arith::DivFOp, arith::RemFOp, scf::IfOp>(inner))
      return false;
    if (!isa<arith::ConstantOp, linalg::IndexOp>(inner))
      ++operations;
  }
  return operations <= 2;
}

/// Whether a body has elementwise ops of its arguments and of constants,
/// nothing else.
static bool isElementwise(linalg::GenericOp op) {
  Block *body = op.getBody();
  for (Operation &inner : body->without_terminator()) {
    if (inner.getNumRegions() || inner.getNumResults() != 1 ||
        (!OpTrait::hasElementwiseMappableTraits(&inner) &&
         !isa<arith::ConstantOp>(inner)))
      return false;
    for (Value value : inner.getOperands())
      if (value.getParentRegion() != body->getParent() &&
          !matchPattern(value, m_Constant()))
        return false;
  }
  return true;
}

/// Beyond this many operations a kernel gains nothing from one more, and
/// merging, which copies bodies, takes quadratic time.
constexpr size_t kMostOperations = 192;

static size_t countOperations(linalg::GenericOp op) {
  return llvm::range_size(op.getBody()->without_terminator());
}

/// Producer joins consumer when nothing is computed more often than before.
static bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer)
    return false;
  bool allParallel = producer.getNumParallelLoops() == producer.getNumLoops();
  // What adds to its destination does that once.
  for (OpOperand &init : producer.getDpsInitsMutable())
    allParallel &= producer.getMatchingBlockArgument(&init).use_empty();
  if (!allParallel ||
      countOperations(producer) + countOperations(consumer) > kMostOperations)
    return false;
  bool eachOnce = consumer.getMatchingIndexingMap(operand).isPermutation();
  if (producer->hasOneUse())
    return eachOnce || isCheap(producer);
  // Several consumers: each computes it for itself only if that is free.
  return isCheap(producer) && producer.getNumDpsInputs() <= 1;
}

namespace {

/// An elementwise consumer of a contraction or window becomes its epilogue.
template <typename KernelOp>
struct FuseEpilogue : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern<linalg::GenericOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp consumer,
                                PatternRewriter &rewriter) const override {
    if (consumer.getNumParallelLoops() != consumer.getNumLoops() ||
        consumer.getNumDpsInits() != 1 ||
        !consumer.getIndexingMapsArray().back().isIdentity())
      return failure();
    for (OpOperand *operand : consumer.getDpsInputOperands()) {
      auto producer = operand->get().template getDefiningOp<KernelOp>();
      if (producer && producer->hasOneUse() &&
          consumer.getMatchingIndexingMap(operand).isIdentity() &&
          succeeded(fuse(producer, operand, consumer, rewriter)))
        return success();
    }
    return failure();
  }

private:
  static LogicalResult fuse(KernelOp producer, OpOperand *fused,
                            linalg::GenericOp consumer,
                            PatternRewriter &rewriter) {
    Block *body = consumer.getBody();
    if (!isElementwise(consumer))
      return failure();
    if (!body->getArguments().back().use_empty())
      return failure(); // accumulates into its destination
    // What runs before the consumer but after the producer must not be needed
    // earlier: the fused op stands where the consumer stood.
    SmallVector<Value> extra;
    SmallVector<Attribute> maps(producer.getEpilogueMaps().begin(),
                                producer.getEpilogueMaps().end());
    SmallVector<unsigned>
        arguments; // of the consumer's body, in order of `extra`
    for (OpOperand *operand : consumer.getDpsInputOperands()) {
      if (operand == fused)
        continue;
      AffineMap map = consumer.getMatchingIndexingMap(operand);
      if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
        return failure();
      extra.push_back(operand->get());
      maps.push_back(AffineMapAttr::get(map));
      arguments.push_back(operand->getOperandNumber());
    }
    rewriter.setInsertionPoint(consumer);
    SmallVector<Value> operands(producer->getOperands().drop_back());
    llvm::append_range(operands, extra);
    operands.push_back(consumer.getDpsInits()[0]);
    NamedAttrList attributes(producer->getAttrDictionary());
    attributes.set("epilogue_maps", rewriter.getArrayAttr(maps));
    if (auto segments = producer->template getAttrOfType<DenseI32ArrayAttr>(
            "operandSegmentSizes")) {
      SmallVector<int32_t> sizes(segments.asArrayRef());
      sizes[sizes.size() - 2] +=
          extra.size(); // epilogue operands stand before the destination
      attributes.set("operandSegmentSizes",
                     rewriter.getDenseI32ArrayAttr(sizes));
    }
    OperationState state(
        rewriter.getFusedLoc({producer.getLoc(), consumer.getLoc()}),
        KernelOp::getOperationName(), operands, consumer->getResultTypes(),
        attributes.getAttrs());
    state.addRegion();
    Operation *merged = rewriter.create(state);
    Region &epilogue = merged->getRegion(0);
    rewriter.cloneRegionBefore(producer->getRegion(0), epilogue,
                               epilogue.end());
    Block &block = epilogue.front();
    Operation *yield = block.getTerminator();
    IRMapping mapping;
    mapping.map(body->getArgument(fused->getOperandNumber()),
                yield->getOperand(0));
    for (unsigned argument : arguments)
      mapping.map(body->getArgument(argument),
                  block.addArgument(body->getArgument(argument).getType(),
                                    consumer.getLoc()));
    rewriter.setInsertionPoint(yield);
    for (Operation &op : body->without_terminator())
      rewriter.clone(op, mapping);
    Value result =
        mapping.lookupOrDefault(body->getTerminator()->getOperand(0));
    rewriter.modifyOpInPlace(yield, [&] { yield->setOperand(0, result); });
    rewriter.replaceOp(consumer, merged->getResults());
    return success();
  }
};

/// A cheap elementwise producer of an epilogue's operand, such as the mask of a
/// relu's gradient, is computed in the epilogue.
template <typename KernelOp>
struct FuseEpilogueOperand : OpRewritePattern<KernelOp> {
  using OpRewritePattern<KernelOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(KernelOp op,
                                PatternRewriter &rewriter) const override {
    for (unsigned i = 0, count = op.getEpilogue().size(); i < count; ++i)
      if (succeeded(fuse(op, i, rewriter)))
        return success();
    return failure();
  }

private:
  static LogicalResult fuse(KernelOp op, unsigned number,
                            PatternRewriter &rewriter) {
    Value operand = op.getEpilogue()[number];
    auto producer = operand.getDefiningOp<linalg::GenericOp>();
    if (!producer || !operand.hasOneUse() ||
        producer.getNumParallelLoops() != producer.getNumLoops() ||
        producer->getNumResults() != 1 || producer.getNumDpsInputs() == 0 ||
        producer.getNumDpsInputs() > 2 || !isCheap(producer) ||
        !producer.getIndexingMapsArray().back().isIdentity() ||
        !producer.getBody()->getArguments().back().use_empty() ||
        !isElementwise(producer))
      return failure();
    SmallVector<Attribute> maps(op.getEpilogueMaps().begin(),
                                op.getEpilogueMaps().end());
    AffineMap place = cast<AffineMapAttr>(maps[number]).getValue();
    SmallVector<Value> inputs(op.getEpilogue());
    inputs.erase(inputs.begin() + number);
    maps.erase(maps.begin() + number);
    for (OpOperand *input : producer.getDpsInputOperands()) {
      AffineMap map = producer.getMatchingIndexingMap(input).compose(place);
      if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
        return failure();
      inputs.push_back(input->get());
      maps.push_back(AffineMapAttr::get(map));
    }
    rewriter.modifyOpInPlace(op, [&] {
      Block &block = op->getRegion(0).front();
      IRMapping mapping;
      for (BlockArgument argument :
           producer.getBody()->getArguments().drop_back())
        mapping.map(argument,
                    block.addArgument(argument.getType(), op.getLoc()));
      OpBuilder b = OpBuilder::atBlockBegin(&block);
      for (Operation &inner : producer.getBody()->without_terminator())
        b.clone(inner, mapping);
      // Behind the sum, the operands in order.
      BlockArgument old = block.getArgument(number + 1);
      old.replaceAllUsesWith(mapping.lookupOrDefault(
          producer.getBody()->getTerminator()->getOperand(0)));
      block.eraseArgument(number + 1);
      op.getEpilogueMutable().assign(inputs);
      op.setEpilogueMapsAttr(rewriter.getArrayAttr(maps));
      op->setLoc(rewriter.getFusedLoc({op.getLoc(), producer.getLoc()}));
    });
    return success();
  }
};

/// What an optimizer computes of one gradient becomes one kernel: a value that
/// is a variable's next one and an operand of another's is a further result.
struct FuseUpdates : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern<linalg::GenericOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp consumer,
                                PatternRewriter &rewriter) const override {
    if (!isUpdate(consumer))
      return failure();
    for (OpOperand *operand : consumer.getDpsInputOperands()) {
      auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
      if (!producer || producer->getBlock() != consumer->getBlock() ||
          !isUpdate(producer) ||
          !consumer.getMatchingIndexingMap(operand).isIdentity() ||
          !linalg::areElementwiseOpsFusable(operand) ||
          countOperations(producer) + countOperations(consumer) >
              kMostOperations)
        continue;
      // The kernel stands where the consumer stood.
      auto isReadyFor = [&](Operation *user) {
        return user == consumer || (user->getBlock() == consumer->getBlock() &&
                                    consumer->isBeforeInBlock(user));
      };
      if (!llvm::all_of(producer->getUsers(), isReadyFor))
        continue;
      rewriter.setInsertionPoint(consumer);
      FailureOr<linalg::ElementwiseOpFusionResult> fused =
          linalg::fuseElementwiseOps(rewriter, operand);
      if (failed(fused))
        continue;
      for (auto [from, to] : fused->replacements)
        rewriter.replaceAllUsesExcept(from, to, producer);
      rewriter.eraseOp(consumer);
      if (producer.use_empty())
        rewriter.eraseOp(producer);
      return success();
    }
    return failure();
  }

private:
  /// Elementwise, and some result is the next value of a variable.
  static bool isUpdate(linalg::GenericOp op) {
    auto isStored = [](Operation *user) {
      auto store = dyn_cast<bufferization::MaterializeInDestinationOp>(user);
      return store && store.getDest().getDefiningOp<memref::GetGlobalOp>();
    };
    return op.getNumParallelLoops() == op.getNumLoops() &&
           llvm::any_of(op->getUsers(), isStored) &&
           llvm::all_of(op.getDpsInitsMutable(), [&](OpOperand &init) {
             return op.getMatchingIndexingMap(&init).isIdentity() &&
                    op.getMatchingBlockArgument(&init).use_empty();
           });
  }
};

/// A reduction of a constant that absorbs everything, as a product of zeros
/// does, no longer reads what it starts from; MLIR then lets it start from
/// anything, which is wrong where nothing is reduced. It becomes a choice.
struct ReduceConstant : OpRewritePattern<linalg::GenericOp> {
  ReduceConstant(MLIRContext *context)
      : OpRewritePattern(context, /*benefit=*/2) {} // before MLIR's

  LogicalResult matchAndRewrite(linalg::GenericOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.getNumReductionLoops() || op->getNumResults() != 1 ||
        !op.getRegionOutputArgs()[0].use_empty() ||
        op.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>())
      return failure();
    Value result = op.getBody()->getTerminator()->getOperand(0);
    Attribute value;
    if (!matchPattern(result, m_Constant(&value)))
      return failure();
    Location loc = op.getLoc();
    rewriter.setInsertionPoint(op);
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0), some;
    for (auto [range, kind] :
         llvm::zip(cast<linalg::LinalgOp>(op.getOperation())
                       .createLoopRanges(rewriter, loc),
                   op.getIteratorTypesArray())) {
      if (!linalg::isReductionIterator(kind))
        continue;
      Value size = getValueOrCreateConstantIndexOp(rewriter, loc, range.size);
      Value more = rewriter.createOrFold<arith::CmpIOp>(
          loc, arith::CmpIPredicate::sgt, size, zero);
      some =
          some ? rewriter.createOrFold<arith::AndIOp>(loc, some, more) : more;
    }
    Value start = op.getDpsInits()[0];
    auto type = cast<RankedTensorType>(start.getType());
    auto identity = rewriter.getMultiDimIdentityMap(type.getRank());
    Value constant = arith::ConstantOp::create(rewriter, loc, result.getType(),
                                               cast<TypedAttr>(value));
    rewriter.replaceOpWithNewOp<linalg::GenericOp>(
        op, TypeRange{type}, ValueRange(), ValueRange{start},
        ArrayRef<AffineMap>{identity},
        SmallVector<utils::IteratorType>(type.getRank(),
                                         utils::IteratorType::parallel),
        [&](OpBuilder &b, Location at, ValueRange arguments) {
          Value chosen =
              arith::SelectOp::create(b, at, some, constant, arguments.back());
          linalg::YieldOp::create(b, at, chosen);
        });
    return success();
  }
};

/// The kernel partition: what is one linalg or kernel op after this pass is one
/// kernel. A producer joins its consumer when each of its elements is computed
/// once there (or costs no more than a load); an elementwise consumer joins the
/// contraction or window that produces its operand as epilogue. Only kernels
/// that write variables have several results.
struct FuseElementwisePass
    : PassBase<FuseElementwisePass, func::FuncOp, linalg::LinalgDialect,
               tensor::TensorDialect> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FuseElementwisePass)
  static constexpr StringLiteral kArgument = "fuse-elementwise";
  static constexpr StringLiteral kSummary =
      "fuse elementwise ops into their consumers and into contractions";

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    // An elementwise op behind a reshape of a contraction moves before it.
    auto reshapesContraction = [](OpOperand *operand) {
      Operation *reshape = operand->get().getDefiningOp();
      if (!isa_and_nonnull<tensor::ExpandShapeOp>(reshape) ||
          !reshape->hasOneUse())
        return false;
      Operation *source = reshape->getOperand(0).getDefiningOp();
      return source && isa<kernel::ContractOp>(source);
    };
    auto apply = [&](function_ref<void(RewritePatternSet &)> populate) {
      RewritePatternSet patterns(context);
      populate(patterns);
      applyToKernels(std::move(patterns));
    };
    auto epilogues = [&](RewritePatternSet &patterns) {
      linalg::populateFoldReshapeOpsByCollapsingPatterns(patterns,
                                                         reshapesContraction);
      patterns
          .add<FuseEpilogue<kernel::ContractOp>, FuseEpilogue<kernel::WindowOp>,
               FuseEpilogueOperand<kernel::ContractOp>,
               FuseEpilogueOperand<kernel::WindowOp>>(context);
    };
    // Epilogues first: what joins a contraction is not copied into consumers.
    // Chains that become one op by the second step get a second chance.
    apply(epilogues);
    apply([&](RewritePatternSet &patterns) {
      linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
      patterns.add<ReduceConstant>(context);
    });
    apply([&](RewritePatternSet &patterns) {
      patterns.add<FuseUpdates>(context);
    });
    apply(epilogues);
  }

private:
  /// Applies patterns until none does, from the last op to the first. Ops in
  /// bodies, most of a graph's, are left alone but where bodies are merged.
  /// What is left after some rounds, in graphs of thousands of ops, stays as it
  /// is.
  void applyToKernels(const FrozenRewritePatternSet &patterns) {
    constexpr unsigned kMostRounds = 10;
    GreedyRewriteConfig config;
    config.setScope(&getOperation().getBody());
    bool changed = true;
    for (unsigned round = 0; changed && round < kMostRounds; ++round) {
      SmallVector<Operation *> ops;
      getOperation().getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
        ops.push_back(op);
        return isa<linalg::LinalgOp, kernel::KernelOpInterface>(op)
                   ? WalkResult::skip()
                   : WalkResult::advance();
      });
      (void)applyOpPatternsGreedily(ops, patterns, config, &changed);
    }
  }
};
} // namespace

namespace tenon {
std::unique_ptr<Pass> createFuseElementwisePass() {
  return std::make_unique<FuseElementwisePass>();
}
} // namespace tenon
