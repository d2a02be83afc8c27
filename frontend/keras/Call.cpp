//===- Call.cpp - one call of a layer in translation ----------------------===//

#include "frontend/keras/Call.h"

#include "dialects/graph/Graph.h"
#include "frontend/keras/LayerImporter.h"

using namespace mlir;

namespace tenon::keras {

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

Argument Argument::of(Value tensor, Value mask) {
  Argument argument;
  argument.kind = tensor ? Tensor : Missing;
  argument.tensor = tensor;
  argument.mask = mask;
  return argument;
}

Argument Argument::list(std::vector<Argument> items) {
  Argument argument;
  argument.kind = List;
  argument.items = std::move(items);
  return argument;
}

void Argument::flatten(std::vector<const Argument *> &all) const {
  if (kind == List) {
    for (const Argument &item : items)
      item.flatten(all);
  } else if (kind != None && kind != Constant) {
    all.push_back(this);
  }
}

bool Argument::isMissing() const {
  return kind == Missing || llvm::any_of(items, [](const Argument &item) {
           return item.isMissing();
         });
}

Call::Call(LayerImporter &importer, Layer &layer, Location loc,
           OpBuilder &builder, graph::ShapeContext &shapes, bool training)
    : g(builder, shapes, loc), layer(layer), config(layer.config, problem),
      training(training), importer(importer) {
  compute = typeNamed(computeTypeName(layer.config));
}

const Argument &Call::argument(unsigned position, StringRef name) const {
  static const Argument none;
  if (position < arguments.size())
    return arguments[position];
  auto found = keywords.find(name.str());
  return found == keywords.end() ? none : found->second;
}

Tensor Call::tensor(unsigned position, StringRef name, bool required) {
  const Argument &given = argument(position, name);
  if (given.kind == Argument::Tensor && !failed())
    return wrap(given.tensor);
  if (given.kind != Argument::None || required)
    fail("argument '" + name + "' must be a tensor");
  return wrap({});
}

Tensor Call::input(int64_t minRank) {
  std::vector<const Argument *> all;
  if (!arguments.empty())
    arguments[0].flatten(all);
  if (all.size() != 1) {
    fail("expected one tensor, got " + llvm::Twine(all.size()));
    return wrap({});
  }
  Tensor x = wrap(all[0]->tensor);
  if (x.rank() < minRank) {
    fail("expected a tensor of at least " + llvm::Twine(minRank) +
         " dimensions, got " + graph::shapeString(x.dims()));
    return wrap({});
  }
  return failed() ? wrap({}) : x;
}

Tensor Call::inputOfRank(int64_t rank) {
  Tensor x = input();
  if (x && x.rank() != rank) {
    fail("expected a tensor of " + llvm::Twine(rank) + " dimensions, got " +
         graph::shapeString(x.dims()));
    return wrap({});
  }
  return x;
}

SmallVector<Tensor> Call::inputs() {
  std::vector<const Argument *> all;
  if (!arguments.empty())
    arguments[0].flatten(all);
  return llvm::map_to_vector(
      all, [&](const Argument *one) { return wrap(one->tensor); });
}

SmallVector<Tensor> Call::masks() {
  std::vector<const Argument *> all;
  if (!arguments.empty())
    arguments[0].flatten(all);
  return llvm::map_to_vector(
      all, [&](const Argument *one) { return wrap(one->mask); });
}

Tensor Call::mask() {
  auto given = keywords.find("mask");
  if (given != keywords.end() && given->second.kind == Argument::Tensor)
    return wrap(given->second.tensor);
  SmallVector<Tensor> all = masks();
  return all.empty() ? wrap({}) : all[0];
}

//===----------------------------------------------------------------------===//
// Types and sizes
//===----------------------------------------------------------------------===//

Type elementTypeNamed(StringRef name, MLIRContext *context) {
  Builder b(context);
  Type none;
  return llvm::StringSwitch<Type>(name)
      .Case("float32", b.getF32Type())
      .Case("float64", b.getF64Type())
      .Case("float16", b.getF16Type())
      .Case("bfloat16", b.getBF16Type())
      .Case("bool", b.getI1Type())
      .Case("int8", b.getI8Type())
      .Case("int16", b.getI16Type())
      .Case("int32", b.getI32Type())
      .Case("int64", b.getI64Type())
      .Case("uint8", b.getIntegerType(8, false))
      .Case("uint16", b.getIntegerType(16, false))
      .Case("uint32", b.getIntegerType(32, false))
      .Case("uint64", b.getIntegerType(64, false))
      .Case("string", graph::StringType::get(context))
      .Default(none);
}

std::string computeTypeName(const llvm::json::Object &config) {
  StringRef name = "float32";
  if (auto text = config.getString("dtype")) {
    name = *text;
  } else if (const auto *policy = config.getObject("dtype")) {
    if (const auto *inner = policy->getObject("config")) {
      if (auto text = inner->getString("name"))
        name = *text;
      // A policy for each layer; the one for all others is the default.
      if (const auto *other = inner->getObject("default_policy"))
        if (const auto *config = other->getObject("config"))
          name = config->getString("name").value_or(name);
    }
  }
  if (name == "mixed_float16")
    return "float16";
  if (name == "mixed_bfloat16")
    return "bfloat16";
  return name.str();
}

Type Call::typeNamed(StringRef name) {
  Type type = elementTypeNamed(name, g.builder.getContext());
  if (!type) {
    fail("'" + name + "' is not a supported element type or policy");
    return g.builder.getF32Type();
  }
  return type;
}

int64_t Call::axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    fail("axis " + llvm::Twine(axis) + " is outside a tensor of " +
         llvm::Twine(rank) + " dimensions");
    return 0;
  }
  return axis < 0 ? axis + rank : axis;
}

SmallVector<int64_t> Call::axes(StringRef key, int64_t rank) {
  SmallVector<int64_t> result;
  const llvm::json::Value *value = config.get(key);
  if (value && value->getAsInteger())
    result.push_back(axis(*value->getAsInteger(), rank));
  else
    for (int64_t one : config.integers(key))
      result.push_back(axis(one, rank));
  llvm::sort(result);
  if (std::adjacent_find(result.begin(), result.end()) != result.end())
    fail("'" + key + "' names an axis twice");
  return result;
}

int64_t Call::staticDim(Tensor x, int64_t dim) {
  if (!x)
    return 1;
  dim = axis(dim, x.rank());
  if (failed())
    return 1;
  if (auto known = knownDim(x, dim))
    return *known;
  fail("dimension " + llvm::Twine(dim) + " of the input must be known");
  return 1;
}

bool Call::channelsFirst() {
  std::string format = config.text("data_format", "channels_last");
  if (format != "channels_first" && format != "channels_last")
    fail("'data_format' is '" + format +
         "', expected channels_last or channels_first");
  return format == "channels_first";
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

bool Call::hasWeight(StringRef name) const {
  return llvm::any_of(layer.weights,
                      [&](const Weight &w) { return w.name == name; });
}

Weight *Call::find(StringRef name) {
  for (Weight &weight : layer.weights)
    if (weight.name == name && weight.value)
      return failed() ? nullptr : &weight;
  fail("there is no weight '" + name + "'");
  return nullptr;
}

Tensor Call::read(Weight &weight, bool cast) {
  FlatSymbolRefAttr symbol = importer.variable(layer, weight);
  if (!symbol) {
    fail("weight '" + weight.name + "' has elements of an unsupported type");
    return wrap({});
  }
  auto type = SymbolTable::lookupNearestSymbolFrom(
                  g.builder.getInsertionBlock()->getParentOp(), symbol)
                  ->getAttrOfType<TypeAttr>("type");
  Type element = getElementTypeOrSelf(type.getValue());
  Tensor value = g.make("graph.read", element, {},
                        g.builder.getNamedAttr("variable", symbol));
  return cast && isa<FloatType>(element) && isa<FloatType>(compute)
             ? graph::cast(value, compute)
             : value;
}

Tensor Call::weight(StringRef name, ArrayRef<int64_t> shape, bool cast) {
  Weight *weight = find(name);
  if (!weight)
    return wrap({});
  const std::vector<int64_t> &have = weight->value->shape;
  bool fits = have.size() == shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i)
    fits = shape[i] < 0 || have[i] == shape[i];
  auto describe = [](ArrayRef<int64_t> sizes) {
    std::string text;
    for (int64_t size : sizes)
      text += (text.empty() ? "" : "x") +
              (size < 0 ? std::string("?") : std::to_string(size));
    return text.empty() ? std::string("scalar") : text;
  };
  if (!fits) {
    fail("weight '" + name + "' is " + describe(have) + " in the file, " +
         "expected " + describe(shape));
    return wrap({});
  }
  return read(*weight, cast);
}

Tensor Call::weight(StringRef name) {
  Weight *weight = find(name);
  return weight ? read(*weight, /*cast=*/true) : wrap({});
}

void Call::assign(StringRef name, Tensor value) {
  Weight *weight = find(name);
  if (weight && value)
    g.makeAll(
        "graph.assign", {}, value,
        g.builder.getNamedAttr("variable", importer.variable(layer, *weight)));
}

Tensor Call::state(StringRef name, ArrayRef<int64_t> shape, Type type) {
  if (failed())
    return wrap({});
  return g.make(
      "graph.read", type, {},
      g.builder.getNamedAttr(
          "variable", importer.stateVariable(layer, name,
                                             RankedTensorType::get(shape, type),
                                             /*generator=*/false)));
}

void Call::assignState(StringRef name, Tensor value) {
  if (failed() || !value)
    return;
  auto type = cast<RankedTensorType>(value.value().getType());
  g.makeAll("graph.assign", {}, value,
            g.builder.getNamedAttr(
                "variable", importer.stateVariable(layer, name, type,
                                                   /*generator=*/false)));
}

//===----------------------------------------------------------------------===//
// Parts, random numbers, results
//===----------------------------------------------------------------------===//

Argument Call::callPart(StringRef attribute, std::vector<Argument> given,
                        std::map<std::string, Argument> named) {
  Layer *inner = layer.part(attribute);
  if (!inner) {
    fail("there is no layer in '" + attribute + "'");
    return {};
  }
  return callLayer(*inner, std::move(given), std::move(named));
}

Argument Call::callLayer(Layer &inner, std::vector<Argument> given,
                         std::map<std::string, Argument> named) {
  Argument value;
  value.kind = Argument::Missing;
  if (!failed())
    value = importer.call(inner, std::move(given), std::move(named), g.builder);
  if (value.isMissing())
    g.abandon(); // it was reported
  return value;
}

Tensor Call::random(StringRef op, ArrayRef<Size> sizes, Type type) {
  if (failed())
    return wrap({});
  Type word = g.builder.getIntegerType(64, /*isSigned=*/false);
  // The count of blocks used; without a seed one that no two starts share.
  auto symbol = g.builder.getNamedAttr(
      "variable", importer.stateVariable(layer, "seed_generator",
                                         RankedTensorType::get({2}, word),
                                         /*generator=*/true));
  Tensor shape = shapeOf(g, sizes);
  Tensor counter = g.make("graph.read", word, {}, symbol);
  Tensor key =
      constant(g, word, double(config.integer("seed", 0) & 0xffffffff), 1);
  Tensor drawn =
      g.make(("graph.random_" + op).str(), type, {shape, key, counter});
  g.makeAll("graph.assign", {},
            g.make("graph.random_skip", word, {counter, shape}), symbol);
  return drawn;
}

Tensor Call::randomUniform(ArrayRef<Size> sizes, Type type) {
  return random("uniform", sizes, type);
}

Tensor Call::randomNormal(ArrayRef<Size> sizes, Type type) {
  return random("normal", sizes, type);
}

void Call::set(Tensor value) {
  if (!value)
    g.abandon();
  result = Argument::of(value ? value.value() : Value(), result.mask);
}

void Call::setList(ArrayRef<Tensor> values) {
  std::vector<Argument> items;
  for (Tensor value : values) {
    if (!value)
      g.abandon();
    items.push_back(Argument::of(value ? value.value() : Value()));
  }
  result = Argument::list(std::move(items));
}

void Call::setMask(Tensor mask) {
  Value value = mask ? mask.value() : Value();
  if (result.kind == Argument::List && !result.items.empty())
    result.items[0].mask = value;
  else
    result.mask = value;
}

} // namespace tenon::keras
