//===- Compile.cpp - tenon compile ----------------------------------------===//

#include "compiler/tools/tenon/Commands.h"

#include "compiler/backend/cpu/Codegen.h"
#include "compiler/backend/cpu/Files.h"
#include "compiler/backend/cpu/Target.h"
#include "compiler/backend/cuda/DeviceCode.h"
#include "compiler/pipeline/Pipeline.h"
#include "compiler/tools/tenon/Model.h"
#include "compiler/tools/tenon/ModuleFile.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"

#include <chrono>
#include <ctime>

using namespace llvm;

namespace tenon {

namespace {

/// What -o and --emit ask for: an artifact, or a module of the graph dialect.
struct Target {
  bool isModule = false;
  bool isBytecode = false;
  OutputKind kind = OutputKind::Executable;
};

struct NamedTarget {
  StringRef name;
  Target target;
};
constexpr NamedTarget kTargets[] = {
    {"exe", {}},
    {"o", {false, false, OutputKind::Object}},
    {"a", {false, false, OutputKind::Archive}},
    {"so", {false, false, OutputKind::SharedLibrary}},
    {"ll", {false, false, OutputKind::LlvmIr}},
    {"s", {false, false, OutputKind::Assembly}},
    {"ptx", {false, false, OutputKind::Ptx}},
    {"mlir", {true, false, {}}},
    {"mlirbc", {true, true, {}}},
};

std::optional<Target> getTarget(StringRef kind) {
  for (const NamedTarget &known : kTargets)
    if (known.name == kind)
      return known.target;
  return std::nullopt;
}

/// Where compile time went: on the clock, and on processors, by all threads and
/// by the one that waits while others work; what it does is not parallel.
class TimeReport {
public:
  void add(StringRef phase, double seconds) {
    Times now{seconds, readClock(CLOCK_PROCESS_CPUTIME_ID),
              readClock(CLOCK_THREAD_CPUTIME_ID)};
    phases.emplace_back(phase.str(), Times{seconds, now.all - before.all,
                                           now.first - before.first});
    before = now;
  }

  void print() const {
    Times total;
    errs() << "   seconds    of CPU  of the first thread  phase\n";
    for (const auto &[phase, times] : phases) {
      print(phase, times);
      total = {total.seconds + times.seconds, total.all + times.all,
               total.first + times.first};
    }
    print("total", total);
  }

private:
  struct Times {
    double seconds = 0, all = 0, first = 0;
  };

  static double readClock(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
  }

  static void print(StringRef phase, const Times &times) {
    errs() << format("%10.3f%10.3f%21.3f  ", times.seconds, times.all,
                     times.first)
           << phase << '\n';
  }

  Times before;
  std::vector<std::pair<std::string, Times>> phases;
};

void describe(const ArtifactSpec &spec) {
  for (const CodeVariant &variant : spec.variants)
    errs() << "variant " << variant.cpu << '\n';
  for (const EntryInfo &entry : spec.entries)
    errs() << "entry '" << entry.name << "': arena of " << entry.arenaBytes
           << " bytes\n";
  errs() << "weights: " << spec.weightsBytes
         << " bytes, state: " << spec.stateBytes << " bytes\n"
         << "kernels: " << spec.kernels.size() << '\n';
  for (const std::string &kernel : spec.kernels)
    errs() << "  " << kernel << '\n';
}

/// Keeps the module after each stage in --save-temps' folder.
void saveStages(CompileOptions &compile, const Options &options, StringRef name,
                Model &model) {
  if (options.saveTemps.empty())
    return;
  auto counter = std::make_shared<unsigned>(0);
  std::string folder = options.saveTemps;
  bool saysNodes = options.debugInfo;
  compile.saveStage = [=, &model, name = name.str()](StringRef stage,
                                                     mlir::ModuleOp module) {
    std::string text;
    raw_string_ostream stream(text);
    mlir::OpPrintingFlags flags;
    flags.elideLargeResourceString(64);
    if (saysNodes)
      flags.enableDebugInfo(/*enable=*/true, /*prettyForm=*/true);
    module->print(stream, flags);
    SmallString<128> path(folder);
    sys::path::append(path,
                      name + "." + Twine(++*counter) + "." + stage + ".mlir");
    (void)sys::fs::create_directories(folder);
    Expected<OutputFile> file = OutputFile::create(path);
    Error error = file ? file->write(text) : file.takeError();
    if (!error)
      error = file->commit();
    if (error)
      model.fail(std::move(error));
  };
}

int writeModule(Model &model, const Target &target, StringRef path) {
  if (Error error = writeModuleFile(model.getModule(), path, target.isBytecode))
    return model.fail(std::move(error));
  return kDone;
}

} // namespace

std::vector<StringRef> getOutputKinds() {
  std::vector<StringRef> names;
  for (const NamedTarget &known : kTargets)
    names.push_back(known.name);
  return names;
}

int compileTo(StringRef path, OutputKind kind, StringRef out,
              const Options &options, StringRef tool) {
  Expected<ImportOptions> import = options.getImportOptions();
  if (!import) // Options::check has reported it.
    return consumeError(import.takeError()), kSyntax;
  // Known to be wrong before anything is read.
  Expected<Triple> triple = resolveTriple(options.triple, options.cpu);
  Error unfit = triple ? checkCpu(*triple, options.cpu) : triple.takeError();
  if (!unfit && !options.cuda.empty() && !triple->isX86())
    unfit = createStringError("--cuda: programs that use GPUs are for x86-64, "
                              "not for " +
                              triple->str());
  for (const std::string &architecture : options.cuda)
    if (!unfit)
      unfit = checkArchitecture(architecture);
  if (!unfit && options.precision != "f32" && options.precision != "bf16")
    unfit = createStringError("--precision " + options.precision +
                              ": contractions are computed in f32 or bf16");
  if (unfit) {
    errs() << path << ": error: " << toString(std::move(unfit)) << '\n';
    return kFault;
  }
  TimeReport report;
  auto start = std::chrono::steady_clock::now();
  Model model(path, *import, options);
  if (!model)
    return kFault;
  report.add("import", std::chrono::duration<double>(
                           std::chrono::steady_clock::now() - start)
                           .count());
  CompileOptions compile = options.getCompileOptions();
  if (kind == OutputKind::Ptx && compile.cuda.empty())
    compile.cuda.push_back(kDefaultArchitecture.str());
  compile.name = options.name.empty() ? Model::getName(path) : options.name;
  saveStages(compile, options, compile.name, model);
  EmitOptions emit = options.getEmitOptions();
  emit.runtimeArchive = findRuntimeArchive(tool);
  compile.reportTime = emit.reportTime = [&](StringRef phase, double seconds) {
    report.add(phase, seconds);
  };
  ArtifactSpec spec;
  spec.name = compile.name;
  if (failed(compileToArtifact(model.getModule(), compile, spec)))
    return kFault;
  if (options.verbose)
    describe(spec);
  if (Error error = emitArtifact(spec, kind, out, emit))
    return model.fail(std::move(error));
  if (options.timeReport)
    report.print();
  return kDone;
}

int compileCommand(const Options &options, StringRef tool) {
  StringRef path = options.model;
  std::string name = options.name.empty() ? Model::getName(path) : options.name;
  std::string out = options.output.empty() ? "./" + name : options.output;
  StringRef suffix = sys::path::extension(out);
  suffix.consume_front(".");
  Target target = getTarget(suffix).value_or(Target{});
  if (!options.emit.empty()) {
    std::optional<Target> asked = getTarget(options.emit);
    if (!asked) {
      errs() << "tenon: --emit '" << options.emit
             << "': expected exe, o, a, so, ll, s, ptx, mlir or mlirbc\n";
      return kSyntax;
    }
    target = *asked;
    if (options.output.empty() && options.emit != "exe")
      out += "." + options.emit;
  }
  if (!target.isModule)
    return compileTo(path, target.kind, out, options, tool);
  Expected<ImportOptions> import = options.getImportOptions();
  if (!import)
    return consumeError(import.takeError()), kSyntax;
  Model model(path, *import, options);
  return model ? writeModule(model, target, out) : kFault;
}

} // namespace tenon
