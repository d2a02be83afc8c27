#include "train/Watch.h"
#include "checkpoint/Checkpoint.h"
#include "io/Fail.h"
#include "io/Tensor.h"
#include "train/Export.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace tenon::train {

namespace {

bool hasSuffix(const char *text, const char *end) {
  size_t length = strlen(text), size = strlen(end);
  return length >= size && !strcmp(text + length - size, end);
}

// Whether larger values of a metric are better, by its name.
bool isBetterLarger(const char *name) {
  // Of what Keras calls its metrics; all others are losses and errors.
  const char words[] = "acc\0auc\0precision\0recall\0f1\0fbeta\0iou\0"
                       "sensitivity\0specificity\0cosine_similarity\0"
                       "r2_score\0true_\0";
  for (const char *word = words; *word; word += strlen(word) + 1)
    if (strstr(name, word))
      return true;
  return false;
}

void startMonitor(Monitor &monitor, bool validates, double minDelta) {
  snprintf(monitor.name, sizeof monitor.name, "%s",
           validates ? "val_loss" : "loss");
  monitor.minDelta = minDelta;
}

// Reads what all monitors have; false when the pair is something else.
bool takePair(Monitor &monitor, const Pairs &pairs) {
  if (pairs.is("monitor")) {
    snprintf(monitor.name, sizeof monitor.name, "%s", pairs.value);
  } else if (pairs.is("min_delta")) {
    monitor.minDelta = fabs(pairs.number());
  } else if (pairs.is("mode")) {
    monitor.isMax = !strcmp(pairs.value, "max");
    monitor.isSet = strcmp(pairs.value, "auto");
    if (monitor.isSet && !monitor.isMax && strcmp(pairs.value, "min"))
      fail("%s: mode: expected min, max or auto, got '%s'", pairs.option,
           pairs.value);
  } else {
    return false;
  }
  return true;
}

// Refuses a metric that there is not, before anything is trained.
void check(Monitor &monitor, const char *option, const Metrics &metrics,
           bool validates) {
  const char *name = monitor.name;
  bool isValidation = !strncmp(name, "val_", 4), known = false;
  for (int32_t i = 0; i < metrics.count; ++i)
    known |= !strcmp(metrics.names[i], name + (isValidation ? 4 : 0));
  Text names;
  for (int32_t i = 0; i < metrics.count; ++i)
    names.print(i ? ", %s" : "%s", metrics.names[i]);
  for (int32_t i = 0; validates && i < metrics.count; ++i)
    names.print(", val_%s", metrics.names[i]);
  if (!known || (isValidation && !validates))
    fail("%s: there is no metric '%s'; there are: %s%s", option, name,
         names.terminated(),
         isValidation && !validates ? " (val_... with --validation)" : "");
  if (!monitor.isSet)
    monitor.isMax = isBetterLarger(name);
}

[[noreturn]] void unknown(const Pairs &pairs) {
  fail("%s: there is no argument '%s'", pairs.option, pairs.name);
}

} // namespace

double Logs::get(const char *option, const char *name) const {
  double value;
  bool isValidation = !strncmp(name, "val_", 4);
  if (isValidation ? validation && validation->find(name + 4, value)
                   : training->find(name, value))
    return value;
  fail("%s: there is no metric '%s'", option, name);
}

MonitorState freshMonitors(const Watch &) {
  MonitorState state = {};
  state.stopBest = state.plateauBest = state.saveBest = nan("");
  state.stopEpoch = -1;
  return state;
}

void Watch::open(Trainer &trainer, const TrainOptions &options,
                 bool validates) {
  const Metrics &metrics = trainer.metrics;
  baseline = nan("");
  if ((stops = options.earlyStopping)) {
    startMonitor(stop, validates, 0);
    Pairs pairs{"--early-stopping", options.earlyStopping, {}, {}};
    while (pairs.next())
      if (pairs.is("patience"))
        patience = pairs.number();
      else if (pairs.is("baseline"))
        baseline = pairs.number();
      else if (pairs.is("start_from_epoch"))
        startFrom = pairs.number();
      else if (pairs.is("restore_best_weights"))
        restoresBest = pairs.flag();
      else if (!takePair(stop, pairs))
        unknown(pairs);
    check(stop, pairs.option, metrics, validates);
  }
  rate = static_cast<float *>(
      trainer.variable("optimizer/learning_rate", {TENON_FLOAT, 32, 1}));
  if ((reduces = options.plateau)) {
    startMonitor(plateau, validates, 1e-4);
    factor = 0.1;
    plateauPatience = 10;
    Pairs pairs{"--reduce-lr-on-plateau", options.plateau, {}, {}};
    while (pairs.next())
      if (pairs.is("patience"))
        plateauPatience = pairs.number();
      else if (pairs.is("factor"))
        factor = pairs.number();
      else if (pairs.is("cooldown"))
        cooldown = pairs.number();
      else if (pairs.is("min_lr"))
        minRate = pairs.number();
      else if (!takePair(plateau, pairs))
        unknown(pairs);
    check(plateau, pairs.option, metrics, validates);
    if (!(factor < 1))
      fail("%s: factor: expected a number below 1, got %g", pairs.option,
           factor);
    if (!rate)
      fail("%s: the model's learning rate is no constant", pairs.option);
  }
  if ((saves = options.saveBest)) {
    startMonitor(best, validates, 0);
    size_t length = strcspn(options.saveBest, ",");
    if (!length || length >= sizeof bestPath)
      fail("--save-best: expected FILE.npz or the prefix of a checkpoint, got "
           "'%s'",
           options.saveBest);
    memcpy(bestPath, options.saveBest, length);
    bestPath[length] = 0;
    Pairs pairs{"--save-best", options.saveBest + length, {}, {}};
    while (pairs.next())
      if (!takePair(best, pairs))
        unknown(pairs);
    check(best, pairs.option, metrics, validates);
  }
  folder = options.checkpoint;
  if (restoresBest && !folder) {
    Instance &instance = *trainer.instance;
    bestState =
        instance.allocate(instance.signature.stateBytes, "the best weights");
    if (!bestState.data)
      fail("%s", tenon_error(&instance));
  }
}

// What the best epoch's weights are called in the folder.
static const char *bestPrefix(const char *folder) {
  Text text;
  text.print("%s/best", folder);
  return text.terminated();
}

void Watch::keepBest(Trainer &trainer, const LoopState &loop,
                     const MonitorState &state) {
  if (folder)
    writeTraining(*trainer.instance, bestPrefix(folder), loop, state);
  else
    memcpy(bestState.data, trainer.instance->state,
           trainer.instance->signature.stateBytes);
}

void Watch::epochEnded(Trainer &trainer, const Logs &logs, LoopState &loop,
                       MonitorState &state, Text &out) {
  int64_t epoch = loop.epoch;
  if (stops && double(epoch) >= startFrom) {
    double value = logs.get("--early-stopping", stop.name);
    bool improves = stop.improves(value, state.stopBest);
    if (restoresBest && (improves || state.stopEpoch < 0)) {
      state.stopEpoch = double(epoch);
      keepBest(trainer, loop, state);
    }
    state.stopWait += 1;
    if (improves) {
      state.stopBest = value;
      state.stopEpoch = double(epoch);
      if (stop.improves(value, baseline))
        state.stopWait = 0;
    } else if (state.stopWait >= patience && epoch > 0) {
      loop.stopped = 1;
      out.print("Epoch %lld: early stopping\n", (long long)epoch + 1);
    }
  }
  if (reduces) {
    double value = logs.get("--reduce-lr-on-plateau", plateau.name);
    if (state.plateauCooldown > 0) {
      state.plateauCooldown -= 1;
      state.plateauWait = 0;
    }
    if (plateau.improves(value, state.plateauBest)) {
      state.plateauBest = value;
      state.plateauWait = 0;
    } else if (state.plateauCooldown <= 0) {
      state.plateauWait += 1;
      if (state.plateauWait >= plateauPatience && *rate > float(minRate)) {
        double reduced = double(*rate) * factor;
        *rate = float(reduced > minRate ? reduced : minRate);
        state.plateauCooldown = cooldown;
        state.plateauWait = 0;
        out.print("Epoch %lld: learning rate reduced to %.9g\n",
                  (long long)epoch + 1, double(*rate));
      }
    }
  }
  if (saves) {
    double value = logs.get("--save-best", best.name);
    if (best.improves(value, state.saveBest)) {
      state.saveBest = value;
      if (hasSuffix(bestPath, ".npz"))
        exportWeights(*trainer.instance, bestPath);
      else
        saveCheckpoint(*trainer.instance, bestPath);
    }
  }
}

void Watch::finish(Trainer &trainer, const LoopState &,
                   const MonitorState &state, Text &out) {
  if (!restoresBest || state.stopEpoch < 0)
    return;
  Instance &instance = *trainer.instance;
  for (int32_t i = 0; i < instance.signature.variableCount; ++i) {
    const VariableSpec &variable = instance.signature.variables[i];
    if (variable.generator || isAuxiliary(variable.name))
      continue;
    if (!folder)
      memcpy(instance.state + variable.stateOffset,
             bestState.data + variable.stateOffset, variable.bytes);
    else if (!readCheckpoint(bestPrefix(folder), variable.name,
                             viewVariable(instance, variable)))
      fail("%s lacks the variable '%s'", bestPrefix(folder), variable.name);
  }
  out.print("the weights are those of epoch %lld\n",
            (long long)state.stopEpoch + 1);
}

} // namespace tenon::train
