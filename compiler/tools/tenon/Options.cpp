//===- Options.cpp - what the user typed ----------------------------------===//

#include "compiler/tools/tenon/Options.h"

#include "frontend/Entry.h"

#include "llvm/ADT/StringExtras.h"

#include <set>

using namespace llvm;

namespace tenon {

/// "NAME=1x?x3".
static Expected<std::pair<std::string, std::vector<int64_t>>>
parseShape(StringRef option, StringRef text) {
  // The last '=', since names of tensors may hold anything.
  auto [name, dims] = text.rsplit('=');
  std::vector<int64_t> shape;
  SmallVector<StringRef> parts;
  dims.split(parts, 'x', /*MaxSplit=*/-1, /*KeepEmpty=*/!dims.empty());
  bool isValid = !name.empty() && name.size() < text.size();
  for (StringRef part : parts) {
    uint64_t size = 0;
    if (part == "?")
      shape.push_back(-1);
    else if (!part.getAsInteger(10, size) && size <= INT64_MAX)
      shape.push_back(size);
    else
      isValid = false;
  }
  if (!isValid)
    return createStringError(option + " '" + text +
                             "': expected NAME=1x224x?x3");
  return std::make_pair(name.str(), shape);
}

Expected<ImportOptions> Options::getImportOptions() const {
  ImportOptions options;
  for (const std::string &entry : entries) {
    Expected<EntrySpec> spec = parseEntry(entry);
    if (!spec)
      return createStringError("--" + toString(spec.takeError()));
    options.entries.push_back(entry);
  }
  for (const std::string &text : shapes) {
    auto shape = parseShape("--shape", text);
    if (!shape)
      return shape.takeError();
    options.shapes.push_back(std::move(*shape));
  }
  // Shapes of several inputs make one version; naming an input a second time
  // begins the next.
  std::set<std::string> named;
  for (const std::string &text : specializations) {
    auto shape = parseShape("--specialize", text);
    if (!shape)
      return shape.takeError();
    if (named.empty() || named.count(shape->first)) {
      named.clear();
      options.specializations.emplace_back();
    }
    named.insert(shape->first);
    options.specializations.back().push_back(std::move(*shape));
  }
  options.signature = signature;
  options.format = format;
  options.loadWeights = loadWeights;
  options.training = train;
  options.batch = batch;
  return options;
}

Expected<training::Request> Options::getTrainingRequest() const {
  training::Request request;
  for (const std::string &text : losses) {
    auto loss = training::parseForOutput(text);
    if (!loss)
      return createStringError("--loss " + toString(loss.takeError()));
    request.losses.push_back(std::move(*loss));
  }
  for (const std::string &text : lossWeights) {
    auto [output, number] = StringRef(text).rsplit('=');
    double weight = 0;
    if (number.empty() || number.getAsDouble(weight))
      return createStringError("--loss-weight '" + text +
                               "': expected OUTPUT=NUMBER");
    request.lossWeights.emplace_back(output.str(), weight);
  }
  for (const std::string &text : metrics) {
    auto parsed = training::parseForOutputs(text);
    if (!parsed)
      return createStringError("--metrics " + toString(parsed.takeError()));
    llvm::append_range(request.metrics, *parsed);
  }
  if (!optimizer.empty()) {
    auto call = training::parseCall(optimizer);
    if (!call)
      return createStringError("--optimizer " + toString(call.takeError()));
    request.optimizer = std::move(*call);
  }
  request.trainable = trainable;
  request.anyLoss = onlyExports;
  return request;
}

CompileOptions Options::getCompileOptions() const {
  CompileOptions options;
  options.cpu = cpu;
  options.triple = triple;
  options.optLevel = optLevel;
  options.cuda = cuda;
  options.precision = precision;
  options.fastMath = fastMath;
  options.checkNumerics = checkNumerics;
  options.debugInfo = debugInfo;
  options.memoryBudget = memoryBudget;
  options.embedWeights = weights != "external";
  options.threads = jobs;
  options.verbose = verbose;
  return options;
}

EmitOptions Options::getEmitOptions() const {
  EmitOptions options;
  options.optLevel = optLevel;
  options.fastMath = fastMath;
  options.threads = jobs;
  options.debugInfo = debugInfo;
  options.externalWeights = weights == "external";
  options.saveTemps = saveTemps;
  return options;
}

Error Options::check() const {
  if (optLevel > 3)
    return createStringError("-O%u: expected -O0 to -O3", optLevel);
  if (weights != "embed" && weights != "external")
    return createStringError("--weights '" + weights +
                             "': expected embed or external");
  if (!format.empty() && format != "mlir" &&
      !is_contained(modelFormats(), StringRef(format)))
    return createStringError("--format '" + format + "': expected one of " +
                             join(modelFormats(), ", ") + ", mlir");
  bool trains = train || command == Command::Export;
  if (!trains && (!losses.empty() || !lossWeights.empty() || !metrics.empty() ||
                  !optimizer.empty() || !trainable.empty()))
    return createStringError("--loss, --loss-weight, --metrics, --optimizer "
                             "and --trainable belong to --train");
  Expected<training::Request> request = getTrainingRequest();
  if (!request)
    return request.takeError();
  Expected<ImportOptions> import = getImportOptions();
  return import ? Error::success() : import.takeError();
}

std::string Options::describe() const {
  std::string text;
  raw_string_ostream os(text);
  for (const std::string &entry : entries)
    os << "entry " << entry << '\n';
  for (const std::string &shape : shapes)
    os << "shape " << shape << '\n';
  for (const std::string &shape : specializations)
    os << "specialize " << shape << '\n';
  os << "signature " << signature << "\nformat " << format << "\nweights "
     << loadWeights << "\nprecision " << precision << "\nbatch ";
  if (batch)
    os << *batch;
  if (train) {
    os << "\ntrain " << join(losses, ";") << '|' << join(lossWeights, ";")
       << '|' << join(metrics, ";") << '|' << optimizer << '|' << trainable
       << '|' << onlyExports;
  }
  os << "\ncpu " << cpu << "\ncuda " << join(cuda, ",") << "\nname " << name
     << "\nO " << optLevel << "\nfast-math " << fastMath << "\ncheck-numerics "
     << checkNumerics << "\ndebug " << debugInfo << "\nmemory-budget "
     << memoryBudget << '\n';
  return text;
}

} // namespace tenon
