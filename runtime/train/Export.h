// Files that weights are given back in.
#ifndef TENON_RUNTIME_TRAIN_EXPORT_H
#define TENON_RUNTIME_TRAIN_EXPORT_H

#include "core/Instance.h"

namespace tenon {
namespace [[gnu::visibility("hidden")]] train {

// Fails when `path`, a value of `option`, is no file that this model's weights
// can be written to: NAME.npz, and of a Keras model NAME.keras and
// NAME.weights.h5.
void checkExport(const char *option, const char *path);

// Writes the weights. An .npz has them by the variables' names and nothing
// that is the training's own; Keras's files have the optimizer's values too,
// when the optimizer is one of Keras's and trains all that Keras would.
void exportWeights(Instance &instance, const char *path);

} // namespace train
} // namespace tenon

#endif // TENON_RUNTIME_TRAIN_EXPORT_H
