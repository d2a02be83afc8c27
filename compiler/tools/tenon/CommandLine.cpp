//===- CommandLine.cpp - the options as LLVM's parser knows them ----------===//

#include "compiler/backend/cuda/DeviceCode.h"
#include "compiler/tools/tenon/Options.h"

#include "llvm/Support/CommandLine.h"

using namespace llvm;

namespace tenon {

namespace {

/// LLVM's options have to exist before the parser runs, and nobody should see
/// them afterwards.
struct CommandLine {
  CommandLine();

  Options get() const;

  cl::OptionCategory category;
  cl::SubCommand compile, inspect, run, verify, exports;
  cl::opt<std::string> compileModel, inspectModel, runModel, verifyModel,
      exportModel;
  cl::list<std::string> runArguments, verifyInputs, exportArguments;
  cl::list<std::string> entries, shapes, specializations;
  cl::opt<std::string> signature, format, loadWeights;
  cl::opt<unsigned> batch;
  cl::opt<bool> train;
  cl::list<std::string> losses, lossWeights, metrics;
  cl::opt<std::string> optimizer, trainable;
  cl::opt<std::string> cpu, cuda, triple, precision, name;
  cl::opt<unsigned> optLevel;
  cl::opt<bool> fastMath, checkNumerics, debugInfo;
  cl::opt<uint64_t> memoryBudget;
  cl::opt<std::string> output, emit, weights, saveTemps;
  cl::opt<unsigned> jobs;
  cl::opt<bool> timeReport, verbose, json;
  cl::opt<std::string> reference;
  cl::opt<double> rtol, atol;
};

#define ALL_SUBS                                                               \
  cl::cat(category), cl::sub(compile), cl::sub(inspect), cl::sub(run),         \
      cl::sub(verify), cl::sub(exports)
#define MODEL_SUBS                                                             \
  cl::cat(category), cl::sub(compile), cl::sub(inspect), cl::sub(run),         \
      cl::sub(exports)
#define CODE_SUBS                                                              \
  cl::cat(category), cl::sub(compile), cl::sub(run), cl::sub(verify)

CommandLine::CommandLine()
    : category("Options"), compile("compile", "model file -> native code"),
      inspect("inspect", "entry points, inputs, outputs, shapes, sizes, ops of "
                         "a model or an artifact"),
      run("run", "compile into a cache and run: all arguments after MODEL are "
                 "the program's"),
      verify("verify", "run and compare with a reference; status 1 beyond "
                       "tolerance"),
      exports("export",
              "a training program's weights, or those of a checkpoint of it, "
              "as a file for Keras or NumPy: export TRAINER|MODEL --restore "
              "CHECKPOINT -o FILE.keras|FILE.weights.h5|FILE.npz"),
      compileModel(cl::Positional, cl::Required, cl::desc("MODEL"),
                   cl::cat(category), cl::sub(compile)),
      inspectModel(cl::Positional, cl::Required, cl::desc("MODEL|ARTIFACT"),
                   cl::cat(category), cl::sub(inspect)),
      runModel(cl::Positional, cl::Required, cl::desc("MODEL"),
               cl::cat(category), cl::sub(run)),
      verifyModel(cl::Positional, cl::Required, cl::desc("MODEL"),
                  cl::cat(category), cl::sub(verify)),
      exportModel(cl::Positional, cl::Required, cl::desc("TRAINER|MODEL"),
                  cl::cat(category), cl::sub(exports)),
      runArguments(cl::ConsumeAfter, cl::desc("[arguments of the program...]"),
                   cl::cat(category), cl::sub(run)),
      verifyInputs(cl::Positional, cl::desc("[inputs...]"), cl::cat(category),
                   cl::sub(verify)),
      exportArguments(cl::ConsumeAfter,
                      cl::desc("[--restore CHECKPOINT] -o FILE..."),
                      cl::cat(category), cl::sub(exports)),
      entries(
          "entry", cl::value_desc("NAME(args) -> results"),
          cl::desc(
              "An entry point over a graph, repeatable: 'predict(image = x:0) "
              "-> probs = softmax:0'; verify: a bare NAME is the one to call"),
          ALL_SUBS),
      shapes(
          "shape", cl::value_desc("NAME=1x224x224x3"),
          cl::desc("Fix or relax (?) the dimensions of an input, repeatable"),
          ALL_SUBS),
      specializations(
          "specialize", cl::value_desc("NAME=1x224x224x3"),
          cl::desc("Add a version for inputs of this shape beside the one for "
                   "all sizes, repeatable; naming an input again begins the "
                   "next version"),
          CODE_SUBS),
      signature("signature", cl::value_desc("KEY"),
                cl::desc("Only this signature of a SavedModel"), ALL_SUBS),
      format("format", cl::value_desc("FORMAT"),
             cl::desc("The model's format, instead of what its contents say"),
             ALL_SUBS),
      loadWeights("load-weights", cl::value_desc("FILE"),
                  cl::desc("The weights of a Keras model's JSON configuration "
                           "(default: NAME.weights.h5 beside it)"),
                  ALL_SUBS),
      batch("batch", cl::value_desc("N"),
            cl::desc("Set every unknown leading dimension"), ALL_SUBS),
      train("train",
            cl::desc("Make a program that trains: fit, evaluate, predict"),
            MODEL_SUBS),
      losses("loss", cl::value_desc("[OUTPUT=]LOSS"),
             cl::desc("What training minimizes, as Keras names it, one for "
                      "each output that counts: "
                      "'sparse_categorical_crossentropy(from_logits=true)'"),
             MODEL_SUBS),
      lossWeights("loss-weight", cl::value_desc("OUTPUT=NUMBER"),
                  cl::desc("An output's part of the sum of losses"),
                  MODEL_SUBS),
      metrics("metrics", cl::value_desc("[OUTPUT=]METRIC,..."),
              cl::desc("What training reports beside the loss, as Keras names "
                       "it: 'accuracy,auc(curve=PR)'"),
              MODEL_SUBS),
      optimizer("optimizer", cl::value_desc("OPTIMIZER"),
                cl::desc("As Keras names it: "
                         "'sgd(learning_rate=cosine_decay(0.1, 1000), "
                         "momentum=0.9)' (default: rmsprop)"),
                MODEL_SUBS),
      trainable("trainable", cl::value_desc("REGEX"),
                cl::desc("Train only the variables with a match in their name, "
                         "or such constants of a frozen graph"),
                MODEL_SUBS),
      cpu("cpu", cl::value_desc("portable|native|NAME"), cl::init("portable"),
          cl::desc("portable (default): x86-64-v2, v3 and v4 in one artifact, "
                   "chosen at creation; this machine; a named CPU"),
          CODE_SUBS),
      cuda("cuda", cl::ValueOptional, cl::value_desc("sm_80,..."),
           cl::desc("Code for NVIDIA GPUs as well (sm_80 and newer, unless "
                    "architectures are named)"),
           CODE_SUBS),
      triple("triple", cl::value_desc("PLATFORM"),
             cl::desc("Another platform than this one: aarch64-linux-gnu, "
                      "riscv64-linux-gnu, ... (objects, .a, .ll and .s)"),
             cl::cat(category), cl::sub(compile)),
      precision(
          "precision", cl::value_desc("f32|bf16"), cl::init("f32"),
          cl::desc("Arithmetic of contractions of float32: f32 (default), "
                   "or bf16 operands with f32 sums"),
          CODE_SUBS),
      name("name", cl::value_desc("NAME"),
           cl::desc("Prefix of the C symbols (default: from the file name)"),
           CODE_SUBS),
      optLevel("O", cl::Prefix, cl::value_desc("0-3"), cl::init(2),
               cl::desc("Optimisation level (default: 2)"), CODE_SUBS),
      fastMath("fast-math",
               cl::desc("NaN, Inf and the order of sums do not matter"),
               CODE_SUBS),
      checkNumerics("check-numerics",
                    cl::desc("Compile a check after every node, so that the "
                             "program's --check-numerics can name the first "
                             "that made a NaN or Inf"),
                    CODE_SUBS),
      debugInfo("g",
                cl::desc("Debug information that maps code to the model's "
                         "nodes"),
                CODE_SUBS),
      memoryBudget("memory-budget", cl::value_desc("BYTES"), cl::init(0),
                   cl::desc("Compute values again instead of keeping them "
                            "until a call's memory fits"),
                   CODE_SUBS),
      output("o", cl::value_desc("OUT"),
             cl::desc(
                 "Output; its suffix says the kind: none executable, .o, "
                 ".a, .so, .ll, .s, .ptx, .mlir, .mlirbc (default: the model's "
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
      rtol("rtol", cl::value_desc("R"), cl::init(1e-4),
           cl::desc("Relative tolerance (default: 1e-4)"), cl::cat(category),
           cl::sub(verify)),
      atol("atol", cl::value_desc("A"), cl::init(-1),
           cl::desc("Absolute tolerance (default: 1e-5 of the result's largest "
                    "value)"),
           cl::cat(category), cl::sub(verify)) {}

Options CommandLine::get() const {
  Options options;
  if (compile) {
    options.command = Command::Compile;
    options.model = compileModel;
  } else if (inspect) {
    options.command = Command::Inspect;
    options.model = inspectModel;
  } else if (run) {
    options.command = Command::Run;
    options.model = runModel;
    options.arguments.assign(runArguments.begin(), runArguments.end());
  } else if (verify) {
    options.command = Command::Verify;
    options.model = verifyModel;
    options.arguments.assign(verifyInputs.begin(), verifyInputs.end());
  }
  if (exports) {
    options.command = Command::Export;
    options.model = exportModel;
    options.arguments.assign(exportArguments.begin(), exportArguments.end());
  }
  for (const std::string &entry : entries) {
    // A bare name is no entry point to make, but the one to call.
    if (verify && !StringRef(entry).contains('('))
      options.runEntry = entry;
    else
      options.entries.push_back(entry);
  }
  options.shapes.assign(shapes.begin(), shapes.end());
  options.specializations.assign(specializations.begin(),
                                 specializations.end());
  options.signature = signature;
  options.format = format;
  options.loadWeights = loadWeights;
  if (batch.getNumOccurrences())
    options.batch = batch;
  options.train = train;
  options.losses.assign(losses.begin(), losses.end());
  options.lossWeights.assign(lossWeights.begin(), lossWeights.end());
  options.metrics.assign(metrics.begin(), metrics.end());
  options.optimizer = optimizer;
  options.trainable = trainable;
  options.cpu = cpu;
  options.triple = triple;
  if (cuda.getNumOccurrences()) {
    SmallVector<StringRef> names;
    (cuda.empty() ? StringRef(kDefaultArchitecture) : StringRef(cuda))
        .split(names, ',');
    options.cuda.assign(names.begin(), names.end());
  }
  options.precision = precision;
  options.name = name;
  options.optLevel = optLevel;
  options.fastMath = fastMath;
  options.memoryBudget = memoryBudget;
  options.checkNumerics = checkNumerics;
  options.debugInfo = debugInfo;
  options.output = output;
  options.emit = emit;
  options.weights = weights;
  options.saveTemps = saveTemps;
  options.jobs = jobs;
  options.timeReport = timeReport;
  options.verbose = verbose;
  options.json = json;
  options.reference = reference;
  options.rtol = rtol;
  options.atol = atol;
  return options;
}

void printVersion(raw_ostream &os) {
  os << "tenon " TENON_VERSION " (LLVM " LLVM_VERSION_STRING ")\n";
}

} // namespace

std::optional<Options> parseOptions(int argc, char **argv) {
  // Never destroyed: LLVM keeps its options registered, and the linker resets
  // all that are.
  static auto &line = *new CommandLine;
  cl::SubCommand *subs[] = {&cl::SubCommand::getTopLevel(),
                            &line.compile,
                            &line.inspect,
                            &line.run,
                            &line.verify,
                            &line.exports};
  for (cl::SubCommand *sub : subs)
    cl::HideUnrelatedOptions(line.category, *sub);
  cl::SetVersionPrinter(printVersion);
  if (!cl::ParseCommandLineOptions(
          argc, argv,
          "tenon: compiles a model file ahead of time into a native program\n",
          &errs()))
    return std::nullopt;
  return line.get();
}

} // namespace tenon
