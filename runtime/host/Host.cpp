// What all functions of the runtime that do operations share.
#include "host/Host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

namespace tenon {

int32_t runHost(const tenon_host_call *raw, bool (*function)(HostCall &)) {
  Instance &instance = *static_cast<Instance *>(raw->instance);
  const char *name = static_cast<const char *>(raw->inputs[0].data);
  HostCall call{instance,         name,         name + strlen(name) + 1,
                raw->inputs + 1,  raw->outputs, raw->input_count - 1,
                raw->output_count};
  if (instance.status == TENON_OK && function(call))
    return TENON_OK;
  if (instance.status == TENON_OK)
    call.fail("no memory");
  // What runs until the entry returns finds empty tensors, and no pointers.
  for (int32_t i = 0; i < call.outputCount; ++i) {
    tenon_tensor &tensor = call.outputs[i];
    if (tensor.device.type) {
      memset(tensor.data, 0,
             size_t(call.count(tensor) * dtypeBytes(tensor.dtype)));
      continue;
    }
    tensor.data = nullptr;
    for (int32_t d = 0; d < tensor.ndim; ++d)
      tensor.shape[d] = 0;
  }
  return instance.status;
}

bool HostCall::fail(const char *format, ...) {
  char text[900];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  // One line, whatever the model's strings hold.
  for (char *at = text; *at; ++at)
    if (*at == '\n' || *at == '\r')
      *at = ' ';
  instance.refuse(TENON_FAILED, "node '%s': %s", node, text);
  return false;
}

const char *HostCall::find(const char *name, char &kind, int64_t &count) const {
  const char *at = attributes;
  while (*at) {
    bool found = !strcmp(at, name);
    at += strlen(at) + 1;
    kind = *at++;
    memcpy(&count, at, 8);
    at += 8;
    if (found)
      return at;
    if (kind != 's') {
      at += 8 * count;
      continue;
    }
    for (int64_t i = 0; i < count; ++i) {
      int64_t bytes;
      memcpy(&bytes, at, 8);
      at += 8 + bytes;
    }
  }
  count = 0;
  return nullptr;
}

int64_t HostCall::size(const char *name) const {
  char kind;
  int64_t count;
  find(name, kind, count);
  return count;
}

int64_t HostCall::integer(const char *name, int64_t index) const {
  char kind;
  int64_t count, value = 0;
  const char *at = find(name, kind, count);
  if (at && index < count)
    memcpy(&value, at + 8 * index, 8);
  return value;
}

double HostCall::real(const char *name, int64_t index) const {
  return __builtin_bit_cast(double, integer(name, index));
}

tenon_string HostCall::text(const char *name, int64_t index) const {
  char kind;
  int64_t count, bytes;
  const char *at = find(name, kind, count);
  if (!at || index >= count)
    return {"", 0};
  for (;; at += bytes) {
    memcpy(&bytes, at, 8);
    at += 8;
    if (index-- == 0)
      return {at, size_t(bytes)};
  }
}

int64_t HostCall::count(const tenon_tensor &tensor) const {
  int64_t total = 1;
  for (int32_t i = 0; i < tensor.ndim; ++i)
    total *= tensor.shape[i];
  return total;
}

char *HostCall::memory(int64_t bytes) {
  return static_cast<char *>(tenon_alloc(&instance, bytes));
}

bool HostCall::allocate(int32_t i) {
  tenon_tensor &tensor = outputs[i];
  if (tensor.device.type)
    return true;
  int64_t bytes = dtypeBytes(tensor.dtype);
  for (int32_t d = 0; d < tensor.ndim; ++d)
    if (tensor.shape[d] < 0 ||
        __builtin_mul_overflow(bytes, tensor.shape[d], &bytes))
      return fail("a result is too large");
  tensor.data = memory(bytes);
  return tensor.data != nullptr;
}

bool HostCall::allocate(int32_t i, int64_t size0, int64_t size1) {
  outputs[i].shape[0] = size0;
  if (outputs[i].ndim > 1)
    outputs[i].shape[1] = size1;
  return allocate(i);
}

char *Bytes::grow(int64_t bytes) {
  if (failed)
    return nullptr;
  if (size + bytes > capacity) {
    int64_t wanted = 2 * capacity > size + bytes ? 2 * capacity : size + bytes;
    char *larger = call.memory(wanted < 256 ? 256 : wanted);
    if (!larger) {
      failed = true;
      return nullptr;
    }
    if (size)
      memcpy(larger, data, size_t(size));
    if (data)
      tenon_free(&call.instance, data);
    data = larger;
    capacity = wanted < 256 ? 256 : wanted;
  }
  return data + size;
}

void Bytes::print(const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  if (length > 0)
    if (char *to = grow(length + 1)) {
      vsnprintf(to, size_t(length) + 1, format, again);
      size += length;
    }
  va_end(again);
}

bool StringWriter::finish() {
  for (int64_t i = 0; i < done; ++i)
    to[i].data = failed || !to[i].size
                     ? ""
                     : data + reinterpret_cast<intptr_t>(to[i].data);
  return !failed;
}

static void releaseAll(Instance &instance) {
  while (Resource *resource = instance.resources) {
    instance.resources = resource->next;
    free(resource->name);
    resource->destroy(resource);
  }
}

Resource *findResource(Instance &instance, tenon_string name,
                       Resource *(*create)()) {
  for (Resource *at = instance.resources; at; at = at->next)
    if (equal(name, at->name))
      return at;
  Resource *made = create ? create() : nullptr;
  if (!made)
    return nullptr;
  made->name = static_cast<char *>(malloc(name.size + 1));
  if (!made->name) {
    made->destroy(made);
    return nullptr;
  }
  memcpy(made->name, name.data, name.size);
  made->name[name.size] = 0;
  made->next = instance.resources;
  instance.resources = made;
  instance.releaseResources = releaseAll;
  return made;
}

// The bytes of a variable's strings. Those that it had before stay for the call
// that replaces them: somebody may have read them.
struct Kept : Resource {
  char *bytes;
  Kept *retired; // of call number `call`, chained
  uint64_t call;

  void releaseRetired() {
    while (Kept *former = retired) {
      retired = former->retired;
      free(former->bytes);
      free(former);
    }
  }
};

TENON_HOST(keep_strings) {
  auto *kept = static_cast<Kept *>(
      findResource(call.instance, call.text("variable"), []() -> Resource * {
        auto *made = static_cast<Kept *>(calloc(1, sizeof(Kept)));
        if (made)
          made->destroy = [](Resource *resource) {
            auto *own = static_cast<Kept *>(resource);
            own->releaseRetired();
            free(own->bytes);
            free(own);
          };
        return made;
      }));
  int64_t count = call.inSize(0);
  size_t total = 1;
  for (int64_t i = 0; i < count; ++i)
    total += call.strings(0)[i].size;
  char *bytes = static_cast<char *>(malloc(total));
  auto *former = static_cast<Kept *>(calloc(1, sizeof(Kept)));
  if (!kept || !bytes || !former) {
    free(bytes);
    free(former);
    return false;
  }
  for (int64_t i = 0; i < count; ++i) {
    tenon_string text = call.strings(0)[i];
    if (text.size)
      memcpy(bytes, text.data, text.size);
    call.out<tenon_string>(0)[i] = {bytes, text.size};
    bytes += text.size;
  }
  bytes -= total - 1;
  if (kept->call != call.instance.calls)
    kept->releaseRetired();
  kept->call = call.instance.calls;
  former->bytes = kept->bytes;
  former->retired = kept->retired;
  kept->retired = former;
  kept->bytes = bytes;
  return true;
}

bool Broadcast::init(const tenon_tensor *const *tensors, int32_t count) {
  operands = count;
  for (int32_t t = 0; t < count; ++t)
    if (tensors[t]->ndim > rank)
      rank = tensors[t]->ndim;
  if (rank > 32)
    return false;
  for (int32_t i = 0; i < rank; ++i)
    shape[i] = 1;
  for (int32_t t = 0; t < count; ++t) {
    int32_t missing = rank - tensors[t]->ndim;
    int64_t step = 1;
    for (int32_t i = rank; i--;) {
      int64_t size = i < missing ? 1 : tensors[t]->shape[i - missing];
      steps[t][i] = size == 1 ? 0 : step;
      step *= size;
      if (size == 1)
        continue;
      if (shape[i] != 1 && shape[i] != size)
        return false;
      shape[i] = size;
    }
  }
  return true;
}

int64_t Broadcast::size() const {
  int64_t total = 1;
  for (int32_t i = 0; i < rank; ++i)
    total *= shape[i];
  return total;
}

int64_t Broadcast::source(int32_t operand, int64_t element) const {
  int64_t index = 0;
  for (int32_t i = rank; i--;) {
    index += element % shape[i] * steps[operand][i];
    element /= shape[i];
  }
  return index;
}

} // namespace tenon
