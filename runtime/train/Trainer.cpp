#include "train/Trainer.h"
#include "cpu/Profile.h"
#include "io/Fail.h"
#include "io/Tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

namespace tenon::train {

namespace {

const EntrySpec &getEntry(const Signature &signature, const char *name) {
  int32_t entry = signature.find(name);
  if (entry < 0)
    fail("the model has no entry '%s': it was not compiled with --train", name);
  return signature.entries[entry];
}

// The number of an input of an entry, or -1.
int32_t findInput(const EntrySpec &entry, const char *name) {
  for (int32_t i = 0; i < entry.inputCount; ++i)
    if (!strcmp(entry.inputs[i].name, name))
      return i;
  return -1;
}

} // namespace

DataSpec readFields(const Signature &signature) {
  const EntrySpec &step = getEntry(signature, "train_step");
  const EntrySpec &predict = getEntry(signature, "predict");
  Field *fields =
      static_cast<Field *>(allocate(size_t(step.inputCount) * sizeof(Field)));
  DataSpec spec = {};
  spec.fields = fields;
  spec.fieldCount = step.inputCount;
  for (int32_t i = 0; i < step.inputCount; ++i) {
    const TensorSpec &input = step.inputs[i];
    fields[i].spec = &input;
    fields[i].role = findInput(predict, input.name) >= 0    ? Input
                     : !strcmp(input.name, "sample_weight") ? Weight
                                                            : Target;
    spec.targets += fields[i].role == Target;
    if (!input.rank)
      fail("the model's input '%s' has no dimension for rows", input.name);
  }
  return spec;
}

void Metrics::allocateValues() {
  values = static_cast<double *>(allocate(size_t(count) * sizeof(double)));
  elements =
      static_cast<double *>(allocate(size_t(allElements) * sizeof(double)));
}

void Metrics::copyValues(const Metrics &from) {
  memcpy(values, from.values, size_t(count) * sizeof(double));
  memcpy(elements, from.elements, size_t(allElements) * sizeof(double));
}

double *Metrics::vector(int32_t metric) const {
  double *place = elements;
  for (int32_t i = 0; i < metric; ++i)
    place += sizes[i];
  return place;
}

void Metrics::print(Text &out, int32_t metric, bool json) const {
  int64_t size = sizes[metric];
  const double *numbers = size ? vector(metric) : values + metric;
  for (int64_t i = 0; i < (size ? size : 1); ++i) {
    if (size)
      out.add(i ? ", " : "[");
    if (json && !(fabs(numbers[i]) < INFINITY))
      out.add("null");
    else
      out.print("%.9g", numbers[i]);
  }
  if (size)
    out.add("]");
}

bool Metrics::find(const char *name, double &value) const {
  for (int32_t i = 0; i < count; ++i)
    if (!strcmp(names[i], name)) {
      value = values[i];
      return true;
    }
  return false;
}

void Step::open(Instance &owner, const char *name, const DataSet &data) {
  instance = &owner;
  const EntrySpec &spec = getEntry(owner.signature, name);
  entry = owner.signature.find(name);
  inputCount = spec.inputCount;
  size_t count = size_t(inputCount);
  fields = static_cast<int32_t *>(allocate(count * sizeof(int32_t)));
  inputs = static_cast<const void **>(allocate(count * sizeof(void *)));
  dims = static_cast<int64_t *>(
      allocate((size_t(spec.dimCount) + 1) * sizeof(int64_t)));
  rowDims = static_cast<int64_t **>(allocate(count * sizeof(int64_t *)));
  int64_t *at = dims;
  for (int32_t i = 0; i < inputCount; ++i) {
    const TensorSpec &input = spec.inputs[i];
    fields[i] = -1;
    for (int32_t k = 0; k < data.fieldCount; ++k)
      if (!strcmp(data.fields[k].spec->name, input.name))
        fields[i] = k;
    if (fields[i] < 0 || data.fields[fields[i]].rank + 1 != input.rank)
      fail("the model's entry '%s' has an input '%s' that 'train_step' lacks",
           name, input.name);
    rowDims[i] = at;
    for (int32_t k = 1; k < input.rank; ++k)
      at[k] = data.fields[fields[i]].shape[k - 1];
    at += input.rank;
  }
  if (spec.outputCount != 1 || spec.outputs[0].rank ||
      !isReal(spec.outputs[0].dtype))
    fail("the model's entry '%s' does not give a loss alone", name);
  loss = makeTensor(spec.outputs[0].dtype, 0, nullptr);
}

double Step::run(const Batch &batch) {
  for (int32_t i = 0; i < inputCount; ++i) {
    inputs[i] = batch.buffers[fields[i]];
    *rowDims[i] = batch.rows;
  }
  int64_t begin = isProfiled ? nanoseconds() : 0;
  void *result = loss.data;
  if (tenon_invoke(instance, entry, inputs, &result, dims))
    fail("%s", tenon_error(instance));
  if (isProfiled)
    recordCall(*instance, entry, begin, nanoseconds());
  if (loss.dtype.bits == 32)
    return *static_cast<const float *>(result);
  tenon_tensor view = loss;
  view.data = result;
  return loadFloat(view, 0);
}

Metrics readMetricNames(const Signature &signature) {
  const EntrySpec &entry = getEntry(signature, "metrics");
  size_t count = size_t(entry.outputCount);
  Metrics metrics;
  metrics.count = entry.outputCount;
  metrics.names = static_cast<const char **>(allocate(count * sizeof(char *)));
  metrics.places = static_cast<int32_t *>(allocate(count * sizeof(int32_t)));
  metrics.sizes = static_cast<int64_t *>(allocate(count * sizeof(int64_t)));
  metrics.allElements = 0;
  for (int32_t i = 0; i < metrics.count; ++i) {
    const TensorSpec &output = entry.outputs[i];
    if (output.rank > 1 || (output.rank && output.shape[0] < 1) ||
        !isReal(output.dtype))
      fail("the model's metric '%s' is no number", output.name);
    int64_t size = output.rank ? output.shape[0] : 0;
    metrics.allElements += size;
    int32_t place = i;
    for (; place && strcmp(metrics.names[place - 1], output.name) > 0;
         --place) {
      metrics.names[place] = metrics.names[place - 1];
      metrics.places[place] = metrics.places[place - 1];
      metrics.sizes[place] = metrics.sizes[place - 1];
    }
    metrics.names[place] = output.name;
    metrics.places[place] = i;
    metrics.sizes[place] = size;
  }
  metrics.allocateValues();
  return metrics;
}

void Trainer::open(Instance &owner) {
  instance = &owner;
  metrics = readMetricNames(owner.signature);
}

void Trainer::call(const char *name) {
  int32_t entry = instance->signature.find(name);
  if (entry < 0)
    return;
  const EntrySpec &spec = instance->signature.entries[entry];
  if (spec.inputCount)
    fail("the model's entry '%s' wants inputs", name);
  memset(instance->outputs, 0, size_t(spec.outputCount) * sizeof(void *));
  if (tenon_invoke(instance, entry, nullptr, instance->outputs, instance->dims))
    fail("%s", tenon_error(instance));
}

void Trainer::readMetrics() {
  call("metrics");
  const EntrySpec &spec =
      instance->signature.entries[instance->signature.find("metrics")];
  for (int32_t i = 0; i < metrics.count; ++i) {
    tenon_tensor view = {};
    view.dtype = spec.outputs[metrics.places[i]].dtype;
    view.data = instance->outputs[metrics.places[i]];
    int64_t size = metrics.sizes[i];
    double *elements = metrics.vector(i), total = 0;
    for (int64_t j = 0; j < size; ++j)
      total += elements[j] = loadFloat(view, size_t(j));
    metrics.values[i] = size ? total / double(size) : loadFloat(view, 0);
  }
}

void *Trainer::variable(const char *name, tenon_dtype dtype) {
  const Signature &signature = instance->signature;
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    const VariableSpec &variable = signature.variables[i];
    if (!strcmp(variable.name, name) && sameDtype(variable.dtype, dtype) &&
        variable.bytes == uint64_t(dtypeBytes(dtype)))
      return instance->state + variable.stateOffset;
  }
  return nullptr;
}

int64_t chooseBatch(const Signature &signature, const char *option) {
  const EntrySpec &entry = getEntry(signature, "train_step");
  int64_t fixed = -1;
  for (int32_t i = 0; i < entry.inputCount; ++i)
    if (entry.inputs[i].rank && entry.inputs[i].shape[0] >= 0)
      fixed = entry.inputs[i].shape[0];
  int64_t batch = wholeOption("--batch", option, 1, fixed >= 0 ? fixed : 32);
  if (fixed >= 0 && batch != fixed)
    fail("--batch %lld: the model was compiled for batches of %lld; compile it "
         "with an unknown first dimension (--shape NAME=?x...)",
         (long long)batch, (long long)fixed);
  return batch;
}

void checkLastBatch(const Signature &signature, const DataSet &data,
                    int64_t batch) {
  const EntrySpec &entry = getEntry(signature, "train_step");
  for (int32_t i = 0; i < entry.inputCount; ++i)
    if (entry.inputs[i].shape[0] >= 0 && data.source->rows % batch)
      fail("%s: %lld rows leave a last batch of %lld, the model was compiled "
           "for batches of %lld; compile it with an unknown first dimension "
           "(--shape NAME=?x...)",
           data.label, (long long)data.source->rows,
           (long long)(data.source->rows % batch), (long long)batch);
}

void seedVariables(Instance &instance, uint64_t seed) {
  const char ending[] = "seed_generator_state";
  const Signature &signature = instance.signature;
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    const VariableSpec &variable = signature.variables[i];
    size_t length = strlen(variable.name), size = sizeof ending - 1;
    bool isSeed =
        length >= size && !strcmp(variable.name + length - size, ending);
    if (!isSeed && !(variable.generator && variable.initial == -1))
      continue;
    uint64_t key = seed;
    for (size_t k = 0; k < length; ++k)
      key = mix(key, uint8_t(variable.name[k]));
    char *to = instance.state + variable.stateOffset;
    for (uint64_t k = 0; k < variable.bytes; k += 8) {
      uint64_t word = mix(key, k);
      memcpy(to + k, &word, variable.bytes - k < 8 ? variable.bytes - k : 8);
    }
    instance.state[variable.flagOffset] = 1;
  }
}

} // namespace tenon::train
