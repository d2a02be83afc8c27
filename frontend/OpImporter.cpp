//===- OpImporter.cpp - what rows do through their binder -----------------===//

#include "frontend/OpImporter.h"
#include "dialects/graph/ops/Control.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/APFloat.h"

using namespace mlir;

namespace tenon {

ImportedValue ImportedValue::of(Value tensor) {
  ImportedValue value;
  if (tensor) {
    value.kind = Tensor;
    value.tensor = tensor;
  }
  return value;
}

void ImportState::release() {
  // They may use each other's values.
  for (Operation *op : discarded)
    op->dropAllReferences();
  for (Operation *op : llvm::reverse(discarded))
    op->destroy();
  discarded.clear();
}

void Binder::fail(const llvm::Twine &text) {
  if (reason.empty())
    reason = text.str();
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

const ImportedValue &Binder::raw(unsigned i) {
  static const ImportedValue missing;
  if (i < inputs.size())
    return inputs[i];
  fail("expected at least " + llvm::Twine(i + 1) + " inputs, the node has " +
       llvm::Twine(inputs.size()));
  return missing;
}

Value Binder::readVariable(StringRef symbol, Type elementType) {
  return make("graph.read", elementType, {},
              attribute("variable", FlatSymbolRefAttr::get(context(), symbol)));
}

Value Binder::input(unsigned i) {
  const ImportedValue &value = raw(i);
  if (failed())
    return {};
  switch (value.kind) {
  case ImportedValue::Tensor:
    return current(value).tensor;
  case ImportedValue::Variable:
    if (value.reference)
      return readVariable(value.symbol, value.elementType);
    fail("input " + llvm::Twine(i) + " is the handle of variable '" +
         value.symbol + "', expected a tensor");
    return {};
  case ImportedValue::List:
    fail("input " + llvm::Twine(i) + " is a list, expected a tensor");
    return {};
  case ImportedValue::Restored:
    fail("input " + llvm::Twine(i) +
         (value.elementType
              ? " has a number of dimensions that only the run knows"
              : " comes from a checkpoint and can only be assigned to a "
                "variable"));
    return {};
  case ImportedValue::Absent:
    fail(value.symbol.empty()
             ? "input " + llvm::Twine(i) + " is an optional without a value"
             : llvm::Twine(value.symbol));
    return {};
  case ImportedValue::Either:
    fail(value.symbol);
    return {};
  case ImportedValue::Table:
  case ImportedValue::Text:
  case ImportedValue::Missing:
    fail("input " + llvm::Twine(i) + " is not a tensor");
    return {};
  }
  return {};
}

ImportedValue Binder::current(const ImportedValue &value) {
  if (value.kind != ImportedValue::Tensor || value.symbol.empty() ||
      state.writes.lookup(value.symbol) == value.seen)
    return value;
  return ImportedValue::of(readVariable(value.symbol, type(value.tensor)));
}

SmallVector<Value> Binder::inputList(unsigned first,
                                     std::optional<unsigned> count) {
  SmallVector<Value> values;
  unsigned end = count ? first + *count : std::max(first, inputCount());
  for (unsigned i = first; i < end && !failed(); ++i)
    values.push_back(input(i));
  return values;
}

ImportedValue Binder::variable(unsigned i) {
  const ImportedValue &value = raw(i);
  if (failed())
    return {};
  if (value.kind != ImportedValue::Variable)
    fail("input " + llvm::Twine(i) + " is not the handle of a variable");
  return value;
}

SmallVector<int64_t> Binder::constants(unsigned i) {
  Value value = input(i);
  if (!value)
    return {};
  auto known = shapes().constants(value);
  if (!known) {
    fail("input " + llvm::Twine(i) + " must be known at compile time");
    return {};
  }
  return *known;
}

int64_t Binder::constant(unsigned i) {
  SmallVector<int64_t> known = constants(i);
  if (failed())
    return 0;
  if (known.size() != 1) {
    fail("input " + llvm::Twine(i) + " must be one number");
    return 0;
  }
  return known.front();
}

std::optional<double> Binder::constantFloat(Value value) {
  DenseFPElementsAttr known;
  if (!value || !matchPattern(value, m_Constant(&known)) ||
      known.getNumElements() == 0)
    return std::nullopt;
  if (known.getNumElements() != 1 && !known.isSplat())
    return std::nullopt;
  APFloat number = *known.value_begin<APFloat>();
  bool inexact;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &inexact);
  return number.convertToDouble();
}

Type Binder::type(Value value) {
  return value ? getElementTypeOrSelf(value.getType()) : Type();
}

int64_t Binder::rank(Value value) {
  return value ? cast<RankedTensorType>(value.getType()).getRank() : 0;
}

ArrayRef<AffineExpr> Binder::dims(Value value) {
  return value ? shapes().dims(value) : ArrayRef<AffineExpr>();
}

int64_t Binder::staticDim(Value value, int64_t dim) {
  ArrayRef<AffineExpr> sizes = dims(value);
  if (dim < 0 || dim >= int64_t(sizes.size())) {
    fail("expected a tensor of at least " + llvm::Twine(dim + 1) +
         " dimensions, got " + llvm::Twine(sizes.size()));
    return 1;
  }
  auto known = graph::ShapeContext::asConstant(sizes[dim]);
  if (!known) {
    fail("dimension " + llvm::Twine(dim) + " must be known at compile time");
    return 1;
  }
  return *known;
}

int64_t Binder::axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    fail("axis " + llvm::Twine(axis) + " is outside a tensor of " +
         llvm::Twine(rank) + " dimensions");
    return 0;
  }
  return axis < 0 ? axis + rank : axis;
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

/// A constant for an integer tensor whose elements are all known.
Value Binder::folded(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!isa<IntegerType>(type.getElementType()) || !type.hasStaticShape() ||
      type.getNumElements() > 64 || matchPattern(value, m_Constant()))
    return value;
  auto known = shapes().constants(value);
  if (!known || int64_t(known->size()) != type.getNumElements())
    return value;
  SmallVector<APInt> elements;
  for (int64_t element : *known)
    elements.push_back(
        APInt(type.getElementTypeBitWidth(), element, true, true));
  return constant(DenseElementsAttr::get(type, elements));
}

SmallVector<Value> Binder::makeAll(StringRef name, ArrayRef<Type> elementTypes,
                                   ValueRange operands, Attributes attributes) {
  SmallVector<Value> none(elementTypes.size());
  if (failed())
    return none;
  for (Value operand : operands)
    if (!operand) {
      fail("an operand is missing");
      return none;
    }
  for (Type elementType : elementTypes)
    if (!elementType) {
      fail("the element type is missing");
      return none;
    }
  if (!RegisteredOperationName::lookup(name, context())) {
    fail("there is no operation '" + name + "'");
    return none;
  }
  // Shapes that are computed become constants once they are known.
  SmallVector<Value> known;
  for (Value operand : operands)
    known.push_back(folded(operand));
  // An op's own errors become the node's reason.
  std::string message;
  Operation *op;
  {
    ScopedDiagnosticHandler capture(context(), [&](Diagnostic &diagnostic) {
      if (message.empty() &&
          diagnostic.getSeverity() == DiagnosticSeverity::Error)
        message = diagnostic.str();
    });
    op = graph::createOp(builder(), loc, shapes(), name, elementTypes, known,
                         attributes);
  }
  if (!op) {
    StringRef text = message;
    text.consume_front("'" + name.str() + "' op ");
    fail(text.empty() ? "its operands do not fit" : text);
    return none;
  }
  noteEqualities(op);
  return llvm::to_vector(llvm::map_range(
      op->getResults(), [](OpResult result) -> Value { return result; }));
}

Value Binder::make(StringRef name, Type elementType, ValueRange operands,
                   Attributes attributes) {
  SmallVector<Value> all = makeAll(name, elementType, operands, attributes);
  return all.empty() ? Value() : all.front();
}

void Binder::perform(StringRef name, ValueRange operands,
                     Attributes attributes) {
  makeAll(name, {}, operands, attributes);
}

/// Operands of an elementwise op whose sizes are different symbols of the
/// entry: the model means them to be equal.
void Binder::noteEqualities(Operation *op) {
  if (!isa<graph::Elementwise>(op) || op->getNumOperands() < 2)
    return;
  auto entrySymbol = [&](AffineExpr size) -> std::optional<unsigned> {
    auto symbol = dyn_cast_or_null<AffineSymbolExpr>(size);
    if (!symbol)
      return std::nullopt;
    Value origin = shapes().origin(symbol.getPosition()).value;
    auto argument = dyn_cast_or_null<BlockArgument>(origin);
    if (!argument || !isa<func::FuncOp>(argument.getOwner()->getParentOp()))
      return std::nullopt;
    return symbol.getPosition();
  };
  for (size_t other = 1; other < op->getNumOperands(); ++other) {
    ArrayRef<AffineExpr> a = dims(op->getOperand(0)),
                         b = dims(op->getOperand(other));
    for (size_t i = 1; i <= std::min(a.size(), b.size()); ++i) {
      auto first = entrySymbol(a[a.size() - i]),
           second = entrySymbol(b[b.size() - i]);
      if (first && second && *first != *second)
        state.equalities.push_back({*first, *second});
    }
  }
}

Value Binder::constant(ElementsAttr value) {
  if (failed() || !value)
    return {};
  auto op = graph::ConstantOp::create(builder(), loc, value);
  if (mlir::failed(op.inferShapes(shapes()))) {
    fail("a constant without a shape");
    return {};
  }
  return op.getResult();
}

Value Binder::scalar(Type elementType, double value) {
  if (failed() || !elementType)
    return {};
  auto type = RankedTensorType::get({}, elementType);
  if (auto number = dyn_cast<FloatType>(elementType)) {
    APFloat converted(value);
    bool inexact;
    converted.convert(number.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                      &inexact);
    return constant(DenseElementsAttr::get(type, converted));
  }
  if (auto integer = dyn_cast<IntegerType>(elementType)) {
    if (integer.getWidth() == 1)
      return constant(DenseElementsAttr::get(type, value != 0));
    return constant(DenseElementsAttr::get(
        type, APInt(integer.getWidth(), uint64_t(int64_t(value)), true, true)));
  }
  if (auto complex = dyn_cast<ComplexType>(elementType)) {
    auto part = dyn_cast<FloatType>(complex.getElementType());
    if (part && part.isF32())
      return constant(DenseElementsAttr::get(
          type, std::complex<float>(float(value), 0.0f)));
    if (part && part.isF64())
      return constant(
          DenseElementsAttr::get(type, std::complex<double>(value, 0.0)));
  }
  if (isa<graph::StringType>(elementType) && value == 0) // what zero stands for
    return constant(DenseStringElementsAttr::get(type, {StringRef()}));
  fail("no number of this element type");
  return {};
}

Value Binder::integersConstant(ArrayRef<int64_t> values, Type elementType) {
  auto integer = dyn_cast_or_null<IntegerType>(elementType);
  if (failed() || !integer)
    return {};
  SmallVector<APInt> elements;
  for (int64_t value : values)
    elements.push_back(APInt(integer.getWidth(), value, true, true));
  auto type = RankedTensorType::get({int64_t(values.size())}, elementType);
  return constant(DenseElementsAttr::get(type, elements));
}

Value Binder::cast(Value value, Type elementType) {
  if (type(value) == elementType)
    return value;
  return make("graph.cast", elementType, value);
}

Value Binder::transpose(Value value, ArrayRef<int64_t> permutation) {
  return make("graph.transpose", type(value), value,
              attribute("permutation", permutation));
}

Value Binder::reshape(Value value, ArrayRef<AffineExpr> sizes) {
  if (!value || llvm::equal(dims(value), sizes))
    return value;
  return make("graph.reshape", type(value), {value, shapeTensor(sizes)});
}

NamedAttribute Binder::attribute(StringRef name, Attribute value) {
  return builder().getNamedAttr(name, value);
}
NamedAttribute Binder::attribute(StringRef name, int64_t value) {
  return attribute(name, builder().getI64IntegerAttr(value));
}
NamedAttribute Binder::attribute(StringRef name, ArrayRef<int64_t> value) {
  return attribute(name, builder().getDenseI64ArrayAttr(value));
}
NamedAttribute Binder::realAttribute(StringRef name, double value) {
  return attribute(name, builder().getF32FloatAttr(float(value)));
}
NamedAttribute Binder::unit(StringRef name) {
  return attribute(name, builder().getUnitAttr());
}
NamedAttribute Binder::textAttribute(StringRef name, StringRef value) {
  return attribute(name, builder().getStringAttr(value));
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void Binder::set(unsigned i, ImportedValue value) {
  if (results.size() <= i)
    results.resize(i + 1);
  results[i] = std::move(value);
}

void Binder::set(unsigned i, Value value) { set(i, ImportedValue::of(value)); }

void Binder::setAll(ArrayRef<Value> values) {
  for (auto [i, value] : llvm::enumerate(values))
    set(i, value);
}

} // namespace tenon
