// main() of generated executables: words to inputs, calls, results.
#include "core/Instance.h"
#include "cpu/Profile.h"
#include "io/File.h"
#include "main/Bench.h"
#include "main/Help.h"
#include "main/Inputs.h"
#include "main/Options.h"
#include "main/Results.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace tenon {

namespace {

struct Program {
  const tenon_model &model;
  Options options = {};
  Message message = {};
  Signature signature = {};
  Instance *instance = nullptr;
  int32_t *entries = nullptr; // by run
  Results results = {};
  Text out = {};

  // Prints the failure as one line, and returns the exit status.
  int fail(int status) {
    for (char *at = message.text; *at; ++at)
      if ((unsigned char)*at < ' ')
        *at = '?';
    Text line;
    line.print("%s: error: %s\n", options.program, message.text);
    writeAll(STDERR_FILENO, line.data, line.size);
    line.release();
    return status;
  }

  // The entry that runs without being named, or -1.
  int32_t standardEntry() const {
    int32_t main = signature.find("main");
    if (main < 0)
      main = signature.find("serving_default");
    if (main >= 0)
      return main;
    int32_t init = signature.find("init");
    int32_t others = signature.entryCount - (init >= 0);
    return others == 1 ? (init == 0 ? 1 : 0) : -1;
  }

  // Adds the entries' names to the failure at hand.
  void listEntries() {
    Text names;
    for (int32_t i = 0; i < signature.entryCount; ++i)
      names.print(i ? ", %s" : "%s", signature.entries[i].name);
    Message what = message;
    message.fail("%s%s", what.text, names.size ? names.data : "none");
    names.release();
  }

  // Finds the entries of all runs. Returns the exit status.
  int findEntries() {
    entries = static_cast<int32_t *>(
        calloc(size_t(options.runCount), sizeof(int32_t)));
    if (!entries)
      return message.fail("no memory"), 1;
    for (int32_t i = 0; i < options.runCount; ++i) {
      const char *name = options.runs[i].entry;
      entries[i] = name ? signature.find(name) : standardEntry();
      if (entries[i] >= 0)
        continue;
      if (name)
        message.fail("there is no entry '%s'; the entries are: ", name);
      else
        message.fail("there is no default entry, choose one with --entry: ");
      listEntries();
      return name ? 1 : 2;
    }
    return 0;
  }

  bool create() {
    tenon_options wanted = {};
    wanted.struct_size = sizeof wanted;
    wanted.threads = options.threads;
    wanted.cpu_level = options.cpuLevel;
    wanted.device = options.device;
    instance = static_cast<Instance *>(tenon_create(&model, &wanted));
    if (!instance)
      return message.fail("%s", tenon_error(nullptr));
    if (options.profile && !startProfile(*instance, options.profileFile))
      return message.fail("no memory for the profile");
    return true;
  }

  // Calls an entry; with `keep`, its results are added.
  bool call(int32_t number, int32_t run, const Inputs &inputs, bool keep) {
    const EntrySpec &entry = instance->signature.entries[number];
    size_t count = size_t(entry.inputCount + entry.outputCount);
    tenon_tensor *tensors = static_cast<tenon_tensor *>(
        calloc(count + 1, sizeof(tenon_tensor) + sizeof(tenon_tensor *)));
    if (!tensors)
      return message.fail("no memory");
    tenon_tensor **pointers =
        reinterpret_cast<tenon_tensor **>(tensors + count + 1);
    for (size_t i = 0; i < count; ++i) {
      bool input = i < size_t(entry.inputCount);
      if (input && inputs.arrays && inputs.arrays[i].data)
        tensors[i] = inputs.arrays[i].tensor();
      if (!input || tensors[i].data)
        pointers[i] = &tensors[i];
    }
    uint64_t begin = nanoseconds();
    bool good =
        !tenon_call(instance, number, pointers, pointers + entry.inputCount);
    if (good && instance->profile)
      recordCall(*instance, number, begin, nanoseconds());
    if (!good)
      message.fail("%s", tenon_error(instance));
    int32_t position = options.runCount > 1 ? run : -1;
    for (int32_t i = 0; good && keep && i < entry.outputCount; ++i)
      good = results.add(position, entry.outputs[i].name,
                         tensors[entry.inputCount + i], message);
    free(tensors);
    return good;
  }

  // Results of the last run, and all variables.
  bool checkNumerics() {
    for (const Result &result : results)
      if (!checkFinite("result", result.name.data, result.array, message))
        return false;
    const Signature &state = instance->signature;
    for (int32_t i = 0; i < state.variableCount; ++i) {
      const VariableSpec &variable = state.variables[i];
      Array view = {};
      view.dtype = variable.dtype;
      view.rank = variable.rank;
      view.count =
          countElements(view.rank, variable.shape, dtypeBytes(view.dtype));
      if (view.count < 0 || view.bytes() > variable.bytes ||
          !instance->state[variable.flagOffset])
        continue;
      memcpy(view.shape, variable.shape, size_t(view.rank) * sizeof(int64_t));
      view.data = instance->state + variable.stateOffset;
      if (!checkFinite("variable", variable.name, view, message))
        return false;
    }
    return true;
  }

  bool runAll() {
    int32_t init = signature.find("init");
    if (init >= 0 && !signature.entries[init].inputCount &&
        entries[0] != init && !call(init, 0, Inputs(), false))
      return false;
    for (int32_t run = 0; run < options.runCount; ++run) {
      Inputs inputs;
      bool good = inputs.read(signature.entries[entries[run]],
                              options.runs[run], options.cast, message);
      if (good && options.benchSeconds > 0 && run + 1 == options.runCount)
        good = runBench(*instance, entries[run], inputs, options, out, message);
      else
        good = good &&
               call(entries[run], run, inputs, options.benchSeconds <= 0) &&
               (!options.checkNumerics || checkNumerics());
      inputs.release();
      if (!good)
        return false;
    }
    return true;
  }

  bool writeProfile() {
    Text report;
    printProfile(*instance, report);
    // Results on stdout must stay readable by programs.
    bool busy = false;
    for (int32_t i = 0; i < options.outputCount; ++i)
      busy |= !strcmp(options.outputs[i], "-");
    writeAll(busy ? STDERR_FILENO : STDOUT_FILENO, report.data, report.size);
    report.release();
    if (!options.profileFile)
      return true;
    Text trace;
    printTrace(*instance, trace);
    OutputFile file{options.profileFile};
    bool good = file.open(options.profileFile, message);
    if (good)
      good = file.close(!trace.failed &&
                            writeAll(file.descriptor, trace.data, trace.size),
                        message);
    trace.release();
    return good;
  }

  int run(int argc, char **argv) {
    if (!parseOptions(argc, argv, options, message))
      return fail(2);
    if (!signature.read(model, message))
      return fail(1);
    if (options.help) {
      printHelp(out, options.program, signature, standardEntry());
    } else {
      int status = findEntries();
      if (status)
        return fail(status);
      if (!checkOutputs(options, signature, entries, message, status))
        return fail(status);
      if (!create() || !runAll() ||
          (options.benchSeconds <= 0 &&
           !results.deliver(options, out, message)))
        return fail(1);
    }
    // The profile follows the results, but the line of JSON is the last one.
    bool profile = options.profile && !options.help;
    if (profile && options.json && !writeProfile())
      return fail(1);
    if (!writeAll(STDOUT_FILENO, out.data, out.size)) {
      message.fail("cannot write to stdout");
      return fail(1);
    }
    if (profile && !options.json && !writeProfile())
      return fail(1);
    return 0;
  }

  ~Program() {
    if (instance)
      stopProfile(*instance);
    tenon_destroy(instance);
    results.release();
    out.release();
    signature.release();
    free(entries);
    free(options.runs);
  }
};

} // namespace
} // namespace tenon

int main(int argc, char **argv) {
  tenon::Program program{tenon_main_model};
  return program.run(argc, argv);
}
