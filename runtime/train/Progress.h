// What the terminal and files hear of training.
#ifndef TENON_RUNTIME_TRAIN_PROGRESS_H
#define TENON_RUNTIME_TRAIN_PROGRESS_H

#include "io/Text.h"
#include "train/Trainer.h"

namespace tenon {
namespace [[gnu::visibility("hidden")]] train {

// Keras's: a bar on a terminal, which moves; in a log, one line at the end.
struct Progress {
  bool isTerminal;
  int64_t steps, batch;
  int64_t begin, afterFirst, shown; // nanoseconds
  int64_t first;                    // steps that were done before
  size_t width;                     // of the line on the terminal
  Text line;                        // in the making

  void start(int64_t steps, int64_t done, int64_t batch);
  // Whether `done` steps are worth being shown now; cheap.
  bool isDue(int64_t done);
  void show(int64_t done, const Metrics &metrics);
  // The last line.
  void finish(const Metrics &metrics, const Metrics *validation,
              const char *extra, double extraValue);

private:
  double stepSeconds(int64_t done, int64_t now) const;
};

// Adds " - loss: 0.1234" as Keras prints it.
void printMetric(Text &out, const char *prefix, const char *name, double value);

// The file of --history: a row per epoch.
struct History {
  const char *path;
  Text header;
  bool hasRate;

  // Begins the file anew, or, from an epoch on that is not 0, goes on behind
  // the rows of earlier ones.
  void open(const char *path, const Metrics &metrics, bool validates,
            bool hasRate, int64_t epoch);
  void add(int64_t epoch, const Metrics &metrics, const Metrics *validation,
           double rate);
};

} // namespace train
} // namespace tenon

#endif // TENON_RUNTIME_TRAIN_PROGRESS_H
