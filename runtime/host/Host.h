// Functions of the runtime that do an operation of the model. Each is
//
//   TENON_HOST(string_length) { ...; return true; }
//
// which makes tenon_host_string_length. It reads inputs and attributes through
// `call`, fills the outputs, and ends with `return call.fail(...)` when it
// cannot. Nothing here outlives the call but what tables and variables hold.
#ifndef TENON_RUNTIME_HOST_HOST_H
#define TENON_RUNTIME_HOST_HOST_H

#include "core/Instance.h"

#include <string.h>

namespace [[gnu::visibility("hidden")]] tenon {

struct HostCall {
  Instance &instance;
  const char *node, *attributes;
  const tenon_tensor *inputs;
  tenon_tensor *outputs;
  int32_t inputCount, outputCount;

  // Records "node 'x': ..." as the failure of this call; returns false.
  __attribute__((format(printf, 2, 3))) bool fail(const char *format, ...);

  // Attributes by name: a flag is there or not; other absent ones are 0 or
  // empty.
  int64_t size(const char *name) const;
  int64_t integer(const char *name, int64_t index = 0) const;
  double real(const char *name, int64_t index = 0) const;
  tenon_string text(const char *name, int64_t index = 0) const;
  bool flag(const char *name) const { return size(name) != 0; }

  // Elements of an input or output.
  template <typename T = char> const T *in(int32_t i) const {
    return static_cast<const T *>(inputs[i].data);
  }
  template <typename T = char> T *out(int32_t i) const {
    return static_cast<T *>(outputs[i].data);
  }
  const tenon_string *strings(int32_t i) const { return in<tenon_string>(i); }
  int64_t count(const tenon_tensor &tensor) const;
  int64_t inSize(int32_t i) const { return count(inputs[i]); }
  int64_t outSize(int32_t i) const { return count(outputs[i]); }

  // Memory that lives as long as the call's results; NULL after a failure.
  char *memory(int64_t bytes);
  template <typename T> T *array(int64_t length) {
    return reinterpret_cast<T *>(length < 0 || length > (int64_t(1) << 48)
                                     ? nullptr
                                     : memory(length * int64_t(sizeof(T))));
  }
  // Memory for output `i`, when the function has to get it; the output's shape
  // is set.
  bool allocate(int32_t i);
  // The same for the sizes of the first `rank` dimensions.
  bool allocate(int32_t i, int64_t size0, int64_t size1 = 0);

private:
  const char *find(const char *name, char &kind, int64_t &count) const;
};

// Bytes that grow, in memory of the call. After a failure nothing is added.
struct Bytes {
  HostCall &call;
  char *data = nullptr;
  int64_t size = 0, capacity = 0;
  bool failed = false;

  explicit Bytes(HostCall &call) : call(call) {}
  // Room for `bytes` more behind `size`; NULL after a failure.
  char *grow(int64_t bytes);
  void add(const void *from, int64_t count) {
    if (count <= 0)
      return;
    if (char *to = grow(count)) {
      memcpy(to, from, size_t(count));
      size += count;
    }
  }
  void add(char c) { add(&c, 1); }
  void add(tenon_string text) { add(text.data, int64_t(text.size)); }
  void add(const char *text) { add(text, int64_t(strlen(text))); }
  __attribute__((format(printf, 2, 3))) void print(const char *format, ...);
};

// The elements of a string output, one after the other.
struct StringWriter : Bytes {
  tenon_string *to;
  int64_t done = 0, start = 0;

  StringWriter(HostCall &call, int32_t output)
      : Bytes(call), to(call.out<tenon_string>(output)) {}
  // What was added since the last end is an element.
  void end() {
    to[done++] = {reinterpret_cast<const char *>(start), size_t(size - start)};
    start = size;
  }
  // After the last one. False after a failure.
  bool finish();
};

// Memory that lasts as long as the instance, for tables and variables.
struct Resource {
  Resource *next;
  void (*destroy)(Resource *);
  char *name;
};

// The resource called `name`, made by `create` when it is not there yet (NULL
// when there is no memory or no `create`).
Resource *findResource(Instance &instance, tenon_string name,
                       Resource *(*create)());

inline bool equal(tenon_string a, tenon_string b) {
  return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}
inline bool equal(tenon_string a, const char *b) {
  return a.size == strlen(b) && !memcmp(a.data, b, a.size);
}

// How many elements tensors have that are broadcast against each other, and
// which element of each stands at a position of the result.
struct Broadcast {
  enum { most = 3 };
  int32_t rank = 0, operands = 0;
  int64_t shape[32];
  int64_t steps[most][32];

  // False when sizes disagree.
  bool init(const tenon_tensor *const *tensors, int32_t count);
  int64_t size() const;
  int64_t source(int32_t operand, int64_t element) const;
};

int32_t runHost(const tenon_host_call *call, bool (*function)(HostCall &));

} // namespace tenon

#define TENON_HOST(name)                                                       \
  static bool tenon_do_##name(HostCall &call);                                 \
  extern "C" [[gnu::visibility("hidden")]] int32_t tenon_host_##name(          \
      const tenon_host_call *raw) {                                            \
    return tenon::runHost(raw, tenon_do_##name);                               \
  }                                                                            \
  static bool tenon_do_##name(HostCall &call)

#endif // TENON_RUNTIME_HOST_HOST_H
