// What watches the metrics after each epoch, as Keras's callbacks of the same
// names do: early stopping, smaller learning rates, the best model.
#ifndef TENON_RUNTIME_TRAIN_WATCH_H
#define TENON_RUNTIME_TRAIN_WATCH_H

#include "train/State.h"
#include "train/Trainer.h"

namespace tenon {
namespace [[gnu::visibility("hidden")]] train {

// A metric and which way is better.
struct Monitor {
  char name[64];
  bool isMax, isSet;
  double minDelta;

  bool improves(double value, double best) const {
    return best != best ||
           (isMax ? value - minDelta > best : value + minDelta < best);
  }
};

// Metrics of an epoch by their names in the history.
struct Logs {
  const Metrics *training, *validation; // the latter's have "val_" before

  // Fails when there is no such value.
  double get(const char *option, const char *name) const;
};

struct Watch {
  bool stops, restoresBest, reduces, saves;
  Monitor stop, plateau, best;
  double patience, baseline, startFrom;
  double factor, plateauPatience, cooldown, minRate;
  char bestPath[256];
  float *rate;        // the learning rate, or NULL
  const char *folder; // of checkpoints, or NULL
  Memory bestState;   // where there is no folder

  void open(Trainer &trainer, const TrainOptions &options, bool validates);
  // Watches an epoch that has ended; sets loop.stopped.
  void epochEnded(Trainer &trainer, const Logs &logs, LoopState &loop,
                  MonitorState &state, Text &out);
  // At the end: the best weights come back when that is wanted.
  void finish(Trainer &trainer, const LoopState &loop,
              const MonitorState &state, Text &out);

private:
  void keepBest(Trainer &trainer, const LoopState &loop,
                const MonitorState &state);
};

// The state of watches that have seen nothing.
MonitorState freshMonitors(const Watch &watch);

} // namespace train
} // namespace tenon

#endif // TENON_RUNTIME_TRAIN_WATCH_H
