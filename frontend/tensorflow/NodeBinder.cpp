//===- NodeBinder.cpp - rows' view of a TensorFlow node -------------------===//

#include "frontend/tensorflow/NodeBinder.h"
#include "frontend/tensorflow/Elements.h"

using namespace mlir;

namespace tenon::tf {

/// A few bytes of a file may stand for any number: programs hold them all.
constexpr int64_t kMaxRepeatedBytes = int64_t(1) << 30;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const AttrValue *NodeBinder::find(StringRef attr, AttrValue::ValueCase kind,
                                  bool optional) {
  const AttrValue *value = node.attr(attr);
  if (!value || value->value_case() == AttrValue::VALUE_NOT_SET) {
    if (!optional)
      fail("attribute '" + attr + "' is missing");
    return nullptr;
  }
  if (value->value_case() != kind) {
    fail("attribute '" + attr + "' has another kind of value than expected");
    return nullptr;
  }
  return value;
}

bool NodeBinder::has(StringRef attr) { return node.attr(attr) != nullptr; }

int64_t NodeBinder::integer(StringRef attr, std::optional<int64_t> otherwise) {
  const AttrValue *value = find(attr, AttrValue::kI, otherwise.has_value());
  return value ? value->i() : otherwise.value_or(0);
}

double NodeBinder::real(StringRef attr, std::optional<double> otherwise) {
  const AttrValue *value = find(attr, AttrValue::kF, otherwise.has_value());
  return value ? value->f() : otherwise.value_or(0);
}

bool NodeBinder::flag(StringRef attr, std::optional<bool> otherwise) {
  const AttrValue *value = find(attr, AttrValue::kB, otherwise.has_value());
  return value ? value->b() : otherwise.value_or(false);
}

std::string NodeBinder::text(StringRef attr,
                             std::optional<std::string> otherwise) {
  const AttrValue *value = find(attr, AttrValue::kS, otherwise.has_value());
  return value ? value->s() : otherwise.value_or("");
}

Type NodeBinder::elementType(StringRef attr) {
  const AttrValue *value = find(attr, AttrValue::kType, false);
  if (!value)
    return {};
  Type type = elementTypeOf(value->type(), context());
  if (!type)
    fail("element type " + dtypeName(value->type()) + " is not supported");
  return type;
}

bool NodeBinder::isOpaque(StringRef attr) {
  const AttrValue *value = find(attr, AttrValue::kType, true);
  return value && (value->type() == DataType::DT_VARIANT ||
                   value->type() == DataType::DT_RESOURCE);
}

SmallVector<std::string> NodeBinder::texts(StringRef attr) {
  const AttrValue *value = find(attr, AttrValue::kList, true);
  if (!value)
    return {};
  return {value->list().s().begin(), value->list().s().end()};
}

SmallVector<Type> NodeBinder::elementTypes(StringRef attr) {
  SmallVector<Type> types;
  if (const AttrValue *value = find(attr, AttrValue::kList, true))
    for (int number : value->list().type()) {
      types.push_back(elementTypeOf(DataType(number), context()));
      if (!types.back())
        fail("element type " + dtypeName(DataType(number)) +
             " is not supported");
    }
  return types;
}

SmallVector<std::optional<SmallVector<int64_t>>>
NodeBinder::shapeList(StringRef attr) {
  SmallVector<std::optional<SmallVector<int64_t>>> shapes;
  if (const AttrValue *value = find(attr, AttrValue::kList, true))
    for (const auto &shape : value->list().shape()) {
      std::optional<SmallVector<int64_t>> &sizes = shapes.emplace_back();
      if (shape.unknown_rank())
        continue;
      sizes.emplace();
      for (const auto &dim : shape.dim())
        sizes->push_back(dim.size() < 0 ? -1 : dim.size());
    }
  return shapes;
}

SmallVector<int64_t>
NodeBinder::integers(StringRef attr,
                     std::optional<SmallVector<int64_t>> otherwise) {
  const AttrValue *value = find(attr, AttrValue::kList, otherwise.has_value());
  if (!value)
    return otherwise.value_or(SmallVector<int64_t>());
  return {value->list().i().begin(), value->list().i().end()};
}

SmallVector<double> NodeBinder::reals(StringRef attr) {
  const AttrValue *value = find(attr, AttrValue::kList, true);
  if (!value)
    return {};
  return {value->list().f().begin(), value->list().f().end()};
}

std::optional<SmallVector<int64_t>> NodeBinder::shape(StringRef attr) {
  const AttrValue *value = node.attr(attr);
  if (!value || value->value_case() != AttrValue::kShape ||
      value->shape().unknown_rank())
    return std::nullopt;
  SmallVector<int64_t> sizes;
  for (const auto &dim : value->shape().dim())
    sizes.push_back(dim.size() < 0 ? -1 : dim.size());
  return sizes;
}

ElementsAttr NodeBinder::checked(llvm::Expected<TensorData> &tensor,
                                 StringRef name) {
  if (!tensor)
    return fail(llvm::toString(tensor.takeError())), ElementsAttr();
  if (!elementTypeOf(tensor->dtype, context()))
    return fail("element type " + dtypeName(tensor->dtype) +
                " is not supported"),
           ElementsAttr();
  return elementsOf(*tensor, name, context());
}

ElementsAttr NodeBinder::elements(StringRef attr) {
  const AttrValue *value = find(attr, AttrValue::kTensor, false);
  if (!value)
    return {};
  ElementsAttr &known = importer.model.elements[&value->tensor()];
  if (known)
    return known;
  // Values that are left out because they repeat.
  int64_t held = value->tensor().ByteSizeLong(), needed = 1;
  SmallVector<int64_t> sizes;
  for (const auto &dim : value->tensor().tensor_shape().dim())
    sizes.push_back(dim.size());
  if (auto count = elementCount(
          sizes, std::max(elementBytes(value->tensor().dtype()), 1u)))
    needed = *count;
  bool repeats = needed > 8 * held;
  if (repeats)
    importer.model.repeatedBytes += needed;
  if (repeats && importer.model.repeatedBytes > kMaxRepeatedBytes) {
    fail("the file's constants that repeat values take more than " +
         llvm::Twine(kMaxRepeatedBytes >> 30) + " GiB");
    return {};
  }
  auto tensor = readTensor(value->tensor(), importer.model.model.storage);
  return known = checked(tensor, node.name);
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

const Graph *NodeBinder::function(Callee callee) {
  const AttrValue *value =
      find(callee.attr, callee.index < 0 ? AttrValue::kFunc : AttrValue::kList,
           false);
  if (!value)
    return nullptr;
  if (callee.index >= value->list().func_size()) {
    fail("attribute '" + callee.attr + "' has no function " +
         llvm::Twine(callee.index));
    return nullptr;
  }
  const std::string &name = callee.index < 0
                                ? value->func().name()
                                : value->list().func(callee.index).name();
  const Graph *graph = importer.model.model.function(name);
  if (!graph)
    fail("there is no function '" + name + "'");
  return graph;
}

int NodeBinder::functionCount(StringRef attr) {
  const AttrValue *value = find(attr, AttrValue::kList, false);
  return value ? value->list().func_size() : 0;
}

unsigned NodeBinder::functionArity(Callee callee) {
  const Graph *body = function(callee);
  return body ? body->argumentCount : 0;
}

SmallVector<bool> NodeBinder::passedThrough(Callee called) {
  SmallVector<bool> result;
  const Graph *callee = function(called);
  if (!callee)
    return result;
  for (auto [i, edge] : llvm::enumerate(callee->results)) {
    int source = edge.node;
    for (size_t step = 0; step < callee->nodes.size(); ++step) {
      const Node &at = callee->nodes[source];
      if (at.op != "Identity" || at.inputs.size() != 1 || !at.controls.empty())
        break;
      source = at.inputs[0].node;
    }
    result.push_back(source == int(i) && !callee->nodes[source].def);
  }
  return result;
}

SmallVector<ImportedValue>
NodeBinder::inlineFunction(Callee called, ArrayRef<ImportedValue> arguments) {
  const Graph *callee = function(called);
  if (!callee)
    return {};
  if (int(arguments.size()) != callee->argumentCount) {
    fail("function '" + callee->name + "' takes " +
         llvm::Twine(callee->argumentCount) + " arguments, got " +
         llvm::Twine(arguments.size()));
    return {};
  }
  return importer.importFunction(
      *callee, arguments, callee->raised ? frame.prefix : name().str() + "/",
      frame);
}

void NodeBinder::callByName(StringRef callee) {
  SmallVector<ImportedValue> arguments;
  for (unsigned i = 0; i < inputCount(); ++i)
    arguments.push_back(raw(i));
  const Graph *body = importer.model.model.function(callee);
  if (int(arguments.size()) != body->argumentCount)
    return fail("function '" + callee + "' takes " +
                llvm::Twine(body->argumentCount) + " arguments, got " +
                llvm::Twine(arguments.size()));
  for (ImportedValue &value :
       importer.importFunction(*body, arguments, name().str() + "/", frame))
    results.push_back(std::move(value));
}

//===----------------------------------------------------------------------===//
// Variables
//===----------------------------------------------------------------------===//

void NodeBinder::buildVariable(const ImportedValue &handle,
                               RankedTensorType type, ElementsAttr initial,
                               ArrayRef<NamedAttribute> more) {
  OpBuilder::InsertionGuard guard(builder());
  // Variables stand before all entries, in the order in which they are met.
  Block *body = importer.model.module.getBody();
  Block::iterator place = body->end();
  while (place != body->begin() && isa<func::FuncOp>(*std::prev(place)))
    --place;
  builder().setInsertionPoint(body, place);
  OperationState state(location(), "graph.variable");
  state.addAttribute("sym_name", builder().getStringAttr(handle.symbol));
  state.addAttribute("type", TypeAttr::get(type));
  if (initial)
    state.addAttribute("initial", initial);
  state.addAttributes(more);
  builder().create(state);
}

ImportedValue NodeBinder::declareGenerator(RankedTensorType type,
                                           ElementsAttr initial) {
  std::string symbol = (name() + "/generator").str();
  ModelState &model = importer.model;
  ImportedValue &known = model.variables[symbol];
  if (known.kind == ImportedValue::Variable)
    return known;
  known.kind = ImportedValue::Variable;
  known.symbol = symbol;
  while (model.reserved.contains(known.symbol))
    known.symbol += "_variable";
  known.elementType = type.getElementType();
  buildVariable(known, type, initial, {{"generator", builder().getUnitAttr()}});
  return known;
}

ImportedValue NodeBinder::declareVariable(bool reference) {
  std::string shared = text("shared_name", "");
  if (shared.empty())
    shared = node.name;
  ModelState &model = importer.model;
  ImportedValue &known = model.variables[shared];
  if (known.kind == ImportedValue::Variable)
    return known;

  ImportedValue handle;
  handle.kind = ImportedValue::Variable;
  handle.reference = reference;
  handle.symbol = shared;
  while (model.reserved.contains(handle.symbol))
    handle.symbol += "_variable";
  handle.elementType = elementType("dtype");
  if (failed())
    return {};
  std::optional<SmallVector<int64_t>> sizes = shape("shape");
  ElementsAttr initial;
  auto variable = model.model.variables.find(node.name);
  if (variable != model.model.variables.end() && variable->second.read) {
    auto tensor = variable->second.read();
    initial = checked(tensor, shared);
    if (!initial)
      return {};
    bool fits = !sizes || sizes->size() == tensor->shape.size();
    for (size_t i = 0; fits && sizes && i < sizes->size(); ++i)
      fits = (*sizes)[i] < 0 || (*sizes)[i] == tensor->shape[i];
    if (!fits) {
      fail("the value of variable '" + shared +
           "' in the checkpoint has another shape");
      return {};
    }
    sizes.emplace(tensor->shape.begin(), tensor->shape.end());
  }
  if (!sizes) {
    fail("variable '" + shared + "' has no shape");
    return {};
  }
  SmallVector<int64_t> extents;
  for (int64_t &size : *sizes) {
    extents.push_back(std::max<int64_t>(size, 1));
    if (size < 0)
      size = ShapedType::kDynamic;
  }
  if (sizes->size() > kMaxRank || !elementCount(extents)) {
    fail("variable '" + shared + "' is impossibly large");
    return {};
  }
  SmallVector<NamedAttribute> more;
  if (variable != model.model.variables.end() && variable->second.trainable)
    more.emplace_back("trainable", builder().getUnitAttr());
  if (handle.symbol != shared)
    more.emplace_back("original", builder().getStringAttr(shared));
  buildVariable(handle, RankedTensorType::get(*sizes, handle.elementType),
                initial, more);
  known = handle;
  return handle;
}

} // namespace tenon::tf
