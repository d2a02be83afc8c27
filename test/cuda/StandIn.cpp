// Stands in for NVIDIA's driver where there is no GPU: a libcuda.so.1 that runs
// kernels compiled with `--cuda=host`, on the CPU. What was started runs as
// late as a stream allows, so that code that does not wait for it reads wrong
// numbers. Memory is filled with a pattern. Wrong uses end the process with
// status 99 (and TENON_STANDIN_LOG gets a line for each kernel that is
// started): calls before cuInit or without a context, kernels that are given
// memory that a GPU does not reach, memory that is freed twice or never.
#include "runtime/cuda/Driver.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

using namespace tenon;

namespace {

enum : int { notInitialized = 3, invalidContext = 201, invalidValue = 1 };

[[noreturn, gnu::format(printf, 1, 2)]] void wrong(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("stand-in driver: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  _exit(99);
}

using Kernel = void (*)(const uint64_t *words, int64_t tasks);

struct Function {
  std::string name;
  Kernel kernel;
  int words;
};

struct Stream {
  std::vector<std::function<void()>> queue;
  void run() {
    for (auto &work : queue)
      work();
    queue.clear();
  }
};

struct Module {
  void *library;
  std::map<std::string, Function> functions;
};

struct State {
  bool initialized = false;
  int contexts = 0, streams = 0, modules = 0;
  CuContext current = nullptr;
  std::map<uint64_t, size_t> memory; // by address

  ~State() {
    // Programs that exit keep what they have; those that destroy their
    // instances give everything back.
    if (contexts == 0 && (!memory.empty() || streams || modules))
      wrong("%zu allocations, %d streams, %d modules are left", memory.size(),
            streams, modules);
  }

  bool reaches(uint64_t address) const {
    auto next = memory.upper_bound(address);
    if (next == memory.begin())
      return false;
    auto [start, bytes] = *std::prev(next);
    return address <= start + bytes;
  }
};

State state;

void needContext() {
  if (!state.initialized)
    wrong("a call before cuInit");
  if (!state.current)
    wrong("a call without a context");
}

Stream &streamOf(CuStream stream) {
  needContext();
  if (!stream)
    wrong("the default stream is used");
  return *reinterpret_cast<Stream *>(stream);
}

/// Addresses of this machine's processes; sizes and numbers are none.
bool looksLikeAddress(uint64_t word) {
  return word >= 0x550000000000 && word <= 0x7fffffffffff;
}

} // namespace

extern "C" {

CuResult cuInit(unsigned) {
  state.initialized = true;
  return 0;
}

CuResult cuGetErrorString(CuResult error, const char **text) {
  *text = error ? "an error" : "no error";
  return 0;
}

CuResult cuDeviceGetCount(int *count) {
  *count = 1;
  return state.initialized ? 0 : notInitialized;
}

CuResult cuDeviceGet(CuDevice *device, int ordinal) {
  *device = ordinal;
  return ordinal == 0 ? 0 : invalidValue;
}

CuResult cuDeviceGetAttribute(int *value, int attribute, CuDevice) {
  *value = attribute == CuMultiprocessorCount ? 4 : 1;
  return 0;
}

CuResult cuDeviceGetName(char *name, int room, CuDevice) {
  snprintf(name, size_t(room), "stand-in");
  return 0;
}

CuResult cuDevicePrimaryCtxRetain(CuContext *context, CuDevice) {
  if (!state.initialized)
    return notInitialized;
  ++state.contexts;
  *context = reinterpret_cast<CuContext>(&state);
  return 0;
}

CuResult cuDevicePrimaryCtxRelease_v2(CuDevice) {
  if (state.contexts-- <= 0)
    wrong("a context is released twice");
  if (state.contexts == 0)
    state.current = nullptr;
  return 0;
}

CuResult cuCtxSetCurrent(CuContext context) {
  if (context != reinterpret_cast<CuContext>(&state) || state.contexts == 0)
    return invalidContext;
  state.current = context;
  return 0;
}

CuResult cuModuleLoadData(CuModule *module, const void *image) {
  needContext();
  if (memcmp(image, "\177ELF", 4) != 0)
    return CuNoBinaryForGpu;
  // An object's size is where its table of sections ends.
  const char *bytes = static_cast<const char *>(image);
  uint64_t sections;
  uint16_t each, count;
  memcpy(&sections, bytes + 0x28, 8);
  memcpy(&each, bytes + 0x3a, 2);
  memcpy(&count, bytes + 0x3c, 2);
  size_t size = sections + size_t(each) * count;
  int file = memfd_create("kernels", 0);
  if (file < 0 || write(file, bytes, size) != ssize_t(size))
    wrong("cannot write kernels");
  std::string path = "/proc/self/fd/" + std::to_string(file);
  auto *loaded = new Module{dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL), {}};
  close(file);
  if (!loaded->library)
    wrong("%s", dlerror());
  ++state.modules;
  *module = reinterpret_cast<CuModule>(loaded);
  return 0;
}

CuResult cuModuleUnload(CuModule module) {
  needContext();
  auto *loaded = reinterpret_cast<Module *>(module);
  dlclose(loaded->library);
  delete loaded;
  --state.modules;
  return 0;
}

CuResult cuModuleGetFunction(CuFunction *function, CuModule module,
                             const char *name) {
  needContext();
  auto *loaded = reinterpret_cast<Module *>(module);
  void *kernel = dlsym(loaded->library, name);
  void *words = dlsym(loaded->library, (std::string(name) + "_words").c_str());
  if (!kernel || !words)
    wrong("there is no kernel '%s'", name);
  Function &known = loaded->functions[name];
  known = {name, reinterpret_cast<Kernel>(kernel), *static_cast<int *>(words)};
  *function = reinterpret_cast<CuFunction>(&known);
  return 0;
}

CuResult cuStreamCreate(CuStream *stream, unsigned) {
  needContext();
  ++state.streams;
  *stream = reinterpret_cast<CuStream>(new Stream);
  return 0;
}

CuResult cuStreamDestroy_v2(CuStream stream) {
  streamOf(stream).run();
  delete &streamOf(stream);
  --state.streams;
  return 0;
}

CuResult cuStreamSynchronize(CuStream stream) {
  streamOf(stream).run();
  return 0;
}

CuResult cuMemAllocManaged(CuPointer *memory, size_t bytes, unsigned) {
  needContext();
  void *made = aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!made)
    return 2;
  memset(made, 0xcd, bytes);
  *memory = reinterpret_cast<CuPointer>(made);
  state.memory[*memory] = bytes;
  return 0;
}

CuResult cuMemFree_v2(CuPointer memory) {
  needContext();
  if (!state.memory.erase(memory))
    wrong("memory is freed that is none, or twice");
  free(reinterpret_cast<void *>(memory));
  return 0;
}

CuResult cuMemcpyAsync(CuPointer to, CuPointer from, size_t bytes,
                       CuStream stream) {
  streamOf(stream).run();
  memcpy(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes);
  return 0;
}

CuResult cuPointerGetAttribute(void *value, int, CuPointer pointer) {
  needContext();
  if (!state.reaches(pointer))
    return invalidValue;
  *static_cast<uint32_t *>(value) = 2; // memory of the device
  return 0;
}

CuResult cuLaunchKernel(CuFunction handle, unsigned gridX, unsigned gridY,
                        unsigned gridZ, unsigned blockX, unsigned blockY,
                        unsigned blockZ, unsigned, CuStream stream,
                        void **parameters, void **) {
  Stream &queue = streamOf(stream);
  const Function &function = *reinterpret_cast<Function *>(handle);
  if (!gridX || gridY != 1 || gridZ != 1 || !blockX || blockX > 1024 ||
      blockY != 1 || blockZ != 1)
    wrong("kernel '%s' is started with a wrong grid", function.name.c_str());
  auto *words = static_cast<const uint64_t *>(parameters[0]);
  std::vector<uint64_t> copy(words, words + function.words);
  int64_t tasks = *static_cast<int64_t *>(parameters[1]);
  for (uint64_t word : copy)
    if (looksLikeAddress(word) && !state.reaches(word))
      wrong("kernel '%s' is given memory that a GPU does not reach",
            function.name.c_str());
  if (const char *path = getenv("TENON_STANDIN_LOG"))
    if (FILE *log = fopen(path, "a")) {
      fprintf(log, "%s %lld\n", function.name.c_str(), (long long)tasks);
      fclose(log);
    }
  queue.queue.push_back([kernel = function.kernel, copy = std::move(copy),
                         tasks] { kernel(copy.data(), tasks); });
  return 0;
}

} // extern "C"
