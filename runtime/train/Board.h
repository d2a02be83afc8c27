// TensorBoard's files of a run: the tags of Keras's TensorBoard callback, and a
// graph of what a step takes, reads and changes.
#ifndef TENON_RUNTIME_TRAIN_BOARD_H
#define TENON_RUNTIME_TRAIN_BOARD_H

#include "train/Trainer.h"

namespace tenon {
namespace [[gnu::visibility("hidden")]] train {

struct Board {
  int training, validation; // files

  void open(const Signature &signature, const char *folder, bool validates);
  // Adds epoch_loss and so on, the learning rate unless it is NULL, and how
  // the weights are distributed.
  void add(Instance &instance, int64_t epoch, const Metrics &metrics,
           const Metrics *validated, const float *rate);
};

} // namespace train
} // namespace tenon

#endif // TENON_RUNTIME_TRAIN_BOARD_H
