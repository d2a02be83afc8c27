// ONNX Runtime through its C API: LIBRARY MODEL THREADS NAME:SHAPE:FILE... --
// NAME:SHAPE:FILE..., files of inputs and for results. Shapes are 1x2x3. The
// header is not in its Python package: functions are taken by their place in
// OrtApi, which does not change between versions.
#include "protocol.h"
#include <dlfcn.h>

typedef void *Handle;
typedef struct {
  const void **(*getApi)(uint32_t);
  const char *(*getVersion)(void);
} ApiBase;

enum {
  getErrorMessage = 2,
  createEnv = 3,
  createSession = 7,
  run = 9,
  createSessionOptions = 10,
  setOptimizationLevel = 23,
  setIntraOpThreads = 24,
  setInterOpThreads = 25,
  createTensorWithData = 49,
  createCpuMemoryInfo = 69,
};
enum { optimizeAll = 99, warnings = 2, typeFloat = 1, most = 64 };

static const void **api;
static Handle session;
static const char *names[2][most];
static Handle tensors[2][most];
static int counts[2];

#define API(index, ...) ((Handle (*)(__VA_ARGS__))api[index])
static void check(Handle status) {
  if (status)
    failed("ONNX Runtime",
           ((const char *(*)(Handle))api[getErrorMessage])(status));
}

static void call(void *context) {
  (void)context;
  check(API(run, Handle, Handle, const char *const *, Handle const *, size_t,
            const char *const *, size_t,
            Handle *)(session, NULL, names[0], tensors[0], (size_t)counts[0],
                      names[1], (size_t)counts[1], tensors[1]));
}

int main(int argc, char **argv) {
  if (argc < 4)
    failed(argv[0], "LIBRARY MODEL THREADS INPUTS -- RESULTS");
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library)
    failed("dlopen", dlerror());
  api = ((ApiBase * (*)(void)) dlsym(library, "OrtGetApiBase"))()->getApi(16);
  Handle env, options, memory;
  check(
      API(createEnv, int, const char *, Handle *)(warnings + 1, "race", &env));
  check(API(createSessionOptions, Handle *)(&options));
  check(API(setIntraOpThreads, Handle, int)(options, atoi(argv[3])));
  check(API(setInterOpThreads, Handle, int)(options, 1));
  check(API(setOptimizationLevel, Handle, int)(options, optimizeAll));
  check(API(createSession, Handle, const char *, Handle,
            Handle *)(env, argv[2], options, &session));
  check(API(createCpuMemoryInfo, int, int, Handle *)(1, 0, &memory));
  const char *files[most];
  float *results[most];
  size_t sizes[most];
  int side = 0;
  for (int i = 4; i < argc; ++i) {
    if (!strcmp(argv[i], "--")) {
      side = 1;
      continue;
    }
    int at = counts[side]++;
    names[side][at] = strtok(argv[i], ":");
    char *shape = strtok(NULL, ":"), *path = strtok(NULL, ":");
    int64_t dims[8];
    size_t rank = 0, size = 1;
    for (char *dim = strtok(shape, "x"); dim; dim = strtok(NULL, "x"))
      size *= (size_t)(dims[rank++] = atol(dim));
    float *data = side ? (float *)aligned_alloc(64, (size * 4 + 63) / 64 * 64)
                       : readFloats(path, size);
    if (side) {
      files[at] = path;
      results[at] = data;
      sizes[at] = size;
    }
    check(API(createTensorWithData, Handle, void *, size_t, const int64_t *,
              size_t, int, Handle *)(memory, data, size * 4, dims, rank,
                                     typeFloat, &tensors[side][at]));
  }
  call(NULL);
  for (int i = 0; i < counts[1]; ++i)
    writeFloats(files[i], results[i], sizes[i]);
  serve(call, NULL);
  return 0;
}
