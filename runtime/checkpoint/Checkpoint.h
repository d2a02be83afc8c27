// The variables of an instance in files: --save and --restore.
#ifndef TENON_RUNTIME_CHECKPOINT_CHECKPOINT_H
#define TENON_RUNTIME_CHECKPOINT_CHECKPOINT_H

#include "core/Instance.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Writes all variables as a TensorFlow V2 checkpoint, and the state file
// `checkpoint` beside it. Fails when one is uninitialized.
void saveCheckpoint(const Instance &instance, const char *prefix);

// A tensor of a checkpoint that is to be written.
struct SavedTensor {
  const char *name;
  tenon_tensor tensor;
};

// Writes tensors as the two files of a V2 checkpoint; each appears under its
// name when it is complete. Sorts the list.
void writeCheckpoint(SavedTensor *list, size_t count, const char *prefix);

// Writes the state file of a folder; the last checkpoint is its latest.
void writeCheckpointState(const char *path, const char *const *names,
                          size_t count);

// The prefix that a folder's state file names as its latest checkpoint.
const char *findLatest(const char *folder);

// Gives the variables the values of a checkpoint: the prefix of a V2 one, a V1
// file, a folder (its latest) or an .npz file. Variables that are not there
// are an error that lists them, but when `partial`: then they keep what they
// have.
void restoreCheckpoint(Instance &instance, const char *path, bool partial);

// Reads one tensor of a checkpoint into memory of its type and shape. False
// when there is none of that name.
bool readCheckpoint(const char *path, const char *name,
                    const tenon_tensor &into);

// A variable's memory. Fails when its form there is not that of its shape.
tenon_tensor viewVariable(const Instance &instance,
                          const VariableSpec &variable);

} // namespace tenon

// What a model with variables refers to, so that others do without.
struct tenon_checkpoint_functions {
  void (*save)(const tenon::Instance &instance, const char *prefix);
  void (*restore)(tenon::Instance &instance, const char *path, bool partial);
  const char *help; // the lines about options
};

#endif // TENON_RUNTIME_CHECKPOINT_CHECKPOINT_H
