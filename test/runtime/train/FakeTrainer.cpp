// A training model written by hand in place of one compiled with --train, for
// tests of the training program alone: linear regression by gradient descent,
// y = x w + b, whose steps add noise from a generator's state to x.
//
//   predict(x: f32[Nx3] or f32[Nx4x5x3]) -> y: f32[Nx1]
//   train_step, evaluate(x, y: f32[Nx1], sample_weight: f32[N]) -> loss
//   metrics() -> loss, mae; reset_metrics(); finalize()
#include "runtime/signature_generated.h"
#include "tenon/abi.h"

#include <cmath>
#include <string>
#include <vector>

extern "C" const char *__asan_default_options();
extern "C" const char *__asan_default_options() {
  return "detect_leaks=0:allocator_may_return_null=1";
}

namespace {

using namespace tenon::signature;

// Variants: of images, of a fixed batch, with something to do at the end.
#ifdef FAKE_IMAGES
constexpr int features = 4 * 5 * 3;
const std::vector<int64_t> rowShape = {4, 5, 3};
#else
constexpr int features = 3;
const std::vector<int64_t> rowShape = {3};
#endif
#ifdef FAKE_BATCH
constexpr int64_t N = FAKE_BATCH;
#else
constexpr int64_t N = -1;
#endif

struct State {
  int64_t iteration;
  float weights[features], bias;
  float rate;
  uint32_t seed[2];
  float lossTotal, errorTotal, count;
  char flags[8]; // of all, each 1
};

State &stateOf(tenon_instance *instance) {
  return *reinterpret_cast<State *>(instance->state);
}

uint32_t draw(State &state) {
  uint64_t value =
      (uint64_t(state.seed[0]) << 32 | state.seed[1]) * 6364136223846793005 +
      1442695040888963407;
  state.seed[0] = uint32_t(value >> 32);
  state.seed[1] = uint32_t(value);
  return state.seed[0];
}

float predictRow(const State &state, const float *x, float noise) {
  float sum = state.bias + noise * state.weights[0];
  for (int k = 0; k < features; ++k)
    sum += x[k] * state.weights[k];
  return sum;
}

int32_t step(tenon_instance *instance, const void *const *inputs,
             void **outputs, const int64_t *dims, bool trains) {
  State &state = stateOf(instance);
  auto *x = static_cast<const float *>(inputs[0]);
  auto *y = static_cast<const float *>(inputs[1]);
  auto *weights = static_cast<const float *>(inputs[2]);
  int64_t rows = dims[0];
  float loss = 0, gradient[features + 1] = {};
  for (int64_t i = 0; i < rows; ++i, x += features) {
    float noise = trains ? float(draw(state) >> 8) * 0x1p-24f * 1e-3f : 0;
    float difference = predictRow(state, x, noise) - y[i];
    loss += weights[i] * difference * difference;
    state.errorTotal += weights[i] * std::fabs(difference);
    for (int k = 0; k < features; ++k)
      gradient[k] += 2 * weights[i] * difference * (x[k] + (k ? 0 : noise));
    gradient[features] += 2 * weights[i] * difference;
  }
  state.lossTotal += loss;
  state.count += float(rows);
  for (int k = 0; trains && k < features; ++k)
    state.weights[k] -= state.rate * gradient[k] / float(rows);
  if (trains) {
    state.bias -= state.rate * gradient[features] / float(rows);
    ++state.iteration;
  }
  if (!outputs[0])
    outputs[0] = instance->arena;
  *static_cast<float *>(outputs[0]) = loss / float(rows);
  return 0;
}

int32_t trainEntry(tenon_instance *instance, const void *const *inputs,
                   void **outputs, int64_t *dims) {
  return step(instance, inputs, outputs, dims, true);
}

int32_t testEntry(tenon_instance *instance, const void *const *inputs,
                  void **outputs, int64_t *dims) {
  return step(instance, inputs, outputs, dims, false);
}

int32_t predictEntry(tenon_instance *instance, const void *const *inputs,
                     void **outputs, int64_t *dims) {
  auto *x = static_cast<const float *>(inputs[0]);
  if (!outputs[0] && !(outputs[0] = tenon_reserve(instance, dims[0] * 4)))
    return instance->status;
  for (int64_t i = 0; i < dims[0]; ++i)
    static_cast<float *>(outputs[0])[i] =
        predictRow(stateOf(instance), x + features * i, 0);
  dims[rowShape.size() + 1] = dims[0];
  dims[rowShape.size() + 2] = 1;
  return 0;
}

int32_t metricsEntry(tenon_instance *instance, const void *const *,
                     void **outputs, int64_t *) {
  State &state = stateOf(instance);
  for (int i = 0; i < 2; ++i)
    if (!outputs[i])
      outputs[i] = instance->arena + 64 * i;
  *static_cast<float *>(outputs[0]) = state.errorTotal / state.count;
  *static_cast<float *>(outputs[1]) = state.lossTotal / state.count;
  return 0;
}

int32_t resetEntry(tenon_instance *instance, const void *const *, void **,
                   int64_t *) {
  State &state = stateOf(instance);
  state.lossTotal = state.errorTotal = state.count = 0;
  return 0;
}

[[maybe_unused]] int32_t finalizeEntry(tenon_instance *instance,
                                       const void *const *, void **,
                                       int64_t *) {
  stateOf(instance).bias += 1000;
  return 0;
}

const tenon_entry_fn entries[] = {predictEntry, trainEntry, testEntry,
                                  metricsEntry, resetEntry,
#ifdef FAKE_FINALIZES
                                  finalizeEntry
#endif
};
const tenon_variant variants[] = {{2, "x86-64-v2", entries}};

struct Builder {
  flatbuffers::FlatBufferBuilder fbb;
  using Tensors = std::vector<flatbuffers::Offset<Tensor>>;
  std::vector<flatbuffers::Offset<Entry>> list;
  std::vector<flatbuffers::Offset<Variable>> variables;

  flatbuffers::Offset<Tensor> f32(const char *name,
                                  std::vector<int64_t> shape) {
    return CreateTensorDirect(fbb, name, TENON_FLOAT, 32, &shape);
  }
  void entry(const char *name, Tensors inputs, Tensors outputs) {
    list.push_back(CreateEntryDirect(fbb, name, &inputs, &outputs));
  }
  void variable(const char *name, int code, int bits,
                std::vector<int64_t> shape, size_t offset, size_t bytes) {
    variables.push_back(CreateVariableDirect(
        fbb, name, uint8_t(code), uint8_t(bits), &shape, offset, bytes,
        offsetof(State, flags) + variables.size() % 8, int64_t(offset)));
  }

  Builder() {
    std::vector<int64_t> shape = {N};
    shape.insert(shape.end(), rowShape.begin(), rowShape.end());
    entry("predict", {f32("x", shape)}, {f32("y", {N, 1})});
    for (const char *name : {"train_step", "evaluate"})
      entry(name,
            {f32("x", shape), f32("y", {N, 1}), f32("sample_weight", {N})},
            {f32("loss", {})});
    entry("metrics", {}, {f32("mae", {}), f32("loss", {})});
    entry("reset_metrics", {}, {});
#ifdef FAKE_FINALIZES
    entry("finalize", {}, {});
#endif
    variable("dense/kernel", TENON_FLOAT, 32, {features, 1},
             offsetof(State, weights), 4 * features);
    variable("dense/bias", TENON_FLOAT, 32, {1}, offsetof(State, bias), 4);
    variable("optimizer/iteration", TENON_INT, 64, {},
             offsetof(State, iteration), 8);
    variable("optimizer/learning_rate", TENON_FLOAT, 32, {},
             offsetof(State, rate), 4);
    variable("noise/seed_generator_state", TENON_UINT, 32, {2},
             offsetof(State, seed), 8);
    variable("metrics/loss/total", TENON_FLOAT, 32, {},
             offsetof(State, lossTotal), 4);
    variable("metrics/mae/total", TENON_FLOAT, 32, {},
             offsetof(State, errorTotal), 4);
    variable("metrics/count", TENON_FLOAT, 32, {}, offsetof(State, count), 4);
    auto name = fbb.CreateString("fake");
    auto entryList = fbb.CreateVector(list);
    auto variableList = fbb.CreateVector(variables);
    auto symbols = fbb.CreateVectorOfStrings({"batch"});
    auto none = fbb.CreateVectorOfStrings({});
    fbb.Finish(CreateModel(fbb, name, entryList, variableList, symbols, none,
                           none, 256, sizeof(State), sizeof(State), 64),
               "TNN1");
  }
};

const Builder &builder() {
  static Builder built;
  return built;
}

const State firstState = {0, {0, 0, 0}, 0, 0.05f, {1, 2}, 0, 0, 0, {}};
const char *const weightsPointer = reinterpret_cast<const char *>(&firstState);

tenon_model makeModel() {
  tenon_model model = {};
  model.abi_version = TENON_ABI_VERSION;
  model.variant_count = 1;
  model.name = "fake";
  model.signature = builder().fbb.GetBufferPointer();
  model.signature_bytes = builder().fbb.GetSize();
  model.weights = &weightsPointer;
  model.weights_bytes = sizeof firstState;
  model.variants = variants;
  model.thread_functions = &tenon_threads;
  model.strings = &tenon_strings;
  model.checkpoints = &tenon_checkpoints;
  model.training = &tenon_training;
  return model;
}

} // namespace

extern "C" const tenon_model tenon_main_model = makeModel();
