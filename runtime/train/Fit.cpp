// The command fit: epochs of steps, validation, and what is written between.
#include "train/Fit.h"
#include "checkpoint/Checkpoint.h"
#include "cpu/Profile.h"
#include "io/Fail.h"
#include "io/File.h"
#include "main/Bench.h"
#include "main/Call.h"
#include "train/Board.h"
#include "train/Export.h"
#include "train/Progress.h"
#include "train/Watch.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace tenon::train {

namespace {

volatile sig_atomic_t caught; // a signal that asks for the end

void catchSignal(int number) { caught = number; }

// Class weights from "0=1.5,2=0.5".
const ClassWeights *readClassWeights(const char *text, const DataSpec &spec) {
  if (!text)
    return nullptr;
  if (spec.targets != 1)
    fail("--class-weight: the model has %d targets", spec.targets);
  ClassWeights *result =
      static_cast<ClassWeights *>(allocate(sizeof(ClassWeights)));
  for (int32_t i = 0; i < spec.fieldCount; ++i)
    if (spec.fields[i].role == Target)
      result->target = i;
  Text list; // of double
  Pairs pairs{"--class-weight", text, {}, {}};
  while (pairs.next()) {
    char *end;
    long number = strtol(pairs.name, &end, 10);
    if (*end || number < 0 || number > 1000000)
      fail("--class-weight: expected CLASS=WEIGHT,..., got '%s=%s'", pairs.name,
           pairs.value);
    double weight = pairs.number(), one = 1;
    for (; result->count <= number; ++result->count)
      list.add(&one, sizeof one);
    memcpy(list.data + size_t(number) * sizeof weight, &weight, sizeof weight);
  }
  result->weights = reinterpret_cast<double *>(list.data);
  return result;
}

struct Fit {
  const TrainOptions &options;
  Instance &instance;
  Trainer trainer = {};
  DataSet data = {}, validation = {};
  Batches batches = {}, validationBatches = {};
  Step trainStep = {}, testStep = {};
  bool validates = false;
  Metrics trained = {}, validated = {}; // values of their own
  LoopState loop = {};
  MonitorState monitors = {};
  Folder folder = {};
  Watch watch = {};
  History history = {};
  Board board = {};
  Progress progress = {};
  int64_t epochs = 0, checkpointSteps = 0;
  uint32_t *order = nullptr;
  char *accumulators = nullptr; // copy of the metrics' variables

  Fit(const TrainOptions &options, Instance &instance)
      : options(options), instance(instance) {}

  void open();
  void begin();
  void shuffle();
  void trainEpoch();
  void validate();
  void endEpoch();
  void save(const char *kind, int64_t number);
  void stopIfAsked();
  void copyAccumulators(bool back);
  void run();
  void bench(Text &out);
};

void Fit::open() {
  const Signature &signature = instance.signature;
  failContext.status = 2;
  epochs = wholeOption("--epochs", options.epochs, 0, 1);
  folder.keep = wholeOption("--keep", options.keep, 1, 5);
  checkpointSteps =
      wholeOption("--checkpoint-steps", options.checkpointSteps, 1, 0);
  wholeOption("--seed", options.seed, 0, 0);
  wholeOption("--shuffle", options.shuffle, 1, 0);
  failContext.status = 1;

  trainer.open(instance);
  DataSpec spec = readFields(signature);
  spec.cast = options.common.cast;
  const ClassWeights *weights = readClassWeights(options.classWeight, spec);
  int64_t size = chooseBatch(signature, options.batch);
  data = openData(spec, options.data);
  checkLastBatch(signature, data, size);
  bool threads = instance.threads > 1;
  batches.open(data, size, weights, threads);
  trainStep.open(instance, "train_step", data);
  validates = options.validation.count && !options.common.bench;
  trained = validated = trainer.metrics;
  trained.allocateValues();
  validated.allocateValues();
  if (validates) {
    validation = openData(spec, options.validation);
    checkLastBatch(signature, validation, size);
    validationBatches.open(validation, size, nullptr, threads);
    testStep.open(instance, "evaluate", validation);
  }
  watch.open(trainer, options, validates);

  bool isStream = data.source->isStream;
  loop.version = 1;
  loop.rows = data.source->rows;
  loop.batch = size;
  // Rows of the buffer; 1 keeps the order.
  loop.shuffle = options.noShuffle
                     ? 1
                     : wholeOption("--shuffle", options.shuffle, 1,
                                   isStream ? 10000 : loop.rows);
  if (loop.shuffle > loop.rows)
    loop.shuffle = loop.rows;
  if (loop.shuffle > 1)
    order =
        static_cast<uint32_t *>(allocate(size_t(loop.rows) * sizeof(uint32_t)));
}

// First values of all variables: a fresh run, or where one was left.
void Fit::begin() {
  LoopState saved = {};
  monitors = freshMonitors(watch);
  bool isBench = options.common.bench;
  if (options.checkpoint && !isBench) {
    folder.open(options.checkpoint, folder.keep, options.resume);
    if (folder.restore(instance, saved, monitors)) {
      int64_t seed = wholeOption("--seed", options.seed, 0, saved.seed);
      if (seed != saved.seed)
        fail("--resume: the run has --seed %lld, not %lld",
             (long long)saved.seed, (long long)seed);
      if (saved.step && (saved.rows != loop.rows || saved.batch != loop.batch ||
                         saved.shuffle != loop.shuffle))
        fail("--resume: the run is inside of an epoch of %lld rows in batches "
             "of %lld, shuffled by %lld; now there are %lld, %lld and %lld",
             (long long)saved.rows, (long long)saved.batch,
             (long long)saved.shuffle, (long long)loop.rows,
             (long long)loop.batch, (long long)loop.shuffle);
      saved.rows = loop.rows;
      saved.batch = loop.batch;
      saved.shuffle = loop.shuffle;
      loop = saved;
      return;
    }
  }
  uint64_t random = 0;
  if (!options.seed && getentropy(&random, sizeof random))
    random = uint64_t(nanoseconds());
  loop.seed = wholeOption("--seed", options.seed, 0, int64_t(random >> 1));
  // Initializers draw from the seed as well; what they or a checkpoint leave
  // does not count.
  seedVariables(instance, uint64_t(loop.seed));
  trainer.call("init");
  if (options.common.restore)
    restoreCheckpoint(instance, options.common.restore, false);
  seedVariables(instance, uint64_t(loop.seed));
}

void Fit::shuffle() {
  if (order)
    shuffleRows(order, uint32_t(loop.rows), uint32_t(loop.shuffle),
                mix(uint64_t(loop.seed), uint64_t(loop.epoch)));
}

void Fit::save(const char *kind, int64_t number) {
  folder.save(instance, kind, number, loop, monitors);
}

// A signal ends the run where it is; --resume goes on there.
void Fit::stopIfAsked() {
  if (!caught)
    return;
  if (options.checkpoint)
    save("step", loop.steps);
  Text text;
  text.print("%sstopped by signal %d after step %lld\n",
             progress.isTerminal ? "\n" : "", int(caught),
             (long long)loop.steps);
  writeAll(STDOUT_FILENO, text.data, text.size);
  failContext.status = 128 + caught;
  _exit(failContext.status);
}

void Fit::trainEpoch() {
  int64_t steps = batches.steps();
  if (epochs > 1) {
    Text text;
    text.print("Epoch %lld/%lld\n", (long long)loop.epoch + 1,
               (long long)epochs);
    writeAll(STDOUT_FILENO, text.data, text.size);
  }
  if (!loop.step)
    trainer.call("reset_metrics");
  shuffle();
  batches.start(order, loop.step);
  progress.start(steps, loop.step, loop.batch);
  while (loop.step < steps) {
    double loss = trainStep.run(batches.next());
    ++loop.step;
    ++loop.steps;
    if (!(fabs(loss) < INFINITY))
      fail("the loss is %s at step %lld of epoch %lld (step %lld of all); a "
           "program compiled with --check-numerics names the operation",
           loss != loss ? "nan" : "infinite", (long long)loop.step,
           (long long)loop.epoch + 1, (long long)loop.steps);
    if (progress.isDue(loop.step)) {
      trainer.readMetrics();
      progress.show(loop.step, trainer.metrics);
    }
    stopIfAsked();
    if (checkpointSteps && loop.steps % checkpointSteps == 0)
      save("step", loop.steps);
  }
  trainer.readMetrics();
  trained.copyValues(trainer.metrics);
}

// The metrics of training are needed again when a signal stops validation.
void Fit::copyAccumulators(bool back) {
  const Signature &signature = instance.signature;
  if (!accumulators)
    accumulators = static_cast<char *>(allocate(signature.stateBytes));
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    const VariableSpec &variable = signature.variables[i];
    char *value = instance.state + variable.stateOffset;
    char *copy = accumulators + variable.stateOffset;
    if (!strncmp(variable.name, "metrics/", 8))
      memcpy(back ? value : copy, back ? copy : value, variable.bytes);
  }
}

void Fit::validate() {
  copyAccumulators(false);
  trainer.call("reset_metrics");
  validationBatches.start(nullptr, 0);
  for (int64_t step = validationBatches.steps(); step--;) {
    testStep.run(validationBatches.next());
    if (caught) { // once: a signal may come at any time
      copyAccumulators(true);
      stopIfAsked();
    }
  }
  trainer.readMetrics();
  validated.copyValues(trainer.metrics);
}

void Fit::endEpoch() {
  const Metrics *other = validates ? &validated : nullptr;
  double rate = watch.rate ? double(*watch.rate) : 0;
  progress.finish(trained, other, watch.reduces ? "learning_rate" : nullptr,
                  rate);
  if (options.history)
    history.add(loop.epoch, trained, other, rate);
  if (options.common.logdir)
    board.add(instance, loop.epoch, trained, other, watch.rate);
  Text text;
  watch.epochEnded(trainer, {&trained, other}, loop, monitors, text);
  writeAll(STDOUT_FILENO, text.data, text.size);
  ++loop.epoch;
  loop.step = 0;
  if (options.checkpoint)
    save("epoch", loop.epoch);
}

void Fit::run() {
  open();
  begin();
  if (options.common.profile)
    startProfile(instance, *options.common.profile);
  Text out;
  if (options.common.bench) { // which records calls itself
    bench(out);
    writeAll(STDOUT_FILENO, out.data, out.size);
    return;
  }
  trainStep.isProfiled = testStep.isProfiled = instance.profile;
  if (options.history)
    history.open(options.history, trainer.metrics, validates, watch.reduces,
                 loop.epoch);
  if (options.common.logdir)
    board.open(instance.signature, options.common.logdir, validates);
  if (options.checkpoint) {
    struct sigaction action = {};
    action.sa_handler = catchSignal;
    // The second one ends the program as usual.
    action.sa_flags = int(SA_RESETHAND | SA_RESTART);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
  }
  while (loop.epoch < epochs && !loop.stopped) {
    trainEpoch();
    if (validates)
      validate();
    endEpoch();
    stopIfAsked();
  }
  watch.finish(trainer, loop, monitors, out);
  writeAll(STDOUT_FILENO, out.data, out.size);
  bool finalizes = instance.signature.find("finalize") >= 0;
  trainer.call("finalize");
  if (options.checkpoint && loop.epoch && (finalizes || watch.restoresBest))
    save("final", loop.epoch);
  if (options.exportTo)
    exportWeights(instance, options.exportTo);
}

// Whole steps: a batch is made and trained on.
void Fit::bench(Text &out) {
  shuffle();
  batches.start(order, 0);
  int64_t left = batches.steps();
  struct Context {
    Fit &fit;
    int64_t left;
  } context = {*this, left};
  measureCalls(
      instance, trainStep.entry, options.common, out,
      [](void *opaque) {
        Context &bench = *static_cast<Context *>(opaque);
        if (!bench.left--) {
          bench.fit.batches.start(bench.fit.order, 0);
          bench.left = bench.fit.batches.steps() - 1;
        }
        bench.fit.trainStep.run(bench.fit.batches.next());
      },
      &context);
}

} // namespace

void fit(const TrainOptions &options, Instance &instance) {
  Fit(options, instance).run();
}

void evaluate(const TrainOptions &options, Instance &instance) {
  const Signature &signature = instance.signature;
  Trainer trainer = {};
  trainer.open(instance);
  DataSpec spec = readFields(signature);
  spec.cast = options.common.cast;
  int64_t size = chooseBatch(signature, options.batch);
  DataSet data = openData(spec, options.data);
  checkLastBatch(signature, data, size);
  Batches batches = {};
  batches.open(data, size, nullptr, instance.threads > 1);
  Step step = {};
  step.open(instance, "evaluate", data);
  trainer.call("init");
  if (options.common.restore)
    restoreCheckpoint(instance, options.common.restore, false);
  if (options.common.profile)
    startProfile(instance, *options.common.profile);
  step.isProfiled = instance.profile;
  trainer.call("reset_metrics");
  Progress progress = {};
  int64_t steps = batches.steps();
  progress.start(steps, 0, size);
  batches.start(nullptr, 0);
  for (int64_t i = 0; i < steps; ++i) {
    step.run(batches.next());
    if (progress.isDue(i + 1)) {
      trainer.readMetrics();
      progress.show(i + 1, trainer.metrics);
    }
  }
  trainer.readMetrics();
  const Metrics &metrics = trainer.metrics;
  Options results = options.common;
  bool toStdout = false;
  for (int32_t i = 0; i < results.outputs.count; ++i)
    toStdout |= !strcmp(results.outputs.list[i], "-");
  if (!toStdout)
    progress.finish(metrics, nullptr, nullptr, 0);
  if (results.outputs.count) {
    Results list;
    list.list =
        static_cast<Result *>(allocate(size_t(metrics.count) * sizeof(Result)));
    for (int32_t i = 0; i < metrics.count; ++i) {
      int64_t size = metrics.sizes[i];
      tenon_tensor value = makeTensor({TENON_FLOAT, 32, 1}, size > 0, &size);
      const double *numbers = size ? metrics.vector(i) : metrics.values + i;
      for (int64_t j = 0; j < (size ? size : 1); ++j)
        storeFloat(value.dtype, static_cast<float *>(value.data) + j,
                   numbers[j]);
      list.list[list.count++] = {metrics.names[i], value};
    }
    Text unused;
    deliver(list, results, unused);
  }
  if (!options.common.json)
    return;
  Text line;
  for (int32_t i = 0; i < metrics.count; ++i) {
    line.add(i ? ",\"" : "{\"");
    line.addJson(metrics.names[i]);
    line.add("\":");
    metrics.print(line, i, /*json=*/true);
  }
  line.add("}\n");
  writeAll(STDOUT_FILENO, line.data, line.size);
}

} // namespace tenon::train
