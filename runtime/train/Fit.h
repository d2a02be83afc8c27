// The commands fit and evaluate.
#ifndef TENON_RUNTIME_TRAIN_FIT_H
#define TENON_RUNTIME_TRAIN_FIT_H

#include "core/Instance.h"
#include "io/Tensor.h"
#include "main/Results.h"
#include "train/Options.h"

namespace tenon {
namespace [[gnu::visibility("hidden")]] train {

void fit(const TrainOptions &options, Instance &instance);
void evaluate(const TrainOptions &options, Instance &instance);
void predict(const TrainOptions &options, Instance &instance);
// Whether the words behind "predict" are sets of data, which `predict` goes
// through in batches, and the model's results are rows.
bool predictsRows(int argc, char **argv);

} // namespace train
} // namespace tenon

#endif // TENON_RUNTIME_TRAIN_FIT_H
