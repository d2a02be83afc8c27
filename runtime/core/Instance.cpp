// Making and ending instances.
#include "core/Instance.h"
#include "core/System.h"
#include "cpu/Features.h"
#include "cuda/Device.h"

#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

// The text behind tenon_error(NULL).
thread_local Message creationMessage;

uint32_t levelOf(uint32_t required) { return required & TENON_CPU_LEVEL_MASK; }

// Lets entries run where the user wants them.
bool pickDevice(Instance &instance, Message &message) {
  const char *device = instance.options.device;
  if (const tenon_device_code *code = instance.model->device)
    return code->functions->open(instance, message);
  if (!device || !strcmp(device, "cpu") || !strcmp(device, "auto"))
    return true;
  return message.fail("device '%s': this program has code for the CPU only",
                      device);
}

bool pickVariant(Instance &instance, Message &message) {
  const tenon_model &model = *instance.model;
  const tenon_variant *variant =
      selectVariant(model, instance.options.cpu_level);
  if (variant) {
    instance.entries = variant->entries;
    return true;
  }
  const tenon_variant *lowest = model.variants;
  for (uint32_t i = 1; i < model.variant_count; ++i)
    if (levelOf(model.variants[i].cpu_level) < levelOf(lowest->cpu_level))
      lowest = &model.variants[i];
  if (!model.variant_count)
    return message.fail("the model has no code");
  char level[] = "x86-64-v0";
  level[sizeof level - 2] += char(levelOf(lowest->cpu_level));
  return message.fail("the model needs a CPU with %s, this machine has "
                      "x86-64-v%u",
                      lowest->cpu ? lowest->cpu : level, machineLevel());
}

// Room for the arguments of a call, in one block.
bool makeCallRoom(Instance &instance) {
  const Signature &signature = instance.signature;
  size_t inputs = 1, outputs = 1, dims = 1;
  for (int32_t i = 0; i < signature.entryCount; ++i) {
    const EntrySpec &entry = signature.entries[i];
    if (size_t(entry.inputCount) > inputs)
      inputs = size_t(entry.inputCount);
    if (size_t(entry.outputCount) > outputs)
      outputs = size_t(entry.outputCount);
    if (size_t(entry.dimCount) > dims)
      dims = size_t(entry.dimCount);
  }
  size_t symbols = size_t(signature.symbolCount);
  void **words = static_cast<void **>(
      calloc(inputs + outputs + dims + 2 * symbols, sizeof(void *)));
  if (!words)
    return false;
  instance.inputs = const_cast<const void **>(words);
  instance.outputs = words + inputs;
  instance.dims = reinterpret_cast<int64_t *>(words + inputs + outputs);
  instance.symbols = instance.dims + dims;
  instance.symbolSource = const_cast<const char **>(
      reinterpret_cast<char **>(words) + inputs + outputs + dims + symbols);
  return true;
}

// Variables with their first values, the zeros, and the arena.
bool makeMemory(Instance &instance) {
  const Signature &signature = instance.signature;
  uint64_t stateBytes = (signature.stateBytes + 63) & ~uint64_t(63);
  instance.stateMemory =
      instance.allocate(stateBytes + signature.zerosBytes, "variables");
  instance.state = instance.stateMemory.data;
  if (!instance.state)
    return false;
  // What mmap gave is zero already, and should not be touched for nothing.
  if (instance.options.allocate || instance.stateMemory.bytes < 1 << 20)
    memset(instance.state, 0, instance.stateMemory.bytes);
  instance.zeros = instance.state + stateBytes;
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    const VariableSpec &variable = signature.variables[i];
    char *to = instance.state + variable.stateOffset;
    if (variable.initial >= 0)
      memcpy(to, instance.weights + variable.initial, variable.bytes);
    else if (variable.initial != initialZeros &&
             (!variable.generator ||
              systemCall(SYS_getrandom, to, variable.bytes, 0) < 0))
      continue;
    instance.state[variable.flagOffset] = 1;
  }
  instance.arenaMemory = instance.allocate(signature.arenaBytes, "the arena");
  instance.arena = instance.arenaMemory.data;
  return instance.arena;
}

bool fill(Instance &instance, Message &message) {
  const tenon_model &model = *instance.model;
  if (!instance.signature.read(model, message) ||
      !pickVariant(instance, message))
    return false;
  if (model.weights) {
    instance.weights = *model.weights;
  } else if (model.weights_bytes) {
    if (model.map_weights)
      instance.mappedWeights.data =
          model.map_weights(&model, instance.options.weights_path, message.text,
                            sizeof message.text);
    else
      message.fail("the model has no weights");
    if (!instance.mappedWeights.data)
      return false;
    instance.mappedWeights.bytes = model.weights_bytes;
    instance.weights = instance.mappedWeights.data;
  }
  if (!pickDevice(instance, message))
    return false;
  if (!makeCallRoom(instance))
    return message.fail("no memory for an instance");
  if (!makeMemory(instance))
    return message.fail("%s", instance.message.text);
  useThreads(instance, instance.options.threads, true);
  return true;
}

} // namespace

const tenon_variant *selectVariant(const tenon_model &model, int32_t limit) {
  uint32_t present = machineLevel();
  if (model.cpu_features)
    present |= model.cpu_features();
  const tenon_variant *best = nullptr;
  for (uint32_t i = 0; i < model.variant_count; ++i) {
    const tenon_variant &variant = model.variants[i];
    if (!canRun(variant.cpu_level, present) ||
        (limit && levelOf(variant.cpu_level) > uint32_t(limit)))
      continue;
    if (!best || levelOf(variant.cpu_level) > levelOf(best->cpu_level))
      best = &variant;
  }
  return best;
}

} // namespace tenon

using namespace tenon;

// All but the threads: those start last.
static void releaseInstance(Instance &instance) {
  instance.releaseBlocks();
  instance.release(instance.arenaMemory);
  instance.release(instance.stateMemory);
  if (instance.mappedWeights.data)
    systemCall(SYS_munmap, instance.mappedWeights.data,
               instance.mappedWeights.bytes);
  if (instance.device)
    instance.model->device->functions->close(instance);
  free(const_cast<void **>(instance.inputs));
  instance.signature.release();
  free(&instance);
}

tenon_instance *tenon_create(const tenon_model *model,
                             const tenon_options *options) {
  Instance *instance = static_cast<Instance *>(calloc(1, sizeof(Instance)));
  bool done = false;
  if (!instance) {
    creationMessage.fail("no memory for an instance");
  } else {
    instance->model = model;
    instance->threads = 1;
    // A caller compiled against an older header has fewer options.
    if (options)
      memcpy(&instance->options, options,
             options->struct_size < sizeof *options ? options->struct_size
                                                    : sizeof *options);
    instance->check_numerics = instance->options.check_numerics;
    done = fill(*instance, creationMessage);
  }
  if (done)
    return instance;
  if (options && instance && instance->options.on_error)
    instance->options.on_error(instance->options.error_context,
                               creationMessage.text);
  if (instance)
    releaseInstance(*instance);
  return nullptr;
}

void tenon_destroy(tenon_instance *handle) {
  if (!handle)
    return;
  Instance &instance = *static_cast<Instance *>(handle);
  if (instance.pool)
    instance.model->thread_functions->stop(instance.pool);
  if (instance.releaseResources)
    instance.releaseResources(instance);
  releaseInstance(instance);
}

const char *tenon_error(const tenon_instance *handle) {
  return handle ? static_cast<const Instance *>(handle)->message.text
                : creationMessage.text;
}

int32_t tenon_entry_count(const tenon_instance *handle) {
  return static_cast<const Instance *>(handle)->signature.entryCount;
}

const char *tenon_entry_name(const tenon_instance *handle, int32_t entry) {
  const Signature &signature = static_cast<const Instance *>(handle)->signature;
  return entry >= 0 && entry < signature.entryCount
             ? signature.entries[entry].name
             : nullptr;
}

int32_t tenon_entry_index(const tenon_instance *handle, const char *name) {
  return static_cast<const Instance *>(handle)->signature.find(name);
}

const void *tenon_signature(const tenon_instance *handle, size_t *bytes) {
  const tenon_model &model = *static_cast<const Instance *>(handle)->model;
  if (bytes)
    *bytes = model.signature_bytes;
  return model.signature;
}

const tenon_entry_fn *tenon_select(const tenon_model *model) {
  const tenon_variant *variant = selectVariant(*model, 0);
  return variant ? variant->entries : nullptr;
}
