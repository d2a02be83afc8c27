// The rows of a set in the order of an epoch, batch by batch.
#ifndef TENON_RUNTIME_TRAIN_BATCHES_H
#define TENON_RUNTIME_TRAIN_BATCHES_H

#include "train/Data.h"

#include <pthread.h>

namespace tenon {
namespace [[gnu::visibility("hidden")]] train {

// A random number for each seed and counter, the same on all machines.
uint64_t mix(uint64_t seed, uint64_t counter);

// Fills `order` with the numbers below `rows` in the order of an epoch. With a
// buffer that holds all rows it is a permutation of them; with a smaller one,
// each next row is drawn from it and replaced by the one that follows.
void shuffleRows(uint32_t *order, uint32_t rows, uint32_t buffer,
                 uint64_t seed);

// A weight for each class.
struct ClassWeights {
  double *weights;
  int64_t count;
  int32_t target; // the field that has the class
};

struct Batch {
  char **buffers; // by field
  int64_t rows;
};

// Batches of one set. Memory for them is there from the start; a thread
// prepares the next ones where that takes time.
struct Batches {
  const DataSet *data;
  int64_t size;
  const ClassWeights *classWeights; // or NULL

  void open(const DataSet &data, int64_t size, const ClassWeights *weights,
            bool threads);

  int64_t steps() const { return (data->source->rows + size - 1) / size; }

  // Starts with batch number `step`. Order: NULL as they are.
  void start(const uint32_t *order, int64_t step);
  // The next batch; it is valid until the one after it is asked for.
  const Batch &next();

private:
  enum { slotCount = 3 };
  Batch slots[slotCount];
  const uint32_t *order;
  int64_t position; // of the next batch to be given
  // The thread's part, under the mutex.
  bool isThreaded;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int64_t filled, limit; // batches that are ready, batches that may be made
  uint64_t generation;   // of the epoch

  void fill(Batch &batch, int64_t step);
  void prepare();
  static void *run(void *batches);
};

} // namespace train
} // namespace tenon

#endif // TENON_RUNTIME_TRAIN_BATCHES_H
