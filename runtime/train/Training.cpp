// The commands of a training program.
#include "train/Training.h"
#include "checkpoint/Checkpoint.h"
#include "core/System.h"
#include "io/Fail.h"
#include "io/File.h"
#include "main/Call.h"
#include "train/Export.h"
#include "train/Fit.h"
#include "train/State.h"
#include "train/Trainer.h"

#include <string.h>
#include <unistd.h>

namespace tenon::train {

namespace {

const char commands[] =
    "\ncommands:\n"
    "  fit DATA...         train; fit --help says more\n"
    "  evaluate DATA...    loss and metrics on data; evaluate --help\n"
    "  predict DATA...     results, batch by batch: -o FILE.npz, --restore "
    "PATH,\n"
    "                      --batch N; or with an entry's inputs and options\n"
    "  export FILE...      the weights, of --restore PATH, as FILE.keras,\n"
    "                      FILE.weights.h5 or FILE.npz\n";

const char fitHelp[] =
    "DATA: FILE.npz, NAME=FILE.npy..., FILE.csv with a header,\n"
    "FILE.tfrecord[.gz]... of tf.train.Example, or a folder of PNG or JPEG\n"
    "images in a folder per class. Arrays have the names below.\n"
    "\n"
    "  --validation DATA   evaluate on it after each epoch (repeat for several "
    "files)\n"
    "  --epochs N          counted from the start, also after --resume "
    "(default 1)\n"
    "  --batch N           rows per step (default 32)\n"
    "  --seed N            of shuffling and of random layers\n"
    "  --shuffle N         by a buffer of N rows (default: wholly; streams: "
    "10000)\n"
    "  --no-shuffle        keep the order\n"
    "  --class-weight C=W,... weights of classes\n"
    "  --checkpoint DIR    keep the state of the run there\n"
    "  --resume            go on with the run in DIR\n"
    "  --keep N            so many checkpoints (default 5)\n"
    "  --checkpoint-steps N  every N steps as well\n"
    "  --restore PATH      begin with the weights of a checkpoint or .npz\n"
    "  --history FILE.csv  a row of metrics per epoch\n"
    "  --logdir DIR        TensorBoard's files\n"
    "  --early-stopping[=monitor=val_loss,patience=0,min_delta=0,mode=auto,\n"
    "                    baseline=X,start_from_epoch=0,"
    "restore_best_weights=false]\n"
    "  --reduce-lr-on-plateau[=monitor=val_loss,factor=0.1,patience=10,\n"
    "                    min_delta=1e-4,cooldown=0,min_lr=0,mode=auto]\n"
    "  --save-best PATH[,monitor=val_loss,mode=auto]  a checkpoint or .npz\n"
    "  --export FILE       the weights at the end: FILE.keras,\n"
    "                      FILE.weights.h5 (of Keras files) or FILE.npz\n"
    "  --bench[=SECONDS]   time whole steps, change nothing; --json adds "
    "JSON\n";

const char evaluateHelp[] =
    "DATA: as for fit.\n"
    "\n"
    "  --restore PATH      a checkpoint's prefix or folder, or .npz\n"
    "  --batch N           rows per step (default 32)\n"
    "  -o FILE.npz|-       write the values\n"
    "  --json              print them as JSON, on the last line\n";

const char sharedHelp[] =
    "  --cast              convert data inexactly too\n"
    "  --threads N         default: all cores\n"
    "  --cpu v2|v3|v4      at most the code for this x86-64 level\n"
    "  --profile[=FILE]    time per kernel; FILE: Chrome trace\n"
    "  --check-numerics    name the node that made a NaN, where the model was\n"
    "                      compiled with it\n";

void printTensors(Text &out, const char *title, const DataSpec &spec,
                  Role role) {
  char type[1024];
  out.print("\n%s:\n", title);
  for (int32_t i = 0; i < spec.fieldCount; ++i)
    if (spec.fields[i].role == role)
      out.print("  %s: %s%s\n", spec.fields[i].spec->name,
                describeField(spec.fields[i], type, sizeof type),
                role == Weight ? ", may be left out" : "");
}

[[noreturn]] void printHelp(bool isFit) {
  Signature signature;
  Message message;
  failContext.status = 1;
  if (!signature.read(tenon_main_model, message))
    fail("%s", message.text);
  Text out;
  out.print("usage: %s %s DATA... [options]\n\n", failContext.program,
            isFit ? "fit" : "evaluate");
  out.add(isFit ? fitHelp : evaluateHelp);
  out.add(sharedHelp);
  DataSpec spec = readFields(signature);
  printTensors(out, "inputs", spec, Input);
  printTensors(out, "targets", spec, Target);
  printTensors(out, "weights", spec, Weight);
  out.add("\nmetrics:\n");
  Metrics metrics = readMetricNames(signature);
  for (int32_t i = 0; i < metrics.count; ++i)
    out.print("  %s\n", metrics.names[i]);
  writeAll(STDOUT_FILENO, out.data, out.size);
  exitProcess(0);
}

[[noreturn]] void printExportHelp() {
  Text out;
  out.print("usage: %s export FILE... [--restore PATH]\n\n",
            failContext.program);
  out.add("FILE.keras and FILE.weights.h5 are for Keras (of models that were "
          "Keras files),\n"
          "FILE.npz has the weights by name.\n\n"
          "  --restore PATH      a checkpoint's prefix or folder, or .npz\n"
          "  -o FILE             as FILE\n");
  writeAll(STDOUT_FILENO, out.data, out.size);
  exitProcess(0);
}

void exportAll(const TrainOptions &options, Instance &instance) {
  Trainer trainer = {};
  trainer.open(instance);
  trainer.call("init");
  if (options.common.restore)
    restoreCheckpoint(instance, options.common.restore, false);
  for (int32_t i = 0; i < options.common.outputs.count; ++i)
    exportWeights(instance, options.common.outputs.list[i]);
}

// The only input may be called x, whatever the model calls it.
void nameInput(char **words) {
  Signature signature;
  Message message;
  int32_t entry;
  if (!signature.read(tenon_main_model, message) ||
      (entry = signature.find("predict")) < 0 ||
      signature.entries[entry].inputCount != 1 ||
      !strcmp(signature.entries[entry].inputs[0].name, "x"))
    return;
  for (; *words; ++words)
    if (!strncmp(*words, "x=", 2)) {
      Text word;
      word.print("%s%s", signature.entries[entry].inputs[0].name, *words + 1);
      *words = const_cast<char *>(word.terminated());
    }
}

void run(int argc, char **argv) {
  if (argc < 2)
    fail("expected a command: fit, evaluate, predict or export (--help says "
         "more)");
  const char *command = argv[1];
  if (*command == '-')
    return;
  TrainOptions options = {};
  if (!strcmp(command, "predict")) {
    nameInput(argv + 2);
    if (predictsRows(argc - 2, argv + 2)) {
      options.command = TrainOptions::Predict;
      parseTrainOptions(argc - 2, argv + 2, options);
      predict(options, createInstance(options.common));
      exitProcess(0);
    }
    // What follows are an entry's inputs and options.
    static char entry[] = "--entry=predict";
    argv[1] = entry;
    return;
  }
  options.command = !strcmp(command, "fit")        ? TrainOptions::Fit
                    : !strcmp(command, "evaluate") ? TrainOptions::Evaluate
                                                   : TrainOptions::Export;
  bool exports = options.command == TrainOptions::Export;
  if (exports && strcmp(command, "export"))
    fail("unknown command '%s': expected fit, evaluate, predict or export",
         command);
  parseTrainOptions(argc - 2, argv + 2, options);
  bool isFit = options.command == TrainOptions::Fit;
  if (options.common.help)
    exports ? printExportHelp() : printHelp(isFit);
  Instance &instance = createInstance(options.common);
  if (exports)
    exportAll(options, instance);
  else
    (isFit ? fit : evaluate)(options, instance);
  if (options.common.profile)
    writeProfile(instance, options.common);
  exitProcess(0);
}

} // namespace
} // namespace tenon::train

const tenon_training_functions tenon_training = {
    tenon::train::run, tenon::train::isAuxiliary, tenon::train::commands};
