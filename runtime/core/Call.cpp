// Calls of entry points: tensors checked against the signature.
#include "core/View.h"

#include <stdio.h>
#include <string.h>

namespace tenon {

namespace {

// One call, with what is known about the tensor in hand for its messages.
struct Call {
  Instance &instance;
  const EntrySpec &entry;
  const char *kind;
  const TensorSpec *spec;

  [[gnu::noinline]] int32_t refuse(const char *what) {
    return instance.refuse(TENON_INVALID, "entry '%s', %s '%s': %s", entry.name,
                           kind, spec->name, what);
  }

  // `shape`: the sizes that are wanted.
  [[gnu::noinline]] int32_t mismatch(const int64_t *shape,
                                     const tenon_tensor *tensor) {
    char expected[400], given[400], text[900];
    const char *got = "nothing";
    formatType(expected, sizeof expected, spec->dtype, spec->rank, shape);
    if (tensor)
      got =
          formatType(given, sizeof given, tensor->dtype,
                     tensor->ndim > maxRank ? 0 : tensor->ndim, tensor->shape);
    snprintf(text, sizeof text, "expected %s, got %s", expected, got);
    return refuse(text);
  }

  [[gnu::noinline]] int32_t checkType(const tenon_tensor &tensor) {
    if (tensor.ndim > 0 && !tensor.shape)
      return refuse("shape is NULL");
    for (int32_t i = 0; i < tensor.ndim && i < maxRank; ++i)
      if (tensor.shape[i] < 0)
        return refuse("a size is negative");
    if (!sameDtype(spec->dtype, tensor.dtype) || spec->rank != tensor.ndim)
      return mismatch(spec->shape, &tensor);
    if (tensor.device.type && tensor.device.type != TENON_CPU)
      return refuse("the tensor is not in the CPU's memory");
    return TENON_OK;
  }

  // Dimension `axis` has another size than an input before gave the symbol.
  [[gnu::noinline]] int32_t contradiction(int32_t axis, int64_t size,
                                          int64_t symbol) {
    const char *label = instance.signature.symbols[symbol];
    char text[600];
    snprintf(text, sizeof text,
             "dimension %d is %lld, but must be %lld (%s%sas in input '%s')",
             axis, (long long)size, (long long)instance.symbols[symbol], label,
             *label ? " " : "", instance.symbolSource[symbol]);
    return refuse(text);
  }

  // Checks sizes and fixes symbols; writes the sizes to `dims`.
  int32_t checkInputShape(const tenon_tensor &tensor, int64_t *dims) {
    for (int32_t i = 0; i < spec->rank; ++i) {
      int64_t wanted = spec->shape[i], size = tensor.shape[i];
      dims[i] = size;
      if (wanted == size)
        continue;
      if (wanted >= 0)
        return mismatch(spec->shape, &tensor);
      const char *&source = instance.symbolSource[-1 - wanted];
      int64_t &symbol = instance.symbols[-1 - wanted];
      if (!source) {
        source = spec->name;
        symbol = size;
      } else if (symbol != size) {
        return contradiction(i, size, -1 - wanted);
      }
    }
    return TENON_OK;
  }

  int32_t takeInput(const tenon_tensor *tensor, const void *&data,
                    int64_t *dims);
  int32_t takeOutput(const tenon_tensor *tensor, void *&data, int64_t *dims);
  int32_t giveOutput(tenon_tensor &tensor, void *data, int64_t *dims);
};

int32_t Call::takeInput(const tenon_tensor *tensor, const void *&data,
                        int64_t *dims) {
  tenon_tensor value = {};
  if (!tensor) {
    if (!spec->hasDefault)
      return mismatch(spec->shape, nullptr);
    value.data = const_cast<void *>(spec->defaultData);
    value.shape = spec->defaultShape;
    value.ndim = spec->rank;
    value.dtype = spec->dtype;
    tensor = &value;
  }
  if (int32_t status = checkType(*tensor))
    return status;
  if (int32_t status = checkInputShape(*tensor, dims))
    return status;
  int bytes = dtypeBytes(spec->dtype);
  int64_t elements = countElements(spec->rank, tensor->shape, bytes);
  if (elements < 0)
    return refuse("its sizes are too large");
  if (elements && !tensor->data)
    return refuse("data is NULL");
  data = firstElement(*tensor);
  if (const tenon_view_functions *views = instance.model->views)
    if (elements && !views->isUsable(*tensor)) {
      data = views->copy(instance, *tensor, elements);
      if (!data)
        return instance.status;
    }
  return TENON_OK;
}

// Decides where a result goes: the caller's memory when its size is known and
// right, else (NULL) the instance's.
int32_t Call::takeOutput(const tenon_tensor *tensor, void *&data,
                         int64_t *dims) {
  data = nullptr;
  bool known = true;
  for (int32_t i = 0; i < spec->rank; ++i) {
    int64_t size = spec->shape[i];
    if (size < 0)
      size =
          instance.symbolSource[-1 - size] ? instance.symbols[-1 - size] : -1;
    dims[i] = size;
    known &= size >= 0;
  }
  if (!tensor)
    return refuse("the tensor is NULL");
  if (!tensor->data)
    return TENON_OK;
  if (int32_t status = checkType(*tensor))
    return status;
  if (instance.model->views && !instance.model->views->isDense(*tensor))
    return refuse("only row-major strides are supported");
  if (!known)
    return TENON_OK;
  for (int32_t i = 0; i < spec->rank; ++i)
    if (dims[i] != tensor->shape[i])
      return mismatch(dims, tensor);
  data = firstElement(*tensor);
  return TENON_OK;
}

// Tells the caller where the result is and how large.
int32_t Call::giveOutput(tenon_tensor &tensor, void *data, int64_t *dims) {
  int bytes = dtypeBytes(spec->dtype);
  int64_t elements = countElements(spec->rank, dims, bytes);
  if (elements < 0 || (elements && !data))
    return refuse("the entry gave no result");
  tensor.dtype = spec->dtype;
  tensor.ndim = spec->rank;
  if (!tensor.data) {
    tensor.data = data;
    tensor.byte_offset = 0;
    tensor.shape = dims;
    tensor.strides = nullptr;
    tensor.device = {TENON_CPU, 0};
    return TENON_OK;
  }
  char *to = firstElement(tensor);
  if (elements && data != to) {
    if (countElements(spec->rank, tensor.shape, bytes) < elements)
      return mismatch(dims, &tensor);
    memcpy(to, data, size_t(elements * bytes));
  }
  if (spec->rank)
    memcpy(tensor.shape, dims, size_t(spec->rank) * sizeof *dims);
  return TENON_OK;
}

int32_t runCall(Instance &instance, int32_t number,
                const tenon_tensor *const *inputs,
                tenon_tensor *const *outputs) {
  const Signature &signature = instance.signature;
  if (number < 0 || number >= signature.entryCount)
    return instance.refuse(TENON_INVALID,
                           "there is no entry number %d, the model has %d",
                           number, signature.entryCount);
  const EntrySpec &entry = signature.entries[number];
  memset(instance.symbolSource, 0,
         size_t(signature.symbolCount) * sizeof(char *));
  int64_t *dims = instance.dims;
  Call call{instance, entry, "input", entry.inputs};
  for (int32_t i = 0; i < entry.inputCount; ++i, ++call.spec) {
    if (int32_t status = call.takeInput(inputs[i], instance.inputs[i], dims))
      return status;
    dims += call.spec->rank;
  }
  int64_t *outputDims = dims;
  call.kind = "output";
  call.spec = entry.outputs;
  for (int32_t i = 0; i < entry.outputCount; ++i, ++call.spec) {
    if (int32_t status = call.takeOutput(outputs[i], instance.outputs[i], dims))
      return status;
    dims += call.spec->rank;
  }
  if (int32_t status = instance.entries[number](
          &instance, instance.inputs, instance.outputs, instance.dims))
    return status;
  dims = outputDims;
  call.spec = entry.outputs;
  for (int32_t i = 0; i < entry.outputCount; ++i, ++call.spec) {
    if (int32_t status =
            call.giveOutput(*outputs[i], instance.outputs[i], dims))
      return status;
    dims += call.spec->rank;
  }
  return TENON_OK;
}

} // namespace
} // namespace tenon

using namespace tenon;

int32_t tenon_invoke(tenon_instance *handle, int32_t entry,
                     const void *const *inputs, void **outputs, int64_t *dims) {
  Instance &instance = *static_cast<Instance *>(handle);
  instance.begin();
  return instance.finish(
      instance.entries[entry](&instance, inputs, outputs, dims));
}

int32_t tenon_call(tenon_instance *handle, int32_t entry,
                   const tenon_tensor *const *inputs,
                   tenon_tensor *const *outputs) {
  Instance &instance = *static_cast<Instance *>(handle);
  instance.begin();
  return instance.finish(runCall(instance, entry, inputs, outputs));
}
