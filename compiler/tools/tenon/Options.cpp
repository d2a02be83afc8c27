//===- Options.cpp - the command line of tenon ----------------------------===//

#include "compiler/tools/tenon/Options.h"

#include "frontend/Entry.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace tenon {

#define ALL_SUBS                                                               \
  cl::cat(category), cl::sub(compile), cl::sub(inspect), cl::sub(run),         \
      cl::sub(verify)
#define CODE_SUBS                                                              \
  cl::cat(category), cl::sub(compile), cl::sub(run), cl::sub(verify)

Options::Options()
    : category("Options"), compile("compile", "model file -> native code"),
      inspect("inspect", "entry points, inputs, outputs, shapes, sizes, ops of "
                         "a model or an artifact"),
      run("run", "compile into a cache and run: all arguments after MODEL are "
                 "the program's"),
      verify("verify", "run and compare with a reference; status 1 beyond "
                       "tolerance"),
      compileModel(cl::Positional, cl::Required, cl::desc("MODEL"),
                   cl::cat(category), cl::sub(compile)),
      inspectModel(cl::Positional, cl::Required, cl::desc("MODEL|ARTIFACT"),
                   cl::cat(category), cl::sub(inspect)),
      runModel(cl::Positional, cl::Required, cl::desc("MODEL"),
               cl::cat(category), cl::sub(run)),
      verifyModel(cl::Positional, cl::Required, cl::desc("MODEL"),
                  cl::cat(category), cl::sub(verify)),
      runArguments(cl::ConsumeAfter, cl::desc("[arguments of the program...]"),
                   cl::cat(category), cl::sub(run)),
      verifyInputs(cl::Positional, cl::desc("[inputs...]"), cl::cat(category),
                   cl::sub(verify)),
      entries(
          "entry", cl::value_desc("NAME(args) -> results"),
          cl::desc("An entry point over a graph, repeatable: 'predict(image "
                   "= x:0) -> probs = softmax:0'"),
          ALL_SUBS),
      shapes(
          "shape", cl::value_desc("NAME=1x224x224x3"),
          cl::desc("Fix or relax (?) the dimensions of an input, repeatable"),
          ALL_SUBS),
      signature("signature", cl::value_desc("KEY"),
                cl::desc("Only this signature of a SavedModel"), ALL_SUBS),
      format("format", cl::value_desc("FORMAT"),
             cl::desc("The model's format, instead of what its contents say"),
             ALL_SUBS),
      batch("batch", cl::value_desc("N"),
            cl::desc("Set every unknown leading dimension"), ALL_SUBS),
      cpu("cpu", cl::value_desc("portable|native|NAME"), cl::init("portable"),
          cl::desc("portable (default): x86-64-v2, v3 and v4 in one artifact, "
                   "chosen at creation; this machine; a named CPU"),
          CODE_SUBS),
      name("name", cl::value_desc("NAME"),
           cl::desc("Prefix of the C symbols (default: from the file name)"),
           CODE_SUBS),
      optLevel("O", cl::Prefix, cl::value_desc("0-3"), cl::init(2),
               cl::desc("Optimisation level (default: 2)"), CODE_SUBS),
      fastMath("fast-math",
               cl::desc("NaN, Inf and the order of sums do not matter"),
               CODE_SUBS),
      output("o", cl::value_desc("OUT"),
             cl::desc("Output; its suffix says the kind: none executable, .o, "
                      ".a, .so, .ll, .s, .mlir, .mlirbc (default: the model's "
                      "name)"),
             cl::cat(category), cl::sub(compile)),
      emit("emit", cl::value_desc("KIND"),
           cl::desc("Kind of output whatever the suffix: exe, o, a, so, ll, s, "
                    "mlir, mlirbc"),
           cl::cat(category), cl::sub(compile)),
      weights("weights", cl::value_desc("embed|external"), cl::init("embed"),
              cl::desc("In the artifact (default), or in <output>.weights "
                       "beside it, memory-mapped"),
              cl::cat(category), cl::sub(compile)),
      saveTemps("save-temps", cl::value_desc("DIR"),
                cl::desc("Keep every stage in this folder"), cl::cat(category),
                cl::sub(compile)),
      jobs("j", cl::value_desc("N"), cl::init(0),
           cl::desc("Threads of the compiler (default: all cores)"), CODE_SUBS),
      timeReport("time-report", cl::desc("Say where compile time went"),
                 CODE_SUBS),
      verbose("v", cl::desc("Say what was made"), CODE_SUBS),
      json("json", cl::desc("Print JSON"), cl::cat(category), cl::sub(inspect)),
      reference("reference", cl::Required, cl::value_desc("FILE.npz"),
                cl::desc("The expected results"), cl::cat(category),
                cl::sub(verify)),
      runEntry("run", cl::value_desc("NAME"),
               cl::desc("The entry point to run (default: the program's)"),
               cl::cat(category), cl::sub(verify)),
      rtol("rtol", cl::value_desc("R"), cl::init(1e-4),
           cl::desc("Relative tolerance (default: 1e-4)"), cl::cat(category),
           cl::sub(verify)),
      atol("atol", cl::value_desc("A"), cl::init(-1),
           cl::desc("Absolute tolerance (default: 1e-5 of the result's largest "
                    "value)"),
           cl::cat(category), cl::sub(verify)) {}

/// "NAME=1x?x3".
static Expected<std::pair<std::string, std::vector<int64_t>>>
parseShape(StringRef text) {
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
    return createStringError("--shape '" + text + "': expected NAME=1x224x?x3");
  return std::make_pair(name.str(), shape);
}

Expected<ImportOptions> Options::getImportOptions() const {
  ImportOptions options;
  for (const std::string &entry : entries) {
    Expected<EntrySpec> spec = parseEntry(entry);
    if (!spec)
      return createStringError("--entry '" + entry +
                               "': " + toString(spec.takeError()));
    options.entries.push_back(entry);
  }
  for (const std::string &text : shapes) {
    auto shape = parseShape(text);
    if (!shape)
      return shape.takeError();
    options.shapes.push_back(std::move(*shape));
  }
  options.signature = signature;
  options.format = format;
  if (batch.getNumOccurrences())
    options.batch = batch;
  return options;
}

CompileOptions Options::getCompileOptions() const {
  CompileOptions options;
  options.cpu = cpu;
  options.optLevel = optLevel;
  options.fastMath = fastMath;
  options.threads = jobs;
  options.verbose = verbose;
  return options;
}

EmitOptions Options::getEmitOptions() const {
  EmitOptions options;
  options.optLevel = optLevel;
  options.fastMath = fastMath;
  options.threads = jobs;
  options.externalWeights = weights == "external";
  options.saveTemps = saveTemps;
  return options;
}

Error Options::check() const {
  if (optLevel > 3)
    return createStringError("-O%u: expected -O0 to -O3", unsigned(optLevel));
  if (weights != "embed" && weights != "external")
    return createStringError("--weights '" + weights +
                             "': expected embed or external");
  if (!format.empty() && format != "mlir" &&
      !is_contained(modelFormats(), StringRef(format)))
    return createStringError("--format '" + format + "': expected one of " +
                             join(modelFormats(), ", ") + ", mlir");
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
  os << "signature " << signature << "\nformat " << format << "\nbatch ";
  if (batch.getNumOccurrences())
    os << batch;
  os << "\ncpu " << cpu << "\nname " << name << "\nO " << optLevel
     << "\nfast-math " << fastMath << '\n';
  return text;
}

} // namespace tenon
