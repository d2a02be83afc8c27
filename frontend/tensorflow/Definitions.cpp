//===- Definitions.cpp - TensorFlow's definitions of operations -----------===//
//
// A row of Definitions.def has an operation's inputs, outputs and attributes:
//
//   inputs, outputs   name:type    type: a number of DataType, or an attribute;
//                     name:N*type  as many as attribute N says;
//                     name:T[]     one of each type in the list T
//   attributes        name:kind>minimum=default    kinds as `kindOf` has them,
//                     `*` before that of a list's elements
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/Definitions.h"

#include "llvm/ADT/StringExtras.h"

namespace tenon::tf {

namespace {
struct Argument {
  llvm::StringRef name, count, type;
  bool isList = false; // `type` is an attribute with a list of types
};

struct Attribute {
  llvm::StringRef name, kind, fallback;
  std::optional<int64_t> minimum; // of a number, or of a list's length
  bool optional = false;
};

struct Definition {
  llvm::SmallVector<Argument, 4> inputs, outputs;
  llvm::SmallVector<Attribute, 4> attributes;
};

constexpr struct {
  llvm::StringRef op, inputs, outputs, attributes;
} kTable[] = {
#define DEFINITION(op, inputs, outputs, attributes)                            \
  {#op, inputs, outputs, attributes},
#include "frontend/tensorflow/Definitions.def"
};

llvm::SmallVector<Argument, 4> parseArguments(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> items;
  text.split(items, ' ', -1, /*KeepEmpty=*/false);
  llvm::SmallVector<Argument, 4> result;
  for (llvm::StringRef item : items) {
    Argument &argument = result.emplace_back();
    std::tie(argument.name, argument.type) = item.split(':');
    if (argument.type.contains('*'))
      std::tie(argument.count, argument.type) = argument.type.split('*');
    argument.isList = argument.type.consume_back("[]");
  }
  return result;
}

llvm::SmallVector<Attribute, 4> parseAttributes(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> items;
  text.split(items, ' ', -1, /*KeepEmpty=*/false);
  llvm::SmallVector<Attribute, 4> result;
  for (llvm::StringRef item : items) {
    Attribute &attribute = result.emplace_back();
    std::tie(attribute.name, attribute.kind) = item.split(':');
    attribute.optional = attribute.kind.contains('=');
    std::tie(attribute.kind, attribute.fallback) = attribute.kind.split('=');
    int64_t minimum;
    llvm::StringRef least;
    std::tie(attribute.kind, least) = attribute.kind.split('>');
    if (!least.getAsInteger(10, minimum))
      attribute.minimum = minimum;
  }
  return result;
}

/// Null for operations that are not known.
const Definition *definitionOf(llvm::StringRef op) {
  static const llvm::StringMap<Definition> all = [] {
    llvm::StringMap<Definition> table;
    for (const auto &row : kTable)
      table[row.op] = {parseArguments(row.inputs), parseArguments(row.outputs),
                       parseAttributes(row.attributes)};
    return table;
  }();
  auto found = all.find(op);
  return found == all.end() ? nullptr : &found->second;
}

char kindOf(const AttrValue &value) {
  switch (value.value_case()) {
  case AttrValue::kI:
    return 'i';
  case AttrValue::kF:
    return 'f';
  case AttrValue::kB:
    return 'b';
  case AttrValue::kS:
    return 's';
  case AttrValue::kType:
    return 't';
  case AttrValue::kShape:
    return 'h';
  case AttrValue::kTensor:
    return 'x';
  case AttrValue::kFunc:
    return 'F';
  case AttrValue::kList:
    return '*';
  default:
    return 0;
  }
}

/// The length of a list whose elements are of one kind; none when they are of
/// another.
std::optional<int64_t> listLength(const AttrValue::ListValue &list, char kind) {
  const int64_t sizes[] = {list.i_size(),      list.f_size(),
                           list.b_size(),      list.s_size(),
                           list.type_size(),   list.shape_size(),
                           list.tensor_size(), list.func_size()};
  int64_t length = 0, all = 0;
  for (auto [of, size] : llvm::zip(llvm::StringRef("ifbsthxF"), sizes)) {
    all += size;
    if (of == kind)
      length = size;
  }
  return length == all ? std::optional(length) : std::nullopt;
}

using Types = llvm::SmallVector<DataType, 4>;

/// More are no graph.
constexpr int64_t kMaxTensors = 1 << 20;

/// References are of the type that they refer to.
DataType valueType(DataType type) {
  constexpr int kReference = 100;
  return int(type) > kReference ? DataType(int(type) - kReference) : type;
}

/// Of a shape, or of one of a list of shapes; -1 is a size that is not known.
bool hasImpossibleSize(const AttrValue &value) {
  auto isImpossible = [](const tfproto::TensorShapeProto &shape) {
    return llvm::any_of(shape.dim(),
                        [](const auto &dim) { return dim.size() < -1; });
  };
  return isImpossible(value.shape()) ||
         llvm::any_of(value.list().shape(), isImpossible);
}

/// A node with its definition.
class Checker {
public:
  Checker(const Node &node, const Definition &definition, const Graph &graph)
      : node(node), definition(definition), graph(graph) {}

  llvm::Error attributes() const {
    for (const Attribute &attribute : definition.attributes) {
      const AttrValue *value = node.attr(attribute.name);
      if (!value) {
        if (!attribute.optional)
          return fail("attribute '" + attribute.name + "' is missing");
        continue;
      }
      std::optional<int64_t> number;
      llvm::StringRef kind = attribute.kind;
      bool isList = kind.consume_front("*");
      bool fits = kindOf(*value) == (isList ? '*' : kind.front());
      if (fits && isList) {
        number = listLength(value->list(), kind.front());
        fits = number.has_value();
      } else if (fits && kind == "i") {
        number = value->i();
      } else if (fits && kind == "t" &&
                 (value->type() == DataType::DT_INVALID ||
                  !tfproto::DataType_IsValid(valueType(value->type())))) {
        return fail("attribute '" + attribute.name + "' is no element type");
      }
      if (!fits)
        return fail("attribute '" + attribute.name + "' has another kind");
      if (kind == "h" && hasImpossibleSize(*value))
        return fail("attribute '" + attribute.name + "' has a size below -1");
      if (attribute.minimum && *number < *attribute.minimum)
        return fail("attribute '" + attribute.name +
                    (isList ? "' has a length of " : "' is ") +
                    llvm::Twine(*number) + ", expected at least " +
                    llvm::Twine(*attribute.minimum));
    }
    return llvm::Error::success();
  }

  /// The types of the tensors that arguments consist of.
  llvm::Expected<Types> all(llvm::ArrayRef<Argument> arguments) const {
    Types result;
    for (const Argument &argument : arguments) {
      if (argument.isList) {
        for (int type : types(argument.type))
          result.push_back(DataType(type));
        continue;
      }
      int64_t count = argument.count.empty() ? 1 : number(argument.count);
      if (count < 0 || count > kMaxTensors)
        return fail("attribute '" + argument.count + "' is " +
                    llvm::Twine(count) + ", an impossible number of tensors");
      int type;
      if (argument.type.getAsInteger(10, type)) {
        auto given = types(argument.type);
        type = given.empty() ? int(DataType::DT_INVALID) : given.front();
      }
      result.append(count, DataType(type));
    }
    return result;
  }

  llvm::Error fail(const llvm::Twine &text) const {
    return llvm::createStringError(describe(*node.def, graph) + ": " + text);
  }

private:
  llvm::StringRef fallback(llvm::StringRef name) const {
    for (const Attribute &attribute : definition.attributes)
      if (attribute.name == name)
        return attribute.fallback;
    return {};
  }
  int64_t number(llvm::StringRef name) const {
    if (const AttrValue *value = node.attr(name))
      return value->i();
    int64_t result;
    return fallback(name).getAsInteger(10, result) ? 0 : result;
  }
  /// Of an attribute that is a type, or a list of types.
  llvm::SmallVector<int> types(llvm::StringRef name) const {
    if (const AttrValue *value = node.attr(name)) {
      if (value->value_case() == AttrValue::kType)
        return {int(value->type())};
      return llvm::to_vector(llvm::map_range(
          value->list().type(), [](int type) { return int(type); }));
    }
    llvm::SmallVector<llvm::StringRef> items;
    fallback(name).split(items, ',', -1, /*KeepEmpty=*/false);
    llvm::SmallVector<int> result;
    for (llvm::StringRef item : items)
      if (int type; !item.getAsInteger(10, type))
        result.push_back(type);
    return result;
  }

  const Node &node;
  const Definition &definition;
  const Graph &graph;
};

/// Whether what calls the function says an attribute.
bool hasPlaceholder(const tfproto::NodeDef &def) {
  return llvm::any_of(def.attr(), [](const auto &attribute) {
    return attribute.second.value_case() == AttrValue::kPlaceholder;
  });
}

std::string counted(size_t count, llvm::StringRef what) {
  return (count == 1 ? "one " + what : llvm::Twine(count) + " " + what + "s")
      .str();
}
} // namespace

llvm::Error checkNodes(const Graph &graph) {
  // Of nodes whose definition is known; types of outputs also of arguments.
  std::vector<const Definition *> definitions(graph.nodes.size());
  std::vector<std::optional<Types>> outputs(graph.nodes.size());
  for (int i = 0; i < graph.argumentCount; ++i)
    outputs[i] = {graph.def->signature().input_arg(i).type()};
  for (auto [i, node] : llvm::enumerate(graph.nodes)) {
    const Definition *definition = definitionOf(node.op);
    if (!definition || !node.def || hasPlaceholder(*node.def))
      continue;
    definitions[i] = definition;
    Checker checker(node, *definition, graph);
    if (llvm::Error error = checker.attributes())
      return error;
    auto types = checker.all(definition->outputs);
    if (!types)
      return types.takeError();
    outputs[i] = std::move(*types);
  }
  for (auto [node, definition] : llvm::zip(graph.nodes, definitions)) {
    if (!definition)
      continue;
    Checker checker(node, *definition, graph);
    auto types = checker.all(definition->inputs);
    if (!types)
      return types.takeError();
    if (types->size() != node.inputs.size())
      return checker.fail("expected " + counted(types->size(), "input") +
                          ", got " + llvm::Twine(node.inputs.size()));
    for (auto [expected, edge] : llvm::zip(*types, node.inputs)) {
      const auto &known = outputs[edge.node];
      if (!known)
        continue;
      const Node &source = graph.nodes[edge.node];
      std::string input =
          "input '" + source.name +
          (edge.output ? ":" + std::to_string(edge.output) : "") + "'";
      if (size_t(edge.output) >= known->size())
        return checker.fail(input + ": node '" + source.name + "' (" +
                            source.op + ") has " +
                            counted(known->size(), "output"));
      DataType got = valueType((*known)[edge.output]),
               wanted = valueType(expected);
      if (got != wanted && got != DataType::DT_INVALID &&
          wanted != DataType::DT_INVALID)
        return checker.fail(input + " is " + dtypeName(got) + ", expected " +
                            dtypeName(wanted));
    }
  }
  return llvm::Error::success();
}

int outputOffset(const Node &node, llvm::StringRef output,
                 const GraphModel &model) {
  if (const Definition *definition = definitionOf(node.op)) {
    int64_t position = 0;
    for (const Argument &argument : definition->outputs) {
      if (argument.name == output)
        return int(position);
      auto types = Checker(node, *definition, Graph()).all(argument);
      if (!types) {
        llvm::consumeError(types.takeError());
        return -1;
      }
      position += types->size();
    }
    return -1;
  }
  // Old graphs call functions by using their names as operations.
  if (const Graph *callee = model.function(node.op); callee && callee->def) {
    int position = 0;
    for (const auto &result : callee->def->signature().output_arg()) {
      if (result.name() == output)
        return position;
      ++position;
    }
    return -1;
  }
  // Of an operation that is not known the first.
  return 0;
}

} // namespace tenon::tf
