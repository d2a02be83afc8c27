// The state of a run beyond the variables, and the folder that keeps it.
#ifndef TENON_RUNTIME_TRAIN_STATE_H
#define TENON_RUNTIME_TRAIN_STATE_H

#include "core/Instance.h"
#include "io/Text.h"

namespace tenon {
namespace [[gnu::visibility("hidden")]] train {

// Where a run is. All words, so that they are one tensor of a checkpoint.
struct LoopState {
  int64_t version;
  int64_t epoch, step; // steps of this epoch that are done
  int64_t steps;       // of all epochs that are done
  int64_t seed;
  int64_t rows, batch, shuffle; // what the order within an epoch depends on
  int64_t stopped;              // early
};

// What watches metrics, as one tensor too.
struct MonitorState {
  double stopBest, stopWait, stopEpoch;
  double plateauBest, plateauWait, plateauCooldown;
  double saveBest;
};

// A folder of checkpoints: epoch-N after each epoch, step-N between, and
// final-N when the end of training changes the weights.
struct Folder {
  const char *path;
  int64_t keep; // this many
  Text names;   // of const char *: the checkpoints that are there, oldest first

  // Makes the folder; it must not be there already, unless `resume`. Then
  // what a killed run left unfinished is removed.
  void open(const char *path, int64_t keep, bool resume);

  // Restores the latest state. False when there is none yet.
  bool restore(Instance &instance, LoopState &loop, MonitorState &monitors);

  // Writes all variables and the state as `name`, and then removes what is
  // too old. A checkpoint counts once the state file names it.
  void save(Instance &instance, const char *kind, int64_t number,
            const LoopState &loop, const MonitorState &monitors);

  // The path of a checkpoint in the folder.
  const char *prefix(const char *name) const;

private:
  void readNames();
  void removeStrays();
  void removeCheckpoint(const char *name);
};

// Writes variables, those of random generators too, and the state.
void writeTraining(Instance &instance, const char *prefix,
                   const LoopState &loop, const MonitorState &monitors);

bool isAuxiliary(const char *variable);

} // namespace train
} // namespace tenon

#endif // TENON_RUNTIME_TRAIN_STATE_H
