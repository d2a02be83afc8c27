// Calls of entry points: tensors checked against the signature.
#include "core/Instance.h"

#include <string.h>

namespace tenon {

namespace {

// One call, with what is known about the tensor in hand for its messages.
struct Call {
  Instance &instance;
  const EntrySpec &entry;
  const char *kind = ""; // "input" or "output"
  const char *name = nullptr;

  int32_t refuse(const char *what) {
    return instance.refuse(TENON_INVALID, "entry '%s', %s '%s': %s", entry.name,
                           kind, name, what);
  }

  int32_t mismatch(const TensorSpec &spec, const tenon_tensor &tensor) {
    char expected[512], got[512];
    formatType(expected, sizeof expected, spec.dtype, spec.rank, spec.shape);
    formatType(got, sizeof got, tensor.dtype,
               tensor.ndim > maxRank ? 0 : tensor.ndim, tensor.shape);
    return instance.refuse(TENON_INVALID,
                           "entry '%s', %s '%s': expected %s, got %s",
                           entry.name, kind, name, expected, got);
  }

  int32_t checkType(const TensorSpec &spec, const tenon_tensor &tensor) {
    if (tensor.ndim > 0 && !tensor.shape)
      return refuse("shape is NULL");
    for (int32_t i = 0; i < tensor.ndim && i < maxRank; ++i)
      if (tensor.shape[i] < 0)
        return refuse("a size is negative");
    if (!sameDtype(spec.dtype, tensor.dtype) || spec.rank != tensor.ndim)
      return mismatch(spec, tensor);
    if (tensor.device.type && tensor.device.type != TENON_CPU)
      return refuse("the tensor is not in the CPU's memory");
    return TENON_OK;
  }

  // Checks sizes and fixes symbols; writes the sizes to `dims`.
  int32_t checkInputShape(const TensorSpec &spec, const tenon_tensor &tensor,
                          const int64_t *shape, int64_t *dims) {
    for (int32_t i = 0; i < spec.rank; ++i) {
      int64_t wanted = spec.shape[i];
      dims[i] = shape[i];
      if (wanted >= 0) {
        if (wanted != shape[i])
          return mismatch(spec, tensor);
        continue;
      }
      int64_t symbol = -1 - wanted;
      if (!instance.symbolSource[symbol]) {
        instance.symbolSource[symbol] = spec.name;
        instance.symbols[symbol] = shape[i];
      } else if (instance.symbols[symbol] != shape[i]) {
        const char *label = instance.signature.symbols[symbol];
        return instance.refuse(
            TENON_INVALID,
            "entry '%s', %s '%s': dimension %d is %lld, but must be %lld "
            "(%s%sas in input '%s')",
            entry.name, kind, name, i, (long long)shape[i],
            (long long)instance.symbols[symbol], label, *label ? " " : "",
            instance.symbolSource[symbol]);
      }
    }
    return TENON_OK;
  }

  int32_t takeInput(const TensorSpec &spec, const tenon_tensor *tensor,
                    const void *&data, int64_t *dims);
  int32_t takeOutput(const TensorSpec &spec, const tenon_tensor *tensor,
                     void *&data, int64_t *dims);
  int32_t giveOutput(const TensorSpec &spec, tenon_tensor &tensor, void *data,
                     int64_t *dims);
};

bool isDense(const tenon_tensor &tensor) {
  if (!tensor.strides)
    return true;
  int64_t step = 1;
  for (int32_t i = tensor.ndim - 1; i >= 0; --i) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != step)
      return false;
    step *= tensor.shape[i];
  }
  return true;
}

char *firstElement(const tenon_tensor &tensor) {
  return static_cast<char *>(tensor.data) + tensor.byte_offset;
}

// Copies a view into dense memory, row by row.
void copyDense(char *to, const tenon_tensor &tensor, int64_t elements) {
  size_t bytes = size_t(dtypeBytes(tensor.dtype));
  int64_t index[maxRank] = {};
  const char *from = firstElement(tensor);
  for (; elements; --elements, to += bytes) {
    memcpy(to, from, bytes);
    for (int32_t i = tensor.ndim - 1; i >= 0; --i) {
      int64_t step = tensor.strides[i] * int64_t(bytes);
      from += step;
      if (++index[i] < tensor.shape[i])
        break;
      from -= step * tensor.shape[i];
      index[i] = 0;
    }
  }
}

int32_t Call::takeInput(const TensorSpec &spec, const tenon_tensor *tensor,
                        const void *&data, int64_t *dims) {
  if (!tensor) {
    if (!spec.hasDefault) {
      char expected[512];
      return instance.refuse(TENON_INVALID,
                             "entry '%s', input '%s': expected %s, got nothing",
                             entry.name, name,
                             formatType(expected, sizeof expected, spec.dtype,
                                        spec.rank, spec.shape));
    }
    tenon_tensor value = {const_cast<void *>(spec.defaultData),
                          {},
                          spec.rank,
                          spec.dtype,
                          spec.defaultShape,
                          nullptr,
                          0};
    data = spec.defaultData;
    return checkInputShape(spec, value, spec.defaultShape, dims);
  }
  if (int32_t status = checkType(spec, *tensor))
    return status;
  if (int32_t status = checkInputShape(spec, *tensor, tensor->shape, dims))
    return status;
  int bytes = dtypeBytes(spec.dtype);
  int64_t elements = countElements(spec.rank, tensor->shape, bytes);
  if (elements < 0)
    return refuse("its sizes are too large");
  if (elements && !tensor->data)
    return refuse("data is NULL");
  data = firstElement(*tensor);
  // Complex numbers and strings are aligned as their halves are.
  bool halves =
      spec.dtype.code == TENON_COMPLEX || spec.dtype.code == TENON_STRING;
  uint64_t alignment = uint64_t(halves ? bytes / 2 : bytes);
  bool dense = isDense(*tensor);
  if (!elements || (dense && !(reinterpret_cast<uint64_t>(data) % alignment)))
    return TENON_OK;
  void *copy = tenon_alloc(&instance, elements * bytes);
  if (!copy)
    return instance.status;
  if (dense)
    memcpy(copy, data, size_t(elements * bytes));
  else
    copyDense(static_cast<char *>(copy), *tensor, elements);
  data = copy;
  return TENON_OK;
}

// Decides where a result goes: the caller's memory when its size is known and
// right, else (NULL) the instance's.
int32_t Call::takeOutput(const TensorSpec &spec, const tenon_tensor *tensor,
                         void *&data, int64_t *dims) {
  data = nullptr;
  bool known = true;
  for (int32_t i = 0; i < spec.rank; ++i) {
    int64_t size = spec.shape[i];
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
  if (int32_t status = checkType(spec, *tensor))
    return status;
  if (!isDense(*tensor))
    return refuse("strides other than row-major ones are not supported");
  if (!known)
    return TENON_OK;
  if (spec.rank &&
      memcmp(dims, tensor->shape, size_t(spec.rank) * sizeof *dims)) {
    TensorSpec exact = spec;
    exact.shape = dims;
    return mismatch(exact, *tensor);
  }
  data = firstElement(*tensor);
  return TENON_OK;
}

// Tells the caller where the result is and how large.
int32_t Call::giveOutput(const TensorSpec &spec, tenon_tensor &tensor,
                         void *data, int64_t *dims) {
  int bytes = dtypeBytes(spec.dtype);
  int64_t elements = countElements(spec.rank, dims, bytes);
  if (elements < 0 || (elements && !data))
    return refuse("the entry gave no result");
  tensor.dtype = spec.dtype;
  tensor.ndim = spec.rank;
  if (!tensor.data) {
    tensor.data = data;
    tensor.byte_offset = 0;
    tensor.shape = dims;
    tensor.strides = nullptr;
    tensor.device = {TENON_CPU, 0};
    return TENON_OK;
  }
  if (elements && data != firstElement(tensor)) {
    int64_t room = countElements(spec.rank, tensor.shape, bytes);
    if (room < elements) {
      TensorSpec exact = spec;
      exact.shape = dims;
      return mismatch(exact, tensor);
    }
    memcpy(firstElement(tensor), data, size_t(elements * bytes));
  }
  if (spec.rank)
    memcpy(tensor.shape, dims, size_t(spec.rank) * sizeof *dims);
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
  Call call{instance, entry};
  if (signature.symbolCount)
    memset(instance.symbolSource, 0,
           size_t(signature.symbolCount) * sizeof(char *));
  int64_t *dims = instance.dims;
  call.kind = "input";
  for (int32_t i = 0; i < entry.inputCount; ++i) {
    const TensorSpec &spec = entry.inputs[i];
    call.name = spec.name;
    if (int32_t status =
            call.takeInput(spec, inputs[i], instance.inputs[i], dims))
      return status;
    dims += spec.rank;
  }
  int64_t *outputDims = dims;
  call.kind = "output";
  for (int32_t i = 0; i < entry.outputCount; ++i) {
    const TensorSpec &spec = entry.outputs[i];
    call.name = spec.name;
    if (int32_t status =
            call.takeOutput(spec, outputs[i], instance.outputs[i], dims))
      return status;
    dims += spec.rank;
  }
  if (int32_t status = instance.entries[number](
          &instance, instance.inputs, instance.outputs, instance.dims))
    return status;
  dims = outputDims;
  for (int32_t i = 0; i < entry.outputCount; ++i) {
    const TensorSpec &spec = entry.outputs[i];
    call.name = spec.name;
    if (int32_t status =
            call.giveOutput(spec, *outputs[i], instance.outputs[i], dims))
      return status;
    dims += spec.rank;
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
