//===- Operations.cpp - functions of keras.ops between layers -------------===//
//
// Their arguments are tensors and constants; settings are in the configuration,
// or are arguments, too, depending on the function.
//
//===----------------------------------------------------------------------===//

#include "frontend/keras/layers/Images.h"
#include "frontend/keras/layers/Layers.h"

using namespace mlir;

namespace tenon::keras {

namespace {
bool isFloat(Type type) { return isa<FloatType>(type); }

/// The type that Keras computes with two types in.
Type commonType(Type a, Type b) {
  if (a == b)
    return a;
  if (isFloat(a) != isFloat(b))
    return isFloat(a) ? a : b;
  unsigned x = a.getIntOrFloatBitWidth(), y = b.getIntOrFloatBitWidth();
  if (isFloat(a))
    return x == y ? Type(Float32Type::get(a.getContext())) : x > y ? a : b;
  return x >= y ? a : b;
}

/// The constant that an argument or the configuration has for `name`.
const llvm::json::Value *settingOf(Call &c, unsigned position, StringRef name) {
  const Argument &given = c.argument(position, name);
  if (given.kind == Argument::Constant)
    return given.constant;
  return c.config.get(name);
}

std::optional<int64_t> integerOf(Call &c, unsigned position, StringRef name) {
  const llvm::json::Value *value = settingOf(c, position, name);
  return value ? value->getAsInteger() : std::nullopt;
}

bool flagOf(Call &c, unsigned position, StringRef name) {
  const llvm::json::Value *value = settingOf(c, position, name);
  return value && value->getAsBoolean().value_or(false);
}

/// Integers of a list, or one integer.
std::optional<SmallVector<int64_t>> integersOf(const llvm::json::Value *value) {
  SmallVector<int64_t> result;
  if (!value)
    return std::nullopt;
  if (auto one = value->getAsInteger()) {
    result.push_back(*one);
    return result;
  }
  const llvm::json::Array *list = value->getAsArray();
  if (!list)
    return std::nullopt;
  for (const llvm::json::Value &element : *list) {
    auto one = element.getAsInteger();
    if (!one)
      return std::nullopt;
    result.push_back(*one);
  }
  return result;
}

/// The axes of setting `name`; all of them when it is not given.
SmallVector<int64_t> axesOf(Call &c, unsigned position, StringRef name,
                            int64_t rank) {
  const llvm::json::Value *value = settingOf(c, position, name);
  auto given = integersOf(value);
  if (!given) {
    if (value)
      c.fail("'" + name + "' must be an axis or a list of axes");
    return graph::upTo(rank);
  }
  for (int64_t &axis : *given)
    axis = c.axis(axis, rank);
  return *given;
}

/// Tensor argument `position`, or a constant as one: in the type of `like`
/// unless that is an integer type and the number has a fraction.
Tensor operand(Call &c, unsigned position, StringRef name, Type like) {
  const Argument &given = c.argument(position, name);
  if (given.kind == Argument::Tensor)
    return c.wrap(given.tensor);
  const llvm::json::Value *value = given.constant;
  if (!value || given.kind != Argument::Constant) {
    c.fail("argument '" + name + "' must be a tensor or a number");
    return c.wrap({});
  }
  Type f32 = c.g.builder.getF32Type();
  if (auto flag = value->getAsBoolean())
    return c.g.scalar(
        like && !like.isInteger(1) ? like : c.g.builder.getI1Type(), *flag);
  // Arrays among the arguments are stored as objects.
  const llvm::json::Value *array = value;
  Type own = like;
  if (const llvm::json::Object *object = value->getAsObject()) {
    if (const llvm::json::Object *fields = object->getObject("config")) {
      array = fields->get("value");
      if (auto dtype = fields->getString("dtype"))
        own = c.typeNamed(*dtype);
    }
  }
  SmallVector<double> all;
  SmallVector<int64_t> shape;
  if (!array || !readArray(*array, all, shape)) {
    c.fail("argument '" + name + "' must be a tensor, a number or an array");
    return c.wrap({});
  }
  bool fraction =
      llvm::any_of(*array == *value ? all : SmallVector<double>(),
                   [](double x) { return x != std::floor(x); }) ||
      (array->kind() == llvm::json::Value::Number && !array->getAsInteger());
  if (!own)
    own = fraction ? f32 : c.g.builder.getI32Type();
  if (own.isInteger(1) || (fraction && isa<IntegerType>(own)))
    own = fraction ? f32 : c.g.builder.getI32Type();
  return constant(c.g, own, all, shape);
}

/// Both operands in one type.
std::pair<Tensor, Tensor> operands(Call &c, StringRef second = "x2",
                                   StringRef first = "x1") {
  auto typeAt = [&](unsigned position, StringRef name) {
    const Argument &given = c.argument(position, name);
    return given.kind == Argument::Tensor ? c.wrap(given.tensor).type()
                                          : Type();
  };
  Tensor a = operand(c, 0, first, typeAt(1, second)),
         b = operand(c, 1, second, typeAt(0, first));
  if (!a || !b || c.failed())
    return {};
  Type type = commonType(a.type(), b.type());
  return {graph::cast(a, type), graph::cast(b, type)};
}

Tensor tensorArgument(Call &c) { return c.tensor(0, "x"); }

/// In a type with fractions.
Tensor asFloat(Tensor x) {
  if (!x || isFloat(x.type()))
    return x;
  return graph::cast(x, Float32Type::get(x.type().getContext()));
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

struct NamedOp {
  const char *name, *op;
};
constexpr NamedOp kFloatUnary[] = {
    {"Exp", "exp"},           {"Expm1", "expm1"},
    {"Log", "log"},           {"Log1p", "log1p"},
    {"Sqrt", "sqrt"},         {"Rsqrt", "rsqrt"},
    {"Sin", "sin"},           {"Cos", "cos"},
    {"Tan", "tan"},           {"Arcsin", "asin"},
    {"Arccos", "acos"},       {"Arctan", "atan"},
    {"Sinh", "sinh"},         {"Cosh", "cosh"},
    {"Tanh", "tanh"},         {"Arcsinh", "asinh"},
    {"Arccosh", "acosh"},     {"Arctanh", "atanh"},
    {"Erf", "erf"},           {"Erfinv", "erfinv"},
    {"Floor", "floor"},       {"Ceil", "ceil"},
    {"Sigmoid", "sigmoid"},   {"Softplus", "softplus"},
    {"Softsign", "softsign"}, {"Reciprocal", "reciprocal"},
    {"Selu", "selu"}};
constexpr NamedOp kUnary[] = {
    {"Abs", "abs"},       {"Absolute", "abs"}, {"Negative", "neg"},
    {"Square", "square"}, {"Sign", "sign"},    {"Relu", "relu"},
    {"Relu6", "relu6"},   {"Round", "round"},  {"LogicalNot", "not"}};
constexpr NamedOp kBinary[] = {
    {"Add", "add"},         {"Subtract", "sub"},         {"Multiply", "mul"},
    {"Maximum", "maximum"}, {"Minimum", "minimum"},      {"Power", "pow"},
    {"Mod", "floor_mod"},   {"FloorDivide", "floor_div"}};
constexpr NamedOp kComparisons[] = {
    {"Equal", "equal"},     {"NotEqual", "not_equal"},
    {"Less", "less"},       {"LessEqual", "less_equal"},
    {"Greater", "greater"}, {"GreaterEqual", "greater_equal"}};
constexpr NamedOp kLogic[] = {
    {"LogicalAnd", "and"}, {"LogicalOr", "or"}, {"LogicalXor", "xor"}};
constexpr NamedOp kReductions[] = {
    {"Sum", "sum"},   {"Mean", "mean"}, {"Max", "max"},
    {"Min", "min"},   {"Amax", "max"},  {"Amin", "min"},
    {"Prod", "prod"}, {"Any", "any"},   {"All", "all"}};

const char *opOf(ArrayRef<NamedOp> list, StringRef name) {
  for (const NamedOp &known : list)
    if (name == known.name)
      return known.op;
  return nullptr;
}

void callFloatUnary(Call &c) {
  c.set(graph::apply(opOf(kFloatUnary, c.layer.className),
                     asFloat(tensorArgument(c))));
}

void callUnary(Call &c) {
  Tensor x = tensorArgument(c);
  if (c.layer.className == "LogicalNot" && x && !x.type().isInteger(1))
    x = graph::notEqual(x, 0);
  c.set(graph::apply(opOf(kUnary, c.layer.className), x));
}

void callBinary(Call &c) {
  auto [a, b] = operands(c);
  c.set(graph::apply(opOf(kBinary, c.layer.className), a, b));
}

void callDivide(Call &c) {
  auto [a, b] = operands(c);
  c.set(asFloat(a) / asFloat(b));
}

void callComparison(Call &c) {
  auto [a, b] = operands(c);
  if (c.failed() || !a)
    return c.g.abandon();
  c.set(c.g.make(
      (StringRef("graph.") + opOf(kComparisons, c.layer.className)).str(),
      c.g.builder.getI1Type(), {a, b}));
}

void callLogic(Call &c) {
  auto [a, b] = operands(c);
  auto boolean = [](Tensor x) {
    return x && !x.type().isInteger(1) ? graph::notEqual(x, 0) : x;
  };
  c.set(graph::apply(opOf(kLogic, c.layer.className), boolean(a), boolean(b)));
}

/// The name that keras.activations has for a class: "HardSigmoid".
void callActivationFunction(Call &c) {
  Tensor x = asFloat(tensorArgument(c));
  StringRef name = c.layer.className;
  if (!x)
    return;
  if (name == "LeakyRelu")
    return c.set(leakyRelu(x, c.config.real("negative_slope", 0.2)));
  if (name == "Elu")
    return c.set(elu(x, c.config.real("alpha", 1.0)));
  if (name == "Gelu" && c.config.flag("approximate", true)) {
    Tensor inner = (x + x * x * x * 0.044715) * 0.79788456080286536;
    return c.set(x * 0.5 * (graph::apply("tanh", inner) + 1.0));
  }
  if (name == "Softmax" || name == "LogSoftmax") {
    int64_t axis = c.axis(integerOf(c, 1, "axis").value_or(-1), x.rank());
    return c.set(
        c.g.make(name == "Softmax" ? "graph.softmax" : "graph.log_softmax",
                 x.type(), x, c.g.attr("axis", axis)));
  }
  Activation known = activationNamed(snakeCase(name));
  if (!known)
    return c.fail("the function is not supported");
  c.set(known(x));
}

void callWhere(Call &c) {
  Tensor condition = c.tensor(0, "condition");
  auto typeAt = [&](unsigned position, StringRef name) {
    const Argument &given = c.argument(position, name);
    return given.kind == Argument::Tensor ? c.wrap(given.tensor).type()
                                          : Type();
  };
  Tensor a = operand(c, 1, "x1", typeAt(2, "x2")),
         b = operand(c, 2, "x2", typeAt(1, "x1"));
  if (c.failed())
    return;
  if (!condition.type().isInteger(1))
    condition = graph::notEqual(condition, 0);
  Type type = commonType(a.type(), b.type());
  c.set(graph::select(condition, graph::cast(a, type), graph::cast(b, type)));
}

void callClip(Call &c) {
  Tensor x = tensorArgument(c);
  const llvm::json::Value *low = settingOf(c, 1, "x_min"),
                          *high = settingOf(c, 2, "x_max");
  if (!x || !low || !high || !asNumber(*low) || !asNumber(*high))
    return c.fail("the bounds must be numbers");
  c.set(minimum(maximum(x, *asNumber(*low)), *asNumber(*high)));
}

void callCast(Call &c) {
  Tensor x = tensorArgument(c);
  const llvm::json::Value *name = settingOf(c, 1, "dtype");
  if (!name || !name->getAsString())
    return c.fail("'dtype' must be the name of a type");
  c.set(graph::cast(x, c.typeNamed(*name->getAsString())));
}

//===----------------------------------------------------------------------===//
// Reductions and products
//===----------------------------------------------------------------------===//

void callReduction(Call &c) {
  Tensor x = tensorArgument(c);
  if (!x)
    return;
  StringRef name = c.layer.className;
  bool logical = name == "Any" || name == "All";
  if (logical && !x.type().isInteger(1))
    x = graph::notEqual(x, 0);
  if (name == "Mean")
    x = asFloat(x);
  SmallVector<int64_t> axes = axesOf(c, 1, "axis", x.rank());
  if (!c.failed())
    c.set(reduce(opOf(kReductions, name), x, axes, flagOf(c, 2, "keepdims")));
}

void callSpread(Call &c) {
  Tensor x = asFloat(tensorArgument(c));
  if (!x)
    return;
  SmallVector<int64_t> axes = axesOf(c, 1, "axis", x.rank());
  if (c.failed())
    return;
  Tensor y = mean(graph::square(x - mean(x, axes, true)), axes,
                  flagOf(c, 2, "keepdims"));
  c.set(c.layer.className == "Std" ? graph::sqrt(y) : y);
}

void callArg(Call &c) {
  Tensor x = tensorArgument(c);
  if (!x)
    return;
  bool keep = flagOf(c, 2, "keepdims");
  std::optional<int64_t> axis = integerOf(c, 1, "axis");
  if (!axis)
    return c.fail("'axis' must be given");
  int64_t place = c.axis(*axis, x.rank());
  if (c.failed())
    return;
  Tensor y =
      c.g.make(c.layer.className == "Argmax" ? "graph.argmax" : "graph.argmin",
               c.g.builder.getI32Type(), x, c.g.attr("axis", place));
  c.set(keep ? graph::expandDims(y, place) : y);
}

void callMatmul(Call &c) {
  auto [a, b] = operands(c);
  if (!a || a.rank() < 1 || b.rank() < 1)
    return c.fail("expected two tensors");
  bool vectorA = a.rank() == 1, vectorB = b.rank() == 1;
  if (vectorA)
    a = graph::expandDims(a, 0);
  if (vectorB)
    b = graph::expandDims(b, 1);
  Tensor y = graph::matmul(a, b, false, false);
  if (vectorB)
    y = squeeze(y, -1);
  if (vectorA)
    y = squeeze(y, vectorB ? -1 : -2);
  c.set(y);
}

void callEinsum(Call &c) {
  std::string equation = c.config.text("subscripts");
  std::vector<const Argument *> all;
  for (const Argument &argument : c.arguments)
    argument.flatten(all);
  if (all.size() != 2 || StringRef(equation).contains(".") ||
      !StringRef(equation).contains("->"))
    return c.fail("only einsum of two tensors with all dimensions named is "
                  "supported");
  equation.erase(std::remove(equation.begin(), equation.end(), ' '),
                 equation.end());
  c.set(einsum(equation, c.wrap(all[0]->tensor), c.wrap(all[1]->tensor)));
}

void callNormalize(Call &c) {
  Tensor x = tensorArgument(c);
  if (!x)
    return;
  if (c.config.integer("order", 2) != 2)
    return c.fail("only order 2 is supported");
  SmallVector<int64_t> axes = axesOf(c, 1, "axis", x.rank());
  double epsilon = c.config.real("epsilon", 1e-7);
  if (c.failed())
    return;
  c.set(unitLength(x, axes, epsilon));
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

void callReshape(Call &c) {
  Tensor x = tensorArgument(c);
  const llvm::json::Value *value = settingOf(c, 1, "newshape");
  const llvm::json::Array *list = value ? value->getAsArray() : nullptr;
  if (!list || !x)
    return c.fail("'newshape' must be a list of sizes");
  SmallVector<Size> sizes;
  for (const llvm::json::Value &element : *list)
    sizes.emplace_back(element.getAsInteger().value_or(-1));
  c.set(reshape(x, sizes));
}

void callTranspose(Call &c) {
  Tensor x = tensorArgument(c);
  if (!x)
    return;
  const llvm::json::Value *value = settingOf(c, 1, "axes");
  SmallVector<int64_t> order;
  if (auto given = integersOf(value))
    order = *given;
  else
    for (int64_t i = x.rank(); i-- > 0;)
      order.push_back(i);
  SmallVector<int64_t> sorted;
  for (int64_t &axis : order)
    sorted.push_back(axis = c.axis(axis, x.rank()));
  llvm::sort(sorted);
  if (c.failed() || !llvm::equal(sorted, graph::upTo(x.rank())))
    return c.fail("'axes' is no permutation of the dimensions");
  c.set(graph::transpose(x, order));
}

void callSwapaxes(Call &c) {
  Tensor x = tensorArgument(c);
  auto first = integerOf(c, 1, "axis1"), second = integerOf(c, 2, "axis2");
  if (!x || !first || !second)
    return c.fail("'axis1' and 'axis2' must be axes");
  SmallVector<int64_t> order = graph::upTo(x.rank());
  int64_t a = c.axis(*first, x.rank()), b = c.axis(*second, x.rank());
  if (c.failed())
    return;
  std::swap(order[a], order[b]);
  c.set(graph::transpose(x, order));
}

void callExpandDims(Call &c) {
  Tensor x = tensorArgument(c);
  auto axes = integersOf(settingOf(c, 1, "axis"));
  if (!x || !axes)
    return c.fail("'axis' must be an axis");
  c.set(graph::expandDims(x, *axes));
}

void callSqueeze(Call &c) {
  Tensor x = tensorArgument(c);
  if (!x)
    return;
  SmallVector<int64_t> axes;
  if (settingOf(c, 1, "axis"))
    axes = axesOf(c, 1, "axis", x.rank());
  else
    for (int64_t i = 0; i < x.rank(); ++i)
      if (knownDim(x, i) == 1)
        axes.push_back(i);
  if (!c.failed())
    c.set(squeeze(x, axes));
}

SmallVector<Tensor> listArgument(Call &c) {
  SmallVector<Tensor> all = c.inputs();
  if (all.empty()) {
    c.fail("expected a list of tensors");
    return all;
  }
  Type type = all[0].type();
  for (Tensor x : all)
    type = commonType(type, x.type());
  for (Tensor &x : all)
    x = graph::cast(x, type);
  return all;
}

void callConcatenate(Call &c) {
  SmallVector<Tensor> all = listArgument(c);
  if (c.failed())
    return;
  int64_t axis = c.axis(integerOf(c, 1, "axis").value_or(0), all[0].rank());
  if (!c.failed())
    c.set(graph::concat(all, axis));
}

void callStack(Call &c) {
  SmallVector<Tensor> all = listArgument(c);
  if (c.failed())
    return;
  int64_t axis = c.axis(integerOf(c, 1, "axis").value_or(0), all[0].rank() + 1);
  if (!c.failed())
    c.set(stack(all, axis));
}

void callSplit(Call &c) {
  Tensor x = tensorArgument(c);
  if (!x)
    return;
  int64_t axis = c.axis(integerOf(c, 2, "axis").value_or(0), x.rank());
  const llvm::json::Value *value = settingOf(c, 1, "indices_or_sections");
  auto places = integersOf(value);
  if (c.failed() || !places)
    return c.fail("'indices_or_sections' must be a number or a list");
  if (value->getAsInteger()) {
    if (places->front() < 1 || places->front() > 10'000)
      return c.fail("'indices_or_sections' must be a number of parts");
    return c.setList(split(x, axis, unsigned(places->front())));
  }
  SmallVector<int64_t> sizes;
  int64_t last = 0;
  for (int64_t place : *places) {
    if (place < last)
      return c.fail("'indices_or_sections' must rise");
    sizes.push_back(place - last);
    last = place;
  }
  sizes.push_back(-1);
  c.setList(split(x, axis, sizes));
}

void callFlip(Call &c) {
  Tensor x = tensorArgument(c);
  if (!x)
    return;
  for (int64_t axis : axesOf(c, 1, "axis", x.rank()))
    x = reverse(x, axis);
  c.set(x);
}

void callRepeat(Call &c) {
  Tensor x = tensorArgument(c);
  auto times = integerOf(c, 1, "repeats"), axis = integerOf(c, 2, "axis");
  if (!x || !times || !axis || *times < 1)
    return c.fail("'repeats' must be a number and 'axis' an axis");
  int64_t place = c.axis(*axis, x.rank());
  if (!c.failed())
    c.set(repeat(x, place, *times));
}

void callTile(Call &c) {
  Tensor x = tensorArgument(c);
  auto times = integersOf(settingOf(c, 1, "repeats"));
  if (!x || !times || times->size() > 32)
    return c.fail("'repeats' must be numbers");
  while (int64_t(times->size()) < x.rank())
    times->insert(times->begin(), 1);
  SmallVector<int64_t> added = graph::upTo(int64_t(times->size()) - x.rank());
  x = graph::expandDims(x, added);
  c.set(c.g.make("graph.tile", x.type(), {x, c.g.integers(*times)}));
}

void callPad(Call &c) {
  Tensor x = tensorArgument(c);
  if (!x)
    return;
  const llvm::json::Value *mode = settingOf(c, 2, "mode");
  if (mode && mode->getAsString().value_or("constant") != "constant")
    return c.fail("only constant borders are supported");
  const llvm::json::Value *value = settingOf(c, 1, "pad_width");
  const llvm::json::Array *list = value ? value->getAsArray() : nullptr;
  SmallVector<std::pair<int64_t, int64_t>> pairs;
  if (list)
    for (const llvm::json::Value &element : *list)
      if (auto pair = integersOf(&element))
        pairs.emplace_back(pair->front(), pair->back());
  if (int64_t(pairs.size()) == 1)
    pairs.resize(x.rank(), pairs[0]);
  if (int64_t(pairs.size()) != x.rank() || llvm::any_of(pairs, [](auto pair) {
        return pair.first < 0 || pair.second < 0;
      }))
    return c.fail("'pad_width' must hold amounts for each dimension");
  const llvm::json::Value *border = settingOf(c, 3, "constant_values");
  c.set(pad(x, pairs, border ? asNumber(*border).value_or(0) : 0));
}

void callBroadcastTo(Call &c) {
  Tensor x = tensorArgument(c);
  auto shape = integersOf(settingOf(c, 1, "shape"));
  if (!x || !shape)
    return c.fail("'shape' must be a list of sizes");
  c.set(graph::broadcastTo(x, c.g.integers(*shape)));
}

void callLike(Call &c) {
  Tensor x = tensorArgument(c);
  if (x)
    c.set(c.g.filled(x.value(), c.layer.className == "OnesLike" ? 1 : 0));
}

void callTake(Call &c) {
  Tensor x = tensorArgument(c);
  auto axis = integerOf(c, 2, "axis");
  Tensor indices = operand(c, 1, "indices", c.g.i64());
  if (!x || !indices || !axis || isFloat(indices.type()))
    return c.fail("'indices' must be integers and 'axis' an axis");
  int64_t place = c.axis(*axis, x.rank());
  if (c.failed())
    return;
  // Negative indices count from the end.
  Tensor size = graph::cast(c.g.size(x.value(), place), indices.type());
  indices = graph::select(indices < graph::number(indices, 0), indices + size,
                          indices);
  c.set(graph::gather(x, indices, place));
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

struct Subscript {
  SmallVector<int64_t> begin, end, step;
  int64_t beginMask = 0, endMask = 0, ellipsis = 0, newAxis = 0, shrink = 0;
};

bool readSubscript(const llvm::json::Value &key, Subscript &all) {
  int64_t bit = int64_t(1) << all.begin.size();
  if (all.begin.size() >= 60)
    return false;
  int64_t begin = 0, end = 0, step = 1;
  const llvm::json::Object *object = key.getAsObject();
  StringRef className =
      object ? object->getString("class_name").value_or("") : "";
  if (auto index = key.getAsInteger()) {
    begin = *index;
    end = begin + 1;
    all.shrink |= bit;
  } else if (key.kind() == llvm::json::Value::Null) {
    all.newAxis |= bit;
  } else if (className == "__ellipsis__") {
    all.ellipsis |= bit;
  } else if (className == "__slice__") {
    const llvm::json::Object *fields = object->getObject("config");
    if (!fields)
      return false;
    auto read = [&](StringRef name, int64_t &value, int64_t *mask) {
      const llvm::json::Value *given = fields->get(name);
      if (!given || given->kind() == llvm::json::Value::Null) {
        if (mask)
          *mask |= bit;
        return true;
      }
      auto number = given->getAsInteger();
      value = number.value_or(0);
      return number.has_value();
    };
    if (!read("start", begin, &all.beginMask) ||
        !read("stop", end, &all.endMask) || !read("step", step, nullptr) ||
        step == 0)
      return false;
  } else {
    return false;
  }
  all.begin.push_back(begin);
  all.end.push_back(end);
  all.step.push_back(step);
  return true;
}

void callGetItem(Call &c) {
  Tensor x = tensorArgument(c);
  const Argument &key = c.argument(1, "key");
  Subscript all;
  bool good = x && (key.kind == Argument::Constant ||
                    key.kind == Argument::None || key.kind == Argument::List);
  if (key.constant) {
    const llvm::json::Array *list = key.constant->getAsArray();
    if (list)
      for (const llvm::json::Value &one : *list)
        good = good && readSubscript(one, all);
    else
      good = good && readSubscript(*key.constant, all);
  }
  if (!good)
    return c.fail("only slices and numbers are supported as indices");
  c.set(c.g.make("graph.strided_slice", x.type(),
                 {x, c.g.integers(all.begin), c.g.integers(all.end),
                  c.g.integers(all.step)},
                 {c.g.attr("begin_mask", all.beginMask),
                  c.g.attr("end_mask", all.endMask),
                  c.g.attr("ellipsis_mask", all.ellipsis),
                  c.g.attr("new_axis_mask", all.newAxis),
                  c.g.attr("shrink_axis_mask", all.shrink)}));
}
} // namespace

void addOperations(LayerTable &table) {
  auto add = [&](StringRef name, void (*call)(Call &)) {
    table[name] = {nullptr, call, MaskRule::Destroy};
  };
  for (const NamedOp &op : kFloatUnary)
    add(op.name, callFloatUnary);
  for (const NamedOp &op : kUnary)
    add(op.name, callUnary);
  for (const NamedOp &op : kBinary)
    add(op.name, callBinary);
  for (const NamedOp &op : kComparisons)
    add(op.name, callComparison);
  for (const NamedOp &op : kLogic)
    add(op.name, callLogic);
  for (const NamedOp &op : kReductions)
    add(op.name, callReduction);
  for (StringRef name :
       {"Silu", "Gelu", "LeakyRelu", "Elu", "HardSigmoid", "HardSilu",
        "HardTanh", "LogSigmoid", "Softmax", "LogSoftmax", "Sparsemax",
        "TanhShrink", "SparsePlus", "Squareplus", "SparseSigmoid"})
    add(name, callActivationFunction);
  add("Divide", callDivide);
  add("TrueDivide", callDivide);
  add("Where", callWhere);
  add("Clip", callClip);
  add("Cast", callCast);
  add("Var", callSpread);
  add("Std", callSpread);
  add("Argmax", callArg);
  add("Argmin", callArg);
  add("Matmul", callMatmul);
  add("Einsum", callEinsum);
  add("Normalize", callNormalize);
  add("Reshape", callReshape);
  add("Transpose", callTranspose);
  add("Swapaxes", callSwapaxes);
  add("ExpandDims", callExpandDims);
  add("Squeeze", callSqueeze);
  add("Concatenate", callConcatenate);
  add("Stack", callStack);
  add("Split", callSplit);
  add("Flip", callFlip);
  add("Repeat", callRepeat);
  add("Tile", callTile);
  add("Pad", callPad);
  add("BroadcastTo", callBroadcastTo);
  add("OnesLike", callLike);
  add("ZerosLike", callLike);
  add("Take", callTake);
  add("GetItem", callGetItem);
}

} // namespace tenon::keras
