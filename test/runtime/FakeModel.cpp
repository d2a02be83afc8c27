#include "FakeModel.h"
#include "runtime/signature_generated.h"

#include <string>
#include <vector>

// What reads inputs and writes results lives as long as the process, on
// purpose.
extern "C" const char *__asan_default_options();
extern "C" const char *__asan_default_options() {
  return "detect_leaks=0:allocator_may_return_null=1";
}

namespace {

using namespace tenon::signature;

// ---- code ----------------------------------------------------------------

void doubleRows(const uint64_t *args, int64_t begin, int64_t end) {
  const float *x = reinterpret_cast<const float *>(args[0]);
  float *y = reinterpret_cast<float *>(args[1]);
  for (int64_t i = begin * 4; i < end * 4; ++i)
    y[i] = 2 * x[i] + 1;
}

void run(tenon_instance *instance, tenon_kernel_fn kernel, const uint64_t *args,
         int64_t tasks, int32_t id) {
  if (instance->dispatch)
    instance->dispatch(instance, kernel, args, tasks, id);
  else
    kernel(args, 0, tasks);
}

template <typename T> uint64_t word(T *pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

float &total(tenon_instance *instance) {
  return *reinterpret_cast<float *>(instance->state);
}
char &totalFlag(tenon_instance *instance) { return instance->state[16]; }

int32_t initEntry(tenon_instance *instance, const void *const *, void **,
                  int64_t *) {
  total(instance) = 10;
  totalFlag(instance) = 1;
  return 0;
}

int32_t mainEntry(tenon_instance *instance, const void *const *inputs,
                  void **outputs, int64_t *dims) {
  int64_t rows = dims[0];
  if (!outputs[0]) {
    outputs[0] = tenon_reserve(instance, rows * 16);
    if (!outputs[0])
      return instance->status;
  }
  uint64_t args[] = {word(inputs[0]), word(outputs[0])};
  run(instance, doubleRows, args, rows, 0);
  dims[2] = rows;
  dims[3] = 4;
  return instance->status;
}

int32_t addEntry(tenon_instance *instance, const void *const *inputs,
                 void **outputs, int64_t *dims) {
  const float *a = static_cast<const float *>(inputs[0]);
  const float *b = static_cast<const float *>(inputs[1]);
  float scale = *static_cast<const float *>(inputs[2]);
  if (!outputs[0] && !(outputs[0] = tenon_reserve(instance, dims[0] * 4)))
    return instance->status;
  for (int64_t i = 0; i < dims[0]; ++i)
    static_cast<float *>(outputs[0])[i] = a[i] + b[i] * scale;
  dims[2] = dims[0];
  return 0;
}

int32_t stepEntry(tenon_instance *instance, const void *const *inputs,
                  void **outputs, int64_t *) {
  if (!totalFlag(instance))
    return tenon_fail(instance, 1, 0, 0);
  total(instance) += *static_cast<const float *>(inputs[0]);
  if (!outputs[0])
    outputs[0] = instance->arena;
  *static_cast<float *>(outputs[0]) = total(instance);
  return 0;
}

int32_t valueEntry(tenon_instance *instance, const void *const *,
                   void **outputs, int64_t *) {
  if (!totalFlag(instance))
    return tenon_fail(instance, 1, 0, 0);
  if (!outputs[0])
    outputs[0] = instance->arena;
  if (!outputs[1])
    outputs[1] = instance->arena + 64;
  *static_cast<float *>(outputs[0]) = total(instance);
  const float *bias = reinterpret_cast<float *>(instance->state + 8);
  static_cast<float *>(outputs[1])[0] = bias[0];
  static_cast<float *>(outputs[1])[1] = bias[1];
  return 0;
}

int32_t whereEntry(tenon_instance *instance, const void *const *inputs,
                   void **outputs, int64_t *dims) {
  const char *x = static_cast<const char *>(inputs[0]);
  int64_t count = 0;
  for (int64_t i = 0; i < dims[0]; ++i)
    count += x[i];
  int64_t *out =
      static_cast<int64_t *>(tenon_alloc(instance, count * int64_t(8)));
  if (!out)
    return instance->status;
  outputs[0] = out;
  dims[1] = count;
  for (int64_t i = 0; i < dims[0]; ++i)
    if (x[i])
      *out++ = i;
  return 0;
}

int32_t pickEntry(tenon_instance *instance, const void *const *inputs,
                  void **outputs, int64_t *) {
  int32_t index = *static_cast<const int32_t *>(inputs[0]);
  if (index < 0 || index >= 4)
    return tenon_fail(instance, 0, index, 4);
  if (!outputs[0])
    outputs[0] = instance->arena;
  *static_cast<float *>(outputs[0]) =
      reinterpret_cast<const float *>(instance->weights)[index];
  return 0;
}

int32_t textEntry(tenon_instance *instance, const void *const *inputs,
                  void **outputs, int64_t *dims) {
  const tenon_string *s = static_cast<const tenon_string *>(inputs[0]);
  const tenon_string *t = static_cast<const tenon_string *>(inputs[1]);
  if (!outputs[0])
    outputs[0] = tenon_alloc(instance, dims[0] * 16);
  for (int64_t i = 0; i < dims[0]; ++i)
    static_cast<tenon_string *>(outputs[0])[i] = s[i].size ? s[i] : *t;
  dims[1] = dims[0];
  return 0;
}

int32_t halfEntry(tenon_instance *instance, const void *const *inputs,
                  void **outputs, int64_t *dims) {
  const int64_t bytes[] = {2, 2, 8};
  for (int i = 0; i < 3; ++i) {
    if (!outputs[i])
      outputs[i] = tenon_alloc(instance, dims[0] * bytes[i]);
    __builtin_memcpy(outputs[i], inputs[i], size_t(dims[0] * bytes[i]));
    dims[3 + i] = dims[0];
  }
  return 0;
}

int32_t fixedEntry(tenon_instance *instance, const void *const *inputs,
                   void **outputs, int64_t *) {
  if (!outputs[0])
    outputs[0] = instance->arena;
  for (int i = 0; i < 3; ++i)
    static_cast<float *>(outputs[0])[i] =
        static_cast<const float *>(inputs[0])[i] + 1;
  return 0;
}

int32_t growEntry(tenon_instance *instance, const void *const *inputs,
                  void **outputs, int64_t *) {
  int64_t size = *static_cast<const int64_t *>(inputs[0]);
  char *scratch = tenon_reserve(instance, size);
  if (!scratch)
    return instance->status;
  if (!outputs[0])
    outputs[0] = tenon_alloc(instance, 8);
  int64_t sum = 0;
  for (int64_t i = 0; i < size; ++i) {
    scratch[i] = 1;
    sum += scratch[i];
  }
  *static_cast<int64_t *>(outputs[0]) = sum;
  return 0;
}

int32_t callsEntry(tenon_instance *instance, const void *const *,
                   void **outputs, int64_t *) {
  static int32_t calls;
  if (!outputs[0])
    outputs[0] = instance->arena;
  *static_cast<int32_t *>(outputs[0]) = ++calls;
  return 0;
}

int32_t divideEntry(tenon_instance *instance, const void *const *inputs,
                    void **outputs, int64_t *) {
  if (!outputs[0])
    outputs[0] = instance->arena;
  for (int i = 0; i < 3; ++i)
    static_cast<float *>(outputs[0])[i] =
        1 / static_cast<const float *>(inputs[0])[i];
  return 0;
}

const tenon_entry_fn entries[] = {initEntry,  mainEntry,  addEntry,  stepEntry,
                                  valueEntry, whereEntry, pickEntry, textEntry,
                                  halfEntry,  fixedEntry, growEntry, callsEntry,
                                  divideEntry};

const tenon_variant variants[] = {{2, "x86-64-v2", entries},
                                  {3, "x86-64-v3", entries}};

// ---- signature -----------------------------------------------------------

// The symbols by name; in shapes they are -1 - number.
constexpr int64_t N = -1, M = -2;

struct Builder {
  flatbuffers::FlatBufferBuilder fbb;
  using Tensors = std::vector<flatbuffers::Offset<Tensor>>;
  std::vector<flatbuffers::Offset<Entry>> list;

  flatbuffers::Offset<Tensor> tensor(const char *name, int code, int bits,
                                     std::vector<int64_t> shape) {
    return CreateTensorDirect(fbb, name, uint8_t(code), uint8_t(bits), &shape);
  }
  flatbuffers::Offset<Tensor> f32(const char *name,
                                  std::vector<int64_t> shape) {
    return tensor(name, TENON_FLOAT, 32, shape);
  }
  void entry(const char *name, Tensors inputs, Tensors outputs) {
    list.push_back(CreateEntryDirect(fbb, name, &inputs, &outputs));
  }

  Builder() {
    float one = 1;
    const uint8_t *bytes = reinterpret_cast<uint8_t *>(&one);
    std::vector<uint8_t> oneBytes(bytes, bytes + 4);
    std::vector<flatbuffers::Offset<flatbuffers::String>> fallback = {
        fbb.CreateString("dflt")};
    std::vector<int64_t> scalar;
    entry("init", {}, {});
    entry("main", {f32("x", {N, 4})}, {f32("y", {N, 4})});
    entry("add",
          {f32("a", {N}), f32("b", {N}),
           CreateTensorDirect(fbb, "scale", TENON_FLOAT, 32, &scalar, true,
                              &scalar, &oneBytes)},
          {f32("c", {N})});
    entry("step", {f32("x", {})}, {f32("total", {})});
    entry("value", {}, {f32("total", {}), f32("bias", {2})});
    entry("where", {tensor("x", TENON_BOOL, 8, {N})},
          {tensor("index", TENON_INT, 64, {M})});
    entry("pick", {tensor("index", TENON_INT, 32, {})}, {f32("y", {})});
    entry("text",
          {tensor("s", TENON_STRING, 128, {N}),
           CreateTensorDirect(fbb, "t", TENON_STRING, 128, &scalar, true,
                              &scalar, nullptr, &fallback)},
          {tensor("u", TENON_STRING, 128, {N})});
    entry(
        "half",
        {tensor("h", TENON_FLOAT, 16, {N}), tensor("b", TENON_BFLOAT, 16, {N}),
         tensor("c", TENON_COMPLEX, 64, {N})},
        {tensor("H", TENON_FLOAT, 16, {N}), tensor("B", TENON_BFLOAT, 16, {N}),
         tensor("C", TENON_COMPLEX, 64, {N})});
    entry("fixed", {f32("x", {3})}, {f32("y", {3})});
    entry("grow", {tensor("n", TENON_INT, 64, {})},
          {tensor("sum", TENON_INT, 64, {})});
    entry("calls", {}, {tensor("n", TENON_INT, 32, {})});
    entry("divide", {f32("x", {3})}, {f32("y", {3})});

    auto strings = [&](std::vector<const char *> texts) {
      std::vector<flatbuffers::Offset<flatbuffers::String>> offsets;
      for (const char *text : texts)
        offsets.push_back(fbb.CreateString(text));
      return fbb.CreateVector(offsets);
    };
    std::vector<int64_t> two = {2};
    std::vector<flatbuffers::Offset<Variable>> variables = {
        CreateVariableDirect(fbb, "total", TENON_FLOAT, 32, &scalar, 0, 4, 16,
                             -1),
        CreateVariableDirect(fbb, "bias", TENON_FLOAT, 32, &two, 8, 8, 17, 0)};
    auto name = fbb.CreateString("fake");
    auto entryList = fbb.CreateVector(list);
    auto variableList = fbb.CreateVector(variables);
    auto symbols = strings({"batch", ""});
    auto failures =
        strings({"node 'pick/gather': index %a is outside [0, %b), 100%% sure",
                 "node 'read': variable 'total' is uninitialized"});
    auto kernels = strings({"dense/double"});
    fbb.Finish(CreateModel(fbb, name, entryList, variableList, symbols,
                           failures, kernels, 256, 16, 18, 4096),
               "TNN1");
  }
};

const Builder &builder() {
  static Builder built;
  return built;
}

alignas(64) const float weights[4] = {0.5f, 1.5f, 2.5f, 3.5f};
const char *const weightsPointer = reinterpret_cast<const char *>(weights);

tenon_model makeModel() {
  tenon_model model = {};
  model.abi_version = TENON_ABI_VERSION;
  model.variant_count = 2;
  model.name = "fake";
  model.signature = fakeSignature(&model.signature_bytes);
  model.weights = &weightsPointer;
  model.weights_bytes = sizeof weights;
  model.variants = variants;
  model.cpu_features = tenon_cpu_features;
  model.views = &tenon_views;
  model.thread_functions = &tenon_threads;
  model.strings = &tenon_strings;
  model.checkpoints = &tenon_checkpoints;
  return model;
}

} // namespace

const void *fakeSignature(size_t *bytes) {
  *bytes = builder().fbb.GetSize();
  return builder().fbb.GetBufferPointer();
}

extern "C" const tenon_model tenon_main_model = makeModel();
