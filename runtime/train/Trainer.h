// The entry points of a model that was compiled to be trained, as the commands
// call them.
#ifndef TENON_RUNTIME_TRAIN_TRAINER_H
#define TENON_RUNTIME_TRAIN_TRAINER_H

#include "core/Instance.h"
#include "train/Batches.h"
#include "train/Options.h"

namespace tenon {
namespace [[gnu::visibility("hidden")]] train {

// The fields that a model's steps take, without sizes.
DataSpec readFields(const Signature &signature);

// Values by name, as the entry `metrics` gives them, in the order of Keras's
// history: by name.
struct Metrics {
  int32_t count;
  const char **names;
  double *values;   // of a vector the mean, as Keras shows it
  int32_t *places;  // in the entry's results
  int64_t *sizes;   // elements of a vector, 0 of a number
  double *elements; // of the vectors, one after the other
  int64_t allElements;

  // Room of their own for values.
  void allocateValues();
  void copyValues(const Metrics &from);
  // The elements of a vector.
  double *vector(int32_t metric) const;
  // Adds the value, or the vector's elements in brackets; what JSON has no word
  // for is null there.
  void print(Text &out, int32_t metric, bool json) const;

  // The value of that name; false when there is none.
  bool find(const char *name, double &value) const;
};

// The names, and room for values.
Metrics readMetricNames(const Signature &signature);

// An entry with the fields of a set as its inputs, ready to be called for one
// batch after the other.
struct Step {
  Instance *instance;
  int32_t entry;
  int32_t inputCount;
  int32_t *fields; // by input
  const void **inputs;
  int64_t *dims;
  int64_t **rowDims; // where the number of rows stands in `dims`, by input
  tenon_tensor loss;
  bool isProfiled; // its calls are recorded

  void open(Instance &instance, const char *entry, const DataSet &data);
  // Calls the entry and returns the loss.
  double run(const Batch &batch);
};

struct Trainer {
  Instance *instance;
  Metrics metrics;

  void open(Instance &instance);
  // Calls an entry without inputs and results when the model has it.
  void call(const char *entry);
  // Asks the model for its metrics.
  void readMetrics();

  // Variables by name; NULL when there is none of that type.
  void *variable(const char *name, tenon_dtype dtype);
};

// Rows per step, from --batch or the model.
int64_t chooseBatch(const Signature &signature, const char *option);
// Fails when the last batch is smaller and the model cannot take it.
void checkLastBatch(const Signature &signature, const DataSet &data,
                    int64_t batch);

// Gives random layers and generators first values that follow from the seed.
void seedVariables(Instance &instance, uint64_t seed);

} // namespace train
} // namespace tenon

#endif // TENON_RUNTIME_TRAIN_TRAINER_H
