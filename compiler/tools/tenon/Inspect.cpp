//===- Inspect.cpp - tenon inspect ----------------------------------------===//

#include "compiler/tools/tenon/Commands.h"

#include "compiler/backend/cpu/Glue.h"
#include "compiler/backend/cpu/Signature.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/tools/tenon/Model.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

#include <map>

using namespace llvm;

namespace tenon {

namespace {

/// What is known of a model or an artifact.
struct Facts {
  ArtifactSpec spec;
  std::map<std::string, unsigned> ops; // by name; models only
  std::vector<UnsupportedNode> unsupported;
};

/// The symbol's name; empty when it has none.
StringRef getSymbol(const ArtifactSpec &spec, int64_t dim) {
  uint64_t symbol = -1 - dim;
  return symbol < spec.symbols.size() ? StringRef(spec.symbols[symbol])
                                      : StringRef();
}

/// Those that the model's author made; not the state of random numbers.
auto variablesOf(const ArtifactSpec &spec) {
  return llvm::make_filter_range(
      spec.variables,
      [](const VariableInfo &variable) { return !variable.generator; });
}

class JsonPrinter {
public:
  explicit JsonPrinter(const Facts &facts)
      : facts(facts), spec(facts.spec), json(outs(), /*IndentSize=*/2) {}

  void print() {
    json.object([&] {
      json.attributeArray("entries", [&] {
        for (const EntryInfo &entry : spec.entries)
          json.object([&] {
            json.attribute("name", fix(entry.name));
            json.attributeArray("inputs", [&] { printAll(entry.inputs); });
            json.attributeArray("outputs", [&] { printAll(entry.outputs); });
          });
      });
      json.attributeArray("variables", [&] {
        for (const VariableInfo &variable : variablesOf(spec))
          json.object(
              [&] { print(variable.name, variable.dtype, variable.shape); });
      });
      json.attributeObject("ops", [&] {
        for (const auto &[name, count] : facts.ops)
          json.attribute(name, count);
      });
      json.attributeArray("unsupported", [&] {
        for (const UnsupportedNode &node : facts.unsupported)
          json.object([&] {
            json.attribute("node", fix(node.node));
            json.attribute("op", fix(node.op));
            json.attribute("reason", fix(node.reason));
          });
      });
      json.attribute("weights_bytes", spec.weightsBytes);
      json.attribute("arena_bytes", spec.arenaBytes);
      json.attributeArray("kernels", [&] {
        for (const std::string &kernel : spec.kernels)
          json.value(fix(kernel));
      });
    });
    outs() << '\n';
  }

private:
  /// JSON is UTF-8; names of a model are any bytes.
  static std::string fix(StringRef text) { return json::fixUTF8(text); }

  void printAll(ArrayRef<TensorInfo> tensors) {
    for (const TensorInfo &tensor : tensors)
      json.object([&] { print(tensor.name, tensor.dtype, tensor.shape); });
  }

  void print(StringRef name, DType dtype, ArrayRef<int64_t> shape) {
    json.attribute("name", fix(name));
    json.attribute("dtype", getDTypeName(dtype));
    json.attributeArray("shape", [&] {
      for (int64_t dim : shape) {
        StringRef symbol = dim < 0 ? getSymbol(spec, dim) : "";
        if (dim >= 0)
          json.value(dim);
        else if (symbol.empty())
          json.value(nullptr);
        else
          json.value(fix(symbol));
      }
    });
  }

  const Facts &facts;
  const ArtifactSpec &spec;
  json::OStream json;
};

std::string describeTensor(const ArtifactSpec &spec, DType dtype,
                           ArrayRef<int64_t> shape) {
  std::vector<std::string> dims;
  for (int64_t dim : shape) {
    StringRef symbol = dim < 0 ? getSymbol(spec, dim) : "";
    dims.push_back(dim >= 0         ? std::to_string(dim)
                   : symbol.empty() ? "?"
                                    : symbol.str());
  }
  return getDTypeName(dtype).str() + "[" + join(dims, ", ") + "]";
}

void printText(const Facts &facts) {
  const ArtifactSpec &spec = facts.spec;
  auto print = [&](StringRef what, const TensorInfo &tensor) {
    outs() << "  " << what << ' ' << tensor.name << ": "
           << describeTensor(spec, tensor.dtype, tensor.shape)
           << (tensor.defaultValue ? ", has a default" : "") << '\n';
  };
  for (const EntryInfo &entry : spec.entries) {
    outs() << "entry " << entry.name << '\n';
    for (const TensorInfo &input : entry.inputs)
      print("input ", input);
    for (const TensorInfo &output : entry.outputs)
      print("output", output);
  }
  for (const VariableInfo &variable : variablesOf(spec))
    outs() << "variable " << variable.name << ": "
           << describeTensor(spec, variable.dtype, variable.shape) << '\n';
  outs() << "weights: " << spec.weightsBytes << " bytes\n";
  // Nothing is planned for a model that cannot be compiled.
  if (facts.unsupported.empty()) {
    outs() << "arena: " << spec.arenaBytes << " bytes"
           << (llvm::all_of(spec.entries, isStaticEntry)
                   ? "\n"
                   : " and what the sizes of a call need\n")
           << "kernels: " << spec.kernels.size() << '\n';
    for (const std::string &kernel : spec.kernels)
      outs() << "  " << kernel << '\n';
  }
  if (!facts.ops.empty())
    outs() << "ops:\n";
  for (const auto &[name, count] : facts.ops)
    outs() << formatv("{0,8}  {1}\n", count, name);
  if (!facts.unsupported.empty())
    outs() << "unsupported:\n";
  for (const UnsupportedNode &node : facts.unsupported)
    outs() << "  node '" << node.node << "' (" << node.op
           << "): " << node.reason << '\n';
}

/// Counts the ops of the entry points; their versions have the same.
void collectOps(mlir::ModuleOp module, Facts &facts) {
  for (auto function : module.getOps<mlir::FunctionOpInterface>()) {
    if (function->hasAttr("graph.version"))
      continue;
    function->walk([&](mlir::Operation *op) {
      if (op->getName().getDialectNamespace() == "graph" &&
          !op->hasTrait<mlir::OpTrait::IsTerminator>())
        ++facts.ops[op->getName().getStringRef().str()];
    });
  }
}

} // namespace

int inspectCommand(const Options &options) {
  Facts facts;
  StringRef path = options.model;
  if (isNativeFile(path)) {
    Expected<ArtifactSpec> spec = readArtifact(path);
    if (!spec) {
      errs() << path << ": error: " << toString(spec.takeError()) << '\n';
      return kFault;
    }
    facts.spec = std::move(*spec);
  } else {
    Expected<ImportOptions> import = options.getImportOptions();
    if (!import)
      return consumeError(import.takeError()), kSyntax;
    import->unsupported = &facts.unsupported;
    Model model(path, *import, options);
    if (!model && facts.unsupported.empty())
      return kFault;
    if (model) {
      collectOps(model.getModule(), facts);
      CompileOptions compile = options.getCompileOptions();
      compile.name = Model::getName(path);
      if (failed(planArtifact(model.getModule(), compile, facts.spec)))
        return kFault;
    }
  }
  if (options.json)
    JsonPrinter(facts).print();
  else
    printText(facts);
  return kDone;
}

} // namespace tenon
