// GPUs, for models that have code for them.
#ifndef TENON_RUNTIME_CUDA_DEVICE_H
#define TENON_RUNTIME_CUDA_DEVICE_H

#include "core/Message.h"

#include <stdint.h>

namespace [[gnu::visibility("hidden")]] tenon {

struct Instance;

} // namespace tenon

// What a model with code for GPUs refers to, so that others do without.
struct tenon_device_functions {
  // Gives an instance, which has nothing but its signature and its weights yet,
  // the device of its options: code and memory of a GPU, or nothing. False with
  // a text when that cannot be had; then nothing has changed.
  bool (*open)(tenon::Instance &instance, tenon::Message &message);
  // Gives it back; the instance's memory has been released.
  void (*close)(tenon::Instance &instance);
};

#endif // TENON_RUNTIME_CUDA_DEVICE_H
