// main() of generated executables: words to inputs, calls, results.
#include "checkpoint/Checkpoint.h"
#include "core/System.h"
#include "cpu/Profile.h"
#include "io/Fail.h"
#include "io/File.h"
#include "io/Strings.h"
#include "main/Bench.h"
#include "main/Call.h"
#include "main/Help.h"
#include "main/Inputs.h"
#include "main/Results.h"
#include "train/Training.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace tenon {

tenon_tensor *callEntry(Instance &instance, int32_t number,
                        tenon_tensor *inputs) {
  const EntrySpec &entry = instance.signature.entries[number];
  size_t inputCount = size_t(entry.inputCount);
  size_t outputCount = size_t(entry.outputCount);
  tenon_tensor **pointers = static_cast<tenon_tensor **>(
      allocate((inputCount + outputCount) * sizeof(tenon_tensor *)));
  tenon_tensor *outputs =
      static_cast<tenon_tensor *>(allocate(outputCount * sizeof(tenon_tensor)));
  for (size_t i = 0; i < inputCount; ++i)
    if (inputs[i].data)
      pointers[i] = &inputs[i];
  for (size_t i = 0; i < outputCount; ++i)
    pointers[inputCount + i] = &outputs[i];
  int64_t begin = nanoseconds();
  if (tenon_call(&instance, number, pointers, pointers + inputCount))
    fail("%s", tenon_error(&instance));
  if (instance.profile)
    recordCall(instance, number, begin, nanoseconds());
  return outputs;
}

// In place in main(), whatever else calls it.
[[gnu::always_inline]] static inline Instance &
makeInstance(const Options &options) {
  tenon_options wanted = {};
  wanted.struct_size = sizeof wanted;
  wanted.device = options.device;
  wanted.check_numerics = options.checkNumerics != nullptr;
  wanted.threads = 1; // until a kernel has several tasks
  int32_t threads = 0;
  if (options.threads)
    threads = int(optionNumber("--threads", options.threads, 1));
  if (const char *cpu = options.cpu) {
    if (cpu[0] != 'v' || cpu[1] < '2' || cpu[1] > '4' || cpu[2])
      fail("--cpu: expected v2, v3 or v4, got '%s'", cpu);
    wanted.cpu_level = cpu[1] - '0';
  }
  failContext.status = 1;
  tenon_instance *handle = tenon_create(&tenon_main_model, &wanted);
  if (!handle)
    fail("%s", tenon_error(nullptr));
  Instance &instance = *static_cast<Instance *>(handle);
  useThreads(instance, threads, false);
  return instance;
}

Instance &createInstance(const Options &options) {
  return makeInstance(options);
}

void writeProfile(Instance &instance, const Options &options) {
  // Results on stdout must stay readable by programs.
  int file = STDOUT_FILENO;
  for (int32_t i = 0; i < options.outputs.count; ++i)
    if (!strcmp(options.outputs.list[i], "-"))
      file = STDERR_FILENO;
  Text report;
  printProfile(instance, report);
  writeAll(file, report.data, report.size);
  if (!*options.profile)
    return;
  Text trace;
  printTrace(instance, trace);
  file = openOutput(options.profile);
  writeAll(file, trace.data, trace.size);
  closeOutput(file, options.profile);
}

namespace {

// The entry that runs without being named, or -1.
int32_t standardEntry(const Signature &signature) {
  int32_t entry = signature.find("main"), init = signature.find("init");
  if (entry < 0)
    entry = signature.find("serving_default");
  if (entry < 0 && signature.entryCount - (init >= 0) == 1)
    entry = init == 0;
  return entry;
}

[[gnu::noinline]] void findEntries(const Signature &signature,
                                   Options &options) {
  Text names;
  for (int32_t i = 0; i < signature.entryCount; ++i)
    names.print(i ? ", %s" : "%s", signature.entries[i].name);
  for (int32_t i = 0; i < options.runCount; ++i) {
    RunRequest &run = options.runs[i];
    run.number =
        run.entry ? signature.find(run.entry) : standardEntry(signature);
    if (run.number >= 0)
      continue;
    if (run.entry) {
      failContext.status = 1;
      fail("there is no entry '%s'; the entries are: %s", run.entry,
           names.terminated());
    }
    fail("there is no default entry, choose one with --entry: %s",
         names.terminated());
  }
}

// The results so far, and all variables.
void checkNumerics(Instance &instance, const Results &results) {
  for (int32_t i = 0; i < results.count; ++i)
    checkFinite("result", results.list[i].name, results.list[i].tensor);
  const Signature &signature = instance.signature;
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    const VariableSpec &variable = signature.variables[i];
    tenon_tensor view = {};
    view.dtype = variable.dtype;
    view.ndim = variable.rank;
    view.shape = variable.shape;
    view.data = instance.state + variable.stateOffset;
    // A variable may be stored in another form than its shape says.
    if (instance.state[variable.flagOffset] && elementCount(view) >= 0 &&
        byteCount(view) <= variable.bytes)
      checkFinite("variable", variable.name, view);
  }
}

[[gnu::noinline]] void runAll(Instance &instance, const Options &options,
                              Text &out) {
  const Signature &signature = instance.signature;
  if (options.profile)
    startProfile(instance, *options.profile);
  const tenon_checkpoint_functions *checkpoints = tenon_main_model.checkpoints;
  const char *missing = options.logdir && !stringFunctions() ? "summaries"
                        : (options.restore || options.save) && !checkpoints
                            ? "variables"
                            : nullptr;
  if (missing)
    fail("the model has no %s", missing);
  int32_t init = signature.find("init");
  if (init >= 0 && !signature.entries[init].inputCount &&
      options.runs[0].number != init &&
      (!options.restore || options.restorePartial))
    callEntry(instance, init, nullptr);
  if (options.restore)
    checkpoints->restore(instance, options.restore, options.restorePartial);
  Results results;
  for (int32_t run = 0; run < options.runCount; ++run) {
    int32_t number = options.runs[run].number;
    const EntrySpec &entry = signature.entries[number];
    tenon_tensor *inputs =
        readInputs(entry, options.runs[run].inputs, options.cast);
    if (options.bench && run + 1 == options.runCount) {
      runBench(instance, number, inputs, options, out);
      break;
    }
    tenon_tensor *outputs = callEntry(instance, number, inputs);
    results.list = static_cast<Result *>(
        realloc(results.list, size_t(results.count + entry.outputCount + 1) *
                                  sizeof(Result)));
    for (int32_t i = 0; results.list && i < entry.outputCount; ++i) {
      Text name;
      if (options.runCount > 1)
        name.print("%d/", run);
      name.add(entry.outputs[i].name);
      results.list[results.count++] = {name.terminated(),
                                       copyTensor(outputs[i])};
    }
    if (options.logdir)
      stringFunctions()->log(instance, options.logdir, run, outputs,
                             entry.outputCount);
    for (int32_t i = 0; i < entry.inputCount; ++i)
      free(inputs[i].data);
    if (options.checkNumerics)
      checkNumerics(instance, results);
  }
  if (!options.bench)
    deliver(results, options, out);
  if (options.save)
    checkpoints->save(instance, options.save);
}

} // namespace
} // namespace tenon

using namespace tenon;

int main(int argc, char **argv) {
  const char *slash = lastOf(argv[0], '/');
  failContext.program = slash ? slash + 1 : argv[0];
  failContext.status = 2;
  Options options = {};
  if (tenon_main_model.training)
    tenon_main_model.training->run(argc, argv);
  parseOptions(argc, argv, options);
  Signature signature;
  Message message;
  if (!signature.read(tenon_main_model, message))
    fail("%s", message.text);
  Text out;
  if (options.help) {
    printHelp(out, failContext.program, signature, standardEntry(signature));
    writeAll(STDOUT_FILENO, out.data, out.size);
    return 0;
  }
  findEntries(signature, options);
  Instance &instance = makeInstance(options);
  runAll(instance, options, out);
  // The profile follows the results, but the line of JSON is the last one.
  if (options.profile && options.json)
    writeProfile(instance, options);
  writeAll(STDOUT_FILENO, out.data, out.size);
  if (options.profile && !options.json)
    writeProfile(instance, options);
  // The system takes back threads and memory faster.
  exitProcess(0);
}
