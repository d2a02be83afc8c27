#include "dialects/graph/ShapeContext.h"
#include "dialects/graph/Graph.h"

using namespace mlir;

namespace tenon::graph {

AffineExpr ShapeContext::constant(int64_t value) {
  return getAffineConstantExpr(value, context);
}

AffineExpr ShapeContext::freshSymbol(Value owner, unsigned dim) {
  origins.push_back({owner, dim});
  return getAffineSymbolExpr(origins.size() - 1, context);
}

std::optional<int64_t> ShapeContext::asConstant(AffineExpr expr) {
  if (auto constant = dyn_cast_or_null<AffineConstantExpr>(expr))
    return constant.getValue();
  return std::nullopt;
}

void ShapeContext::addEntry(func::FuncOp entry) {
  llvm::StringMap<AffineExpr> named;
  for (BlockArgument arg : entry.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(arg.getType());
    if (!type)
      continue;
    auto names =
        entry.getArgAttrOfType<ArrayAttr>(arg.getArgNumber(), "graph.dims");
    Dims dims;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      if (!type.isDynamicDim(i)) {
        dims.push_back(constant(type.getDimSize(i)));
        continue;
      }
      auto name = names && i < int64_t(names.size())
                      ? dyn_cast<StringAttr>(names[i])
                      : StringAttr();
      if (!name) {
        dims.push_back(freshSymbol(arg, i));
        continue;
      }
      AffineExpr &symbol = named[name.getValue()];
      if (!symbol)
        symbol = freshSymbol(arg, i);
      dims.push_back(symbol);
    }
    setDims(arg, dims);
  }
}

void ShapeContext::inferDefiningOp(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || (scope == Scope::Op && !op->hasTrait<OpTrait::ConstantLike>()))
    return;
  // Rules ask for what they need, which asks in turn. In a chain of thousands
  // of ops that would take more stack than there is: from some depth on, the
  // ops that an op depends on come first.
  static thread_local unsigned depth = 0;
  constexpr unsigned kDeepest = 200;
  SmallVector<Operation *> pending{op};
  llvm::SmallPtrSet<Operation *, 16> seen;
  ++depth;
  while (!pending.empty()) {
    Operation *next = pending.back();
    size_t count = pending.size();
    if (depth > kDeepest && scope != Scope::Op)
      for (Value operand : next->getOperands())
        if (Operation *source = operand.getDefiningOp();
            source && !dimsOf.contains(operand) && seen.insert(source).second)
          pending.push_back(source);
    if (pending.size() != count)
      continue;
    pending.pop_back();
    if (auto inference = dyn_cast<ShapeInference>(next))
      (void)inference.inferShapes(*this);
  }
  --depth;
}

ArrayRef<AffineExpr> ShapeContext::dims(Value value) {
  if (auto it = dimsOf.find(value); it != dimsOf.end())
    return it->second;
  inferDefiningOp(value); // verifiers look at constants only
  if (auto it = dimsOf.find(value); it != dimsOf.end())
    return it->second;
  Dims dims;
  if (auto type = dyn_cast<RankedTensorType>(value.getType()))
    for (int64_t i = 0; i < type.getRank(); ++i)
      dims.push_back(type.isDynamicDim(i) ? freshSymbol(value, i)
                                          : constant(type.getDimSize(i)));
  setDims(value, dims);
  return dimsOf[value];
}

void ShapeContext::setDims(Value value, ArrayRef<AffineExpr> dims) {
  Dims &stored = storage.emplace_back(dims.begin(), dims.end());
  // A declared type may know more than this op's rule does.
  if (auto type = dyn_cast<RankedTensorType>(value.getType());
      type && type.getRank() == int64_t(dims.size()))
    for (auto [dim, size] : llvm::zip(stored, type.getShape()))
      if (!ShapedType::isDynamic(size) && !asConstant(dim))
        dim = constant(size);
  dimsOf[value] = stored;
}

void ShapeContext::copyDims(Value to, Value from) {
  ArrayRef<AffineExpr> source = dims(from);
  dimsOf[to] = source;
}

std::optional<ArrayRef<AffineExpr>> ShapeContext::contents(Value value) {
  if (auto it = contentsOf.find(value); it != contentsOf.end())
    return it->second;
  if (!dimsOf.contains(value))
    inferDefiningOp(value);
  if (auto it = contentsOf.find(value); it != contentsOf.end())
    return it->second;
  return std::nullopt;
}

/// Whether an expression has at most `budget` parts. Sums and products of
/// themselves have more parts than can ever be walked.
static bool isBrief(AffineExpr expr, int &budget) {
  if (--budget < 0)
    return false;
  auto binary = dyn_cast_or_null<AffineBinaryOpExpr>(expr);
  return !binary ||
         (isBrief(binary.getLHS(), budget) && isBrief(binary.getRHS(), budget));
}

void ShapeContext::setContents(Value value, ArrayRef<AffineExpr> elements) {
  if (int64_t(elements.size()) > maxContents)
    return;
  Dims &stored = storage.emplace_back(elements.begin(), elements.end());
  for (AffineExpr &element : stored)
    if (int budget = 256; !isBrief(element, budget))
      element = {};
  contentsOf[value] = stored;
}

std::optional<SmallVector<int64_t>> ShapeContext::constants(Value value) {
  auto elements = contents(value);
  if (!elements)
    return std::nullopt;
  SmallVector<int64_t> result;
  for (AffineExpr element : *elements) {
    std::optional<int64_t> known = asConstant(element);
    if (!known)
      return std::nullopt;
    result.push_back(*known);
  }
  return result;
}

std::optional<int64_t> ShapeContext::constantScalar(Value value) {
  auto elements = constants(value);
  if (!elements || elements->size() != 1)
    return std::nullopt;
  return elements->front();
}

AffineExpr ShapeContext::product(ArrayRef<AffineExpr> exprs) {
  AffineExpr result = constant(1);
  for (AffineExpr expr : exprs)
    result = result * expr;
  return result;
}

AffineExpr ShapeContext::ceilDiv(AffineExpr expr, int64_t divisor) {
  return divisor == 1 ? expr : expr.ceilDiv(divisor);
}

/// Splits factors into a constant and a list of other factors.
static int64_t splitFactors(ArrayRef<AffineExpr> exprs,
                            SmallVectorImpl<AffineExpr> &others) {
  int64_t coefficient = 1;
  SmallVector<AffineExpr> work(exprs.begin(), exprs.end());
  while (!work.empty()) {
    AffineExpr expr = work.pop_back_val();
    if (auto known = ShapeContext::asConstant(expr)) {
      coefficient *= *known;
    } else if (expr.getKind() == AffineExprKind::Mul) {
      auto mul = cast<AffineBinaryOpExpr>(expr);
      work.push_back(mul.getLHS());
      work.push_back(mul.getRHS());
    } else {
      others.push_back(expr);
    }
  }
  return coefficient;
}

AffineExpr ShapeContext::exactQuotient(ArrayRef<AffineExpr> numerator,
                                       ArrayRef<AffineExpr> denominator) {
  SmallVector<AffineExpr> top, bottom;
  int64_t topConstant = splitFactors(numerator, top),
          bottomConstant = splitFactors(denominator, bottom);
  for (AffineExpr factor : bottom) {
    auto *it = llvm::find(top, factor);
    if (it == top.end())
      return {};
    top.erase(it);
  }
  if (bottomConstant == 0)
    return {};
  if (topConstant % bottomConstant == 0) {
    top.push_back(constant(topConstant / bottomConstant));
    return product(top);
  }
  if (top.empty())
    return {};
  top.push_back(constant(topConstant));
  return product(top).floorDiv(bottomConstant);
}

bool ShapeContext::isNonNegative(AffineExpr expr) const {
  if (std::optional<int64_t> known = asConstant(expr))
    return *known >= 0;
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    const Origin &origin = origins[symbol.getPosition()];
    if (!origin.lhs)
      return true;
    bool lhs = isNonNegative(origin.lhs), rhs = isNonNegative(origin.rhs);
    return origin.greater ? lhs || rhs : lhs && rhs;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  return binary && isNonNegative(binary.getLHS()) &&
         isNonNegative(binary.getRHS());
}

AffineExpr ShapeContext::choose(AffineExpr lhs, AffineExpr rhs, bool greater) {
  AffineExpr difference = simplifyAffineExpr(lhs - rhs, 0, origins.size());
  if (isNonNegative(difference))
    return greater ? lhs : rhs;
  if (isNonNegative(simplifyAffineExpr(-difference, 0, origins.size())))
    return greater ? rhs : lhs;
  AffineExpr &choice = (greater ? maxima : minima)[{lhs, rhs}];
  if (!choice) {
    choice = getAffineSymbolExpr(origins.size(), context);
    origins.push_back({Value(), 0, lhs, rhs, greater});
  }
  return choice;
}

FailureOr<Dims> ShapeContext::broadcast(ArrayRef<ArrayRef<AffineExpr>> shapes,
                                        Value result) {
  size_t rank = 0;
  for (ArrayRef<AffineExpr> shape : shapes)
    rank = std::max(rank, shape.size());
  Dims dims;
  for (size_t i = 0; i < rank; ++i) {
    AffineExpr size = constant(1);
    for (ArrayRef<AffineExpr> shape : shapes) {
      if (i + shape.size() < rank)
        continue;
      AffineExpr other = shape[i + shape.size() - rank];
      if (other == size || asConstant(other) == 1)
        continue;
      std::optional<int64_t> known = asConstant(size),
                             otherKnown = asConstant(other);
      if (known == 1 || (otherKnown && !known))
        size = other; // a known size above 1 decides: the unknown one is 1 or
                      // equal
      else if (known && otherKnown)
        return failure();
      else if (!known)
        size = freshSymbol(result, i); // two unknown sizes: either may be 1
    }
    dims.push_back(size);
  }
  return dims;
}

RankedTensorType ShapeContext::typeOf(Value value, Type elementType) {
  SmallVector<int64_t> shape;
  for (AffineExpr dim : dims(value)) {
    std::optional<int64_t> known = asConstant(dim);
    shape.push_back(known && *known >= 0 ? *known : ShapedType::kDynamic);
  }
  return RankedTensorType::get(shape, elementType);
}

std::string shapeString(ArrayRef<AffineExpr> dims) {
  if (dims.empty())
    return "scalar";
  std::string text;
  for (AffineExpr dim : dims) {
    if (!text.empty())
      text += 'x';
    std::optional<int64_t> known = ShapeContext::asConstant(dim);
    text += known ? std::to_string(*known) : "?";
  }
  return text;
}

/// Sizes whose products are beyond what any machine has are mistakes, and end
/// in numbers that do not fit 64 bits. Unknown sizes count as 1.
static LogicalResult checkSize(Operation *op, ArrayRef<AffineExpr> dims,
                               Type elementType) {
  constexpr size_t maxRank = 254; // TensorFlow's
  constexpr int64_t maxBytes = int64_t(1) << 40;
  if (dims.size() > maxRank)
    return op->emitOpError()
           << "its result has " << dims.size() << " dimensions, at most "
           << maxRank << " are possible";
  int64_t bytes = 1;
  if (auto complex = dyn_cast<ComplexType>(elementType))
    bytes = complex.getElementType().getIntOrFloatBitWidth() / 4;
  else if (elementType.isIntOrFloat())
    bytes = std::max(1u, elementType.getIntOrFloatBitWidth() / 8);
  for (AffineExpr dim : dims) {
    // Sizes beside a zero count, too: strides multiply them.
    int64_t size = ShapeContext::asConstant(dim).value_or(1);
    if (size > 0 && bytes > maxBytes / size)
      return op->emitOpError() << "its result of shape " << shapeString(dims)
                               << " is impossibly large";
    bytes *= std::max<int64_t>(size, 1);
  }
  return success();
}

LogicalResult inferResultTypes(Operation *op, ShapeContext &shapes) {
  auto inference = dyn_cast<ShapeInference>(op);
  if (!inference)
    return op->emitOpError("has no shape inference");
  if (failed(inference.inferShapes(shapes)))
    return failure();
  for (Value result : op->getResults())
    if (auto tensor = dyn_cast<TensorType>(result.getType())) {
      if (failed(checkSize(op, shapes.dims(result), tensor.getElementType())))
        return failure();
      result.setType(shapes.typeOf(result, tensor.getElementType()));
    }
  return success();
}

Operation *createOp(OpBuilder &builder, Location loc, ShapeContext &shapes,
                    StringRef name, ArrayRef<Type> elementTypes,
                    ValueRange operands, ArrayRef<NamedAttribute> attributes) {
  OperationState state(loc, name);
  state.addOperands(operands);
  state.addAttributes(attributes);
  for (Type elementType : elementTypes)
    state.addTypes(UnrankedTensorType::get(elementType));
  Operation *op = builder.create(state);
  if (succeeded(inferResultTypes(op, shapes)))
    return op;
  op->erase();
  return nullptr;
}

LogicalResult detail::verifyInferredShapes(Operation *op) {
  ShapeContext shapes(op->getContext(), ShapeContext::Scope::Op);
  SmallVector<Type> declared(op->getResultTypes());
  for (Type type : declared)
    if (!isa<RankedTensorType>(type))
      return success(); // being built: createOp infers before anybody looks
  if (failed(cast<ShapeInference>(op).inferShapes(shapes)))
    return failure();
  for (OpResult result : op->getResults()) {
    auto type = cast<RankedTensorType>(declared[result.getResultNumber()]);
    ArrayRef<AffineExpr> dims = shapes.dims(result);
    bool matches = type.getRank() == int64_t(dims.size());
    for (int64_t i = 0; matches && i < type.getRank(); ++i) {
      std::optional<int64_t> known = ShapeContext::asConstant(dims[i]);
      matches = type.isDynamicDim(i) || !known || *known == type.getDimSize(i);
    }
    if (!matches)
      return op->emitOpError()
             << "result " << result.getResultNumber() << " has type " << type
             << ", but its shape is inferred as " << shapeString(dims);
  }
  return success();
}

} // namespace tenon::graph
