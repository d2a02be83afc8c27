#include "cuda/Driver.h"

#include <dlfcn.h>
#include <string.h>

namespace tenon {

const Driver *Driver::load(Message &message) {
  // Threads that come together write the same words.
  static Driver driver;
  static int32_t loaded;
  if (__atomic_load_n(&loaded, __ATOMIC_ACQUIRE))
    return &driver;
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library) {
    message.fail("there is no NVIDIA driver: %s", dlerror());
    return nullptr;
  }
  Driver found;
  struct {
    const char *symbol;
    void *to;
  } const functions[] = {
#define TENON_CUDA_FUNCTION(name, symbol, parameters) {symbol, &found.name},
      TENON_CUDA_FUNCTIONS(TENON_CUDA_FUNCTION)
#undef TENON_CUDA_FUNCTION
  };
  for (const auto &function : functions) {
    void *address = dlsym(library, function.symbol);
    if (!address) {
      message.fail("the NVIDIA driver is too old: it has no %s",
                   function.symbol);
      return nullptr;
    }
    memcpy(function.to, &address, sizeof address);
  }
  if (CuResult result = found.init(0)) {
    message.fail("the NVIDIA driver does not start: %s",
                 found.describe(result));
    return nullptr;
  }
  driver = found;
  __atomic_store_n(&loaded, 1, __ATOMIC_RELEASE);
  return &driver;
}

const char *Driver::describe(CuResult result) const {
  const char *text = nullptr;
  errorString(result, &text);
  return text ? text : "unknown error";
}

} // namespace tenon
