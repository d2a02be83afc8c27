// Entries on a GPU: kernels run one after the other on a stream of the
// instance's. All of its memory is managed, so that the CPU reaches it, too,
// for what has no kernel.
#include "cuda/Device.h"
#include "core/Instance.h"
#include "cpu/Features.h"
#include "cuda/Driver.h"

#include <stdlib.h>
#include <string.h>

namespace tenon {

struct Device {
  const Driver *driver;
  CuDevice device;
  CuContext context;
  CuStream stream;
  CuModule module;
  CuFunction *functions; // by number; found when first needed
  int64_t mostBlocks;    // of a launch
  Memory weights;
  Memory staging;      // copies of inputs
  const void **inputs; // pointers of a call
  void **results;
  const char *kernel; // started last
};

namespace {

enum : int64_t { blockThreads = 256, blocksPerMultiprocessor = 16 };

size_t roundUp(uint64_t bytes) { return size_t((bytes + 63) & ~uint64_t(63)); }

// Records a failure of the driver's.
void check(Instance &instance, CuResult result, const char *what) {
  const Device &device = *instance.device;
  if (result)
    instance.refuse(
        TENON_FAILED, "GPU, %s%s%s: %s", what, device.kernel ? ", kernel " : "",
        device.kernel ? device.kernel : "", device.driver->describe(result));
}

void *allocateManaged(void *context, size_t bytes, size_t) {
  const Device &device = *static_cast<Device *>(context);
  CuPointer memory = 0;
  if (device.driver->contextSet(device.context) ||
      device.driver->allocate(&memory, bytes, CuAttachGlobal))
    return nullptr;
  return reinterpret_cast<void *>(memory);
}

// Freed memory may be in use until all kernels have ended.
void releaseManaged(void *context, void *memory, size_t) {
  const Device &device = *static_cast<Device *>(context);
  device.driver->contextSet(device.context);
  device.driver->streamWait(device.stream);
  device.driver->release(reinterpret_cast<CuPointer>(memory));
}

// The first image that the device takes: they stand newest first.
bool loadImage(Device &device, const tenon_device_code &code,
               Message &message) {
  CuResult result = CuNoBinaryForGpu;
  for (uint32_t i = 0; i < code.image_count; ++i) {
    result = device.driver->moduleLoad(&device.module, code.images[i].data);
    if (!result)
      return true;
  }
  char name[100] = "GPU";
  device.driver->deviceName(name, sizeof name, device.device);
  return message.fail("the %s does not take the program's code (for %s): %s",
                      name, code.images[code.image_count - 1].architecture,
                      device.driver->describe(result));
}

bool openDevice(Device &device, Instance &instance, int32_t ordinal,
                Message &message) {
  const tenon_device_code &code = *instance.model->device;
  const Driver *driver = device.driver = Driver::load(message);
  if (!driver)
    return false;
  int count = 0;
  driver->deviceCount(&count);
  if (ordinal >= count)
    return message.fail("device 'cuda:%d': this machine has %d NVIDIA GPUs",
                        ordinal, count);
  int shares = 0, multiprocessors = 1;
  CuResult result = driver->deviceGet(&device.device, ordinal);
  if (!result)
    result = driver->deviceAttribute(&shares, CuConcurrentManagedAccess,
                                     device.device);
  if (!result && !shares)
    return message.fail("device 'cuda:%d': this GPU does not share memory with "
                        "the CPU (Linux and an architecture of sm_60 or newer "
                        "are needed)",
                        ordinal);
  if (!result)
    result = driver->deviceAttribute(&multiprocessors, CuMultiprocessorCount,
                                     device.device);
  if (!result)
    result = driver->contextRetain(&device.context, device.device);
  if (!result)
    result = driver->contextSet(device.context);
  if (!result)
    result = driver->streamCreate(&device.stream, CuStreamNonBlocking);
  if (result)
    return message.fail("device 'cuda:%d': %s", ordinal,
                        driver->describe(result));
  device.mostBlocks = int64_t(multiprocessors) * blocksPerMultiprocessor;
  return loadImage(device, code, message);
}

// The room of calls, and the weights where the device reaches them.
bool makeRoom(Device &device, Instance &instance, Message &message) {
  const Signature &signature = instance.signature;
  size_t most = 1;
  for (int32_t i = 0; i < signature.entryCount; ++i) {
    const EntrySpec &entry = signature.entries[i];
    if (size_t(entry.inputCount) > most)
      most = size_t(entry.inputCount);
    if (size_t(entry.outputCount) > most)
      most = size_t(entry.outputCount);
  }
  device.functions = static_cast<CuFunction *>(
      calloc(instance.model->device->kernel_count + 1, sizeof(CuFunction)));
  device.inputs = static_cast<const void **>(calloc(most, sizeof(void *)));
  device.results = static_cast<void **>(calloc(most, sizeof(void *)));
  if (!device.functions || !device.inputs || !device.results)
    return message.fail("no memory for an instance");
  if (uint64_t bytes = instance.model->weights_bytes) {
    device.weights = instance.allocate(bytes, "weights");
    if (!device.weights.data)
      return message.fail("%s", instance.message.text);
    memcpy(device.weights.data, instance.weights, bytes);
    instance.weights = device.weights.data;
  }
  return true;
}

void close(Instance &instance) {
  Device *device = instance.device;
  if (device->context) {
    device->driver->contextSet(device->context);
    if (device->stream)
      device->driver->streamWait(device->stream);
    instance.release(device->weights);
    instance.release(device->staging);
    if (device->module)
      device->driver->moduleUnload(device->module);
    if (device->stream)
      device->driver->streamDestroy(device->stream);
    device->driver->contextRelease(device->device);
  }
  free(device->functions);
  free(device->inputs);
  free(device->results);
  free(device);
  instance.device = nullptr;
}

bool openOrdinal(Instance &instance, int32_t ordinal, Message &message) {
  if (machineLevel() < 3)
    return message.fail("entries that use a GPU need a CPU with x86-64-v3, "
                        "this machine has x86-64-v%u",
                        machineLevel());
  Device *device = static_cast<Device *>(calloc(1, sizeof(Device)));
  if (!device)
    return message.fail("no memory for an instance");
  tenon_options before = instance.options;
  instance.device = device;
  bool done = openDevice(*device, instance, ordinal, message);
  if (done) {
    instance.options.allocate = allocateManaged;
    instance.options.release = releaseManaged;
    instance.options.allocator_context = device;
    done = makeRoom(*device, instance, message);
  }
  if (done) {
    instance.entries = instance.model->device->calls;
    return true;
  }
  close(instance);
  instance.options = before;
  return false;
}

bool open(Instance &instance, Message &message) {
  const char *device = instance.options.device;
  if (!device || !strcmp(device, "auto")) {
    if (!openOrdinal(instance, 0, message))
      message.text[0] = 0;
    return true;
  }
  if (!strcmp(device, "cpu"))
    return true;
  int32_t ordinal = 0;
  bool isNumbered = !strncmp(device, "cuda:", 5) && device[5];
  const char *digit = device + (isNumbered ? 5 : 4);
  for (; isNumbered && *digit >= '0' && *digit <= '9' && ordinal < 1000;
       ++digit)
    ordinal = 10 * ordinal + (*digit - '0');
  if (strncmp(device, "cuda", 4) || *digit)
    return message.fail("device '%s': known are auto, cpu, cuda and cuda:N",
                        device);
  return openOrdinal(instance, ordinal, message);
}

int64_t bytesOf(const TensorSpec &spec, const int64_t *dims) {
  int64_t bytes = dtypeBytes(spec.dtype);
  for (int32_t i = 0; i < spec.rank; ++i)
    bytes *= dims ? dims[i] : spec.shape[i];
  return bytes;
}

// Whether a device reaches a caller's memory.
bool isReachable(const Device &device, const void *memory) {
  uint32_t type = 0;
  return !device.driver->pointerAttribute(
             &type, CuPointerMemoryType, reinterpret_cast<CuPointer>(memory)) &&
         type != CuMemoryHost;
}

void copy(Instance &instance, void *to, const void *from, int64_t bytes,
          const char *what) {
  const Device &device = *instance.device;
  if (bytes)
    check(instance,
          device.driver->copy(reinterpret_cast<CuPointer>(to),
                              reinterpret_cast<CuPointer>(from), size_t(bytes),
                              device.stream),
          what);
}

// Gives the device copies of inputs that it does not reach.
void stage(Instance &instance, const EntrySpec &entry,
           const void *const *inputs, const int64_t *dims) {
  Device &device = *instance.device;
  for (bool copies = false;; copies = true) {
    uint64_t total = 0;
    const int64_t *sizes = dims;
    for (int32_t i = 0; i < entry.inputCount; ++i) {
      const TensorSpec &spec = entry.inputs[i];
      int64_t bytes = bytesOf(spec, sizes);
      if (sizes)
        sizes += spec.rank;
      if (!copies)
        device.inputs[i] = isReachable(device, inputs[i]) ? inputs[i] : nullptr;
      if (device.inputs[i])
        continue;
      if (copies) {
        char *to = device.staging.data + total;
        copy(instance, to, inputs[i], bytes, "copying an input");
        device.inputs[i] = to;
      }
      total += roundUp(uint64_t(bytes));
    }
    if (copies)
      return;
    if (total > device.staging.bytes) {
      instance.release(device.staging);
      device.staging = instance.allocate(total, "copies of inputs");
      if (!device.staging.data)
        return;
    }
  }
}

void launch(Instance &instance, int32_t kernel, const uint64_t *words,
            int64_t tasks) {
  Device &device = *instance.device;
  device.kernel = instance.model->device->kernels[kernel];
  CuFunction &function = device.functions[kernel];
  if (!function)
    check(
        instance,
        device.driver->moduleFunction(&function, device.module, device.kernel),
        "finding code");
  int64_t blocks = (tasks + blockThreads - 1) / blockThreads;
  if (blocks > device.mostBlocks)
    blocks = device.mostBlocks;
  void *parameters[] = {const_cast<uint64_t *>(words), &tasks};
  if (function)
    check(instance,
          device.driver->launch(function, unsigned(blocks), 1, 1, blockThreads,
                                1, 1, 0, device.stream, parameters, nullptr),
          "starting");
}

// A launch as a kernel of the CPU, for what measures those.
struct TimedLaunch {
  Instance &instance;
  int32_t kernel;
  const uint64_t *words;

  static void run(const uint64_t *args, int64_t, int64_t tasks) {
    const auto &timed = *reinterpret_cast<const TimedLaunch *>(args);
    launch(timed.instance, timed.kernel, timed.words, tasks);
    tenon_cuda_wait(&timed.instance);
  }
};

} // namespace
} // namespace tenon

using namespace tenon;

void tenon_cuda_launch(tenon_instance *handle, int32_t kernel,
                       const uint64_t *words, int64_t tasks, int32_t id) {
  Instance &instance = *static_cast<Instance *>(handle);
  if (tasks <= 0 || instance.status)
    return;
  if (!instance.dispatch)
    return launch(instance, kernel, words, tasks);
  TimedLaunch timed = {instance, kernel, words};
  instance.dispatch(handle, TimedLaunch::run,
                    reinterpret_cast<const uint64_t *>(&timed), tasks, id);
}

void tenon_cuda_wait(tenon_instance *handle) {
  Instance &instance = *static_cast<Instance *>(handle);
  const Device &device = *instance.device;
  check(instance, device.driver->streamWait(device.stream), "running");
}

int32_t tenon_device_call(tenon_instance *handle, int32_t number,
                          const void *const *inputs, void **outputs,
                          int64_t *dims) {
  Instance &instance = *static_cast<Instance *>(handle);
  Device &device = *instance.device;
  const EntrySpec &entry = instance.signature.entries[number];
  device.kernel = nullptr;
  check(instance, device.driver->contextSet(device.context), "using it");
  stage(instance, entry, inputs, dims);
  for (int32_t i = 0; i < entry.outputCount; ++i)
    device.results[i] = nullptr;
  if (!instance.status)
    instance.model->device->entries[number](&instance, device.inputs,
                                            device.results, dims);
  const int64_t *sizes = dims;
  for (int32_t i = 0; sizes && i < entry.inputCount; ++i)
    sizes += entry.inputs[i].rank;
  for (int32_t i = 0; i < entry.outputCount; ++i) {
    const TensorSpec &spec = entry.outputs[i];
    if (instance.status)
      break;
    if (outputs[i])
      copy(instance, outputs[i], device.results[i], bytesOf(spec, sizes),
           "copying a result");
    else
      outputs[i] = device.results[i];
    if (sizes)
      sizes += spec.rank;
  }
  tenon_cuda_wait(handle);
  return instance.status;
}

const tenon_device_functions tenon_cuda = {open, close};
