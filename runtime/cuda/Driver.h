// NVIDIA's driver, loaded when an instance wants a GPU: programs start on
// machines without one. Types and constants are those of the driver's API,
// which keeps them for all time.
#ifndef TENON_RUNTIME_CUDA_DRIVER_H
#define TENON_RUNTIME_CUDA_DRIVER_H

#include "core/Message.h"

#include <stddef.h>
#include <stdint.h>

namespace [[gnu::visibility("hidden")]] tenon {

using CuResult = int; // 0: success
using CuDevice = int;
using CuPointer = uint64_t;
using CuContext = struct CuContextHandle *;
using CuModule = struct CuModuleHandle *;
using CuFunction = struct CuFunctionHandle *;
using CuStream = struct CuStreamHandle *;

enum {
  CuAttachGlobal = 1,             // memory of cuMemAllocManaged for all streams
  CuStreamNonBlocking = 1,        // not held up by the default stream
  CuMultiprocessorCount = 16,     // a device attribute
  CuConcurrentManagedAccess = 89, // likewise
  CuNoBinaryForGpu = 209,         // an image is of another architecture
  CuPointerMemoryType = 2,        // a pointer attribute
  CuMemoryHost = 1,               // its value for memory of the CPU
};

// name, its symbol in libcuda.so.1, parameters
#define TENON_CUDA_FUNCTIONS(X)                                                \
  X(init, "cuInit", (unsigned flags))                                          \
  X(errorString, "cuGetErrorString", (CuResult error, const char **text))      \
  X(deviceCount, "cuDeviceGetCount", (int *count))                             \
  X(deviceGet, "cuDeviceGet", (CuDevice * device, int ordinal))                \
  X(deviceAttribute, "cuDeviceGetAttribute",                                   \
    (int *value, int attribute, CuDevice device))                              \
  X(deviceName, "cuDeviceGetName", (char *name, int room, CuDevice device))    \
  X(contextRetain, "cuDevicePrimaryCtxRetain",                                 \
    (CuContext * context, CuDevice device))                                    \
  X(contextRelease, "cuDevicePrimaryCtxRelease_v2", (CuDevice device))         \
  X(contextSet, "cuCtxSetCurrent", (CuContext context))                        \
  X(moduleLoad, "cuModuleLoadData", (CuModule * module, const void *image))    \
  X(moduleUnload, "cuModuleUnload", (CuModule module))                         \
  X(moduleFunction, "cuModuleGetFunction",                                     \
    (CuFunction * function, CuModule module, const char *name))                \
  X(streamCreate, "cuStreamCreate", (CuStream * stream, unsigned flags))       \
  X(streamDestroy, "cuStreamDestroy_v2", (CuStream stream))                    \
  X(streamWait, "cuStreamSynchronize", (CuStream stream))                      \
  X(allocate, "cuMemAllocManaged",                                             \
    (CuPointer * memory, size_t bytes, unsigned flags))                        \
  X(release, "cuMemFree_v2", (CuPointer memory))                               \
  X(copy, "cuMemcpyAsync",                                                     \
    (CuPointer to, CuPointer from, size_t bytes, CuStream stream))             \
  X(pointerAttribute, "cuPointerGetAttribute",                                 \
    (void *value, int attribute, CuPointer pointer))                           \
  X(launch, "cuLaunchKernel",                                                  \
    (CuFunction function, unsigned gridX, unsigned gridY, unsigned gridZ,      \
     unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,  \
     CuStream stream, void **parameters, void **extra))

struct Driver {
#define TENON_CUDA_FUNCTION(name, symbol, parameters)                          \
  CuResult(*name) parameters;
  TENON_CUDA_FUNCTIONS(TENON_CUDA_FUNCTION)
#undef TENON_CUDA_FUNCTION

  // The process's driver, or NULL with a text: once it is there it stays.
  static const Driver *load(Message &message);

  // What a result means.
  const char *describe(CuResult result) const;
};

} // namespace tenon

#endif // TENON_RUNTIME_CUDA_DRIVER_H
