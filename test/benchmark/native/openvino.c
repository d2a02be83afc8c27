// OpenVINO through its C API: LIBRARY MODEL THREADS f32|bf16 INPUT... --
// RESULT..., files in the model's order.
#include "protocol.h"
#include <dlfcn.h>

typedef void *Handle;
static void *library;
static Handle request;
static int (*infer)(Handle);

#define API(name, ...) ((int (*)(__VA_ARGS__))dlsym(library, #name))
static void check(int status) {
  const char *(*message)(void) =
      (const char *(*)(void))dlsym(library, "ov_get_last_err_msg");
  if (status)
    failed("OpenVINO", message && message() ? message() : "failed");
}

static void call(void *context) {
  (void)context;
  check(infer(request));
}

static float *data(Handle tensor, size_t *count) {
  void *address;
  size_t bytes;
  check(API(ov_tensor_get_byte_size, Handle, size_t *)(tensor, &bytes));
  check(API(ov_tensor_data, Handle, void **)(tensor, &address));
  *count = bytes / 4;
  return (float *)address;
}

int main(int argc, char **argv) {
  if (argc < 5)
    failed(argv[0], "LIBRARY MODEL THREADS f32|bf16 INPUTS -- RESULTS");
  library = dlopen(argv[1], RTLD_NOW);
  if (!library)
    failed("dlopen", dlerror());
  Handle core, model, compiled, tensor;
  check(API(ov_core_create, Handle *)(&core));
  check(API(ov_core_read_model, Handle, const char *, const char *,
            Handle *)(core, argv[2], NULL, &model));
  check(((int (*)(Handle, Handle, const char *, size_t, Handle *, ...))dlsym(
      library, "ov_core_compile_model"))(
      core, model, "CPU", 8, &compiled, "PERFORMANCE_HINT", "LATENCY",
      "INFERENCE_NUM_THREADS", argv[3], "INFERENCE_PRECISION_HINT", argv[4],
      "ENABLE_CPU_PINNING", "NO"));
  check(API(ov_compiled_model_create_infer_request, Handle,
            Handle *)(compiled, &request));
  infer = API(ov_infer_request_infer, Handle);
  int i = 5;
  size_t count;
  for (size_t at = 0; i < argc && strcmp(argv[i], "--"); ++i, ++at) {
    check(API(ov_infer_request_get_input_tensor_by_index, Handle, size_t,
              Handle *)(request, at, &tensor));
    float *to = data(tensor, &count), *from = readFloats(argv[i], count);
    memcpy(to, from, count * 4);
    free(from);
  }
  call(NULL);
  for (size_t at = 0; ++i < argc; ++at) {
    check(API(ov_infer_request_get_output_tensor_by_index, Handle, size_t,
              Handle *)(request, at, &tensor));
    float *from = data(tensor, &count);
    writeFloats(argv[i], from, count);
  }
  serve(call, NULL);
  return 0;
}
