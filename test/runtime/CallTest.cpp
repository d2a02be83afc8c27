// Instances and checked calls, through the public interface alone.
#include "FakeModel.h"
#include "tenon/runtime.h"
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string>
#include <vector>

namespace {

// A tensor with its own shape and data.
template <typename T> struct Owned {
  std::vector<int64_t> shape;
  std::vector<T> data;
  tenon_tensor tensor;
  Owned(uint8_t code, std::vector<int64_t> shape, std::vector<T> data)
      : shape(shape), data(data) {
    tensor = {this->data.data(),
              {TENON_CPU, 0},
              int32_t(shape.size()),
              {code, sizeof(T) * 8, 1},
              this->shape.data(),
              nullptr,
              0};
  }
  operator const tenon_tensor *() const { return &tensor; }
  operator tenon_tensor *() { return &tensor; }
};
struct F32 : Owned<float> {
  F32(std::vector<int64_t> shape, std::vector<float> data)
      : Owned(TENON_FLOAT, shape, data) {}
};

struct CallTest : testing::Test {
  tenon_instance *instance = nullptr;
  void SetUp() override {
    tenon_options options = {};
    options.struct_size = sizeof options;
    options.threads = 1;
    instance = tenon_create(&tenon_main_model, &options);
    ASSERT_TRUE(instance) << tenon_error(nullptr);
  }
  void TearDown() override { tenon_destroy(instance); }

  int32_t call(int32_t entry, std::vector<const tenon_tensor *> inputs,
               std::vector<tenon_tensor *> outputs) {
    return tenon_call(instance, entry, inputs.data(), outputs.data());
  }
  void expectError(int32_t status, const char *text) {
    EXPECT_NE(status, TENON_OK);
    EXPECT_STREQ(tenon_error(instance), text);
  }
};

TEST_F(CallTest, NamesEntries) {
  EXPECT_EQ(tenon_entry_count(instance), FakeEntryCount);
  EXPECT_STREQ(tenon_entry_name(instance, FakeMain), "main");
  EXPECT_EQ(tenon_entry_name(instance, -1), nullptr);
  EXPECT_EQ(tenon_entry_name(instance, FakeEntryCount), nullptr);
  EXPECT_EQ(tenon_entry_index(instance, "pick"), FakePick);
  EXPECT_EQ(tenon_entry_index(instance, "nope"), -1);
  size_t bytes = 0, expected;
  EXPECT_EQ(tenon_signature(instance, &bytes), fakeSignature(&expected));
  EXPECT_EQ(bytes, expected);
}

TEST_F(CallTest, FillsMemoryOfTheCaller) {
  F32 x({2, 4}, {0, 1, 2, 3, 4, 5, 6, 7}), y({2, 4}, std::vector<float>(8));
  ASSERT_EQ(call(FakeMain, {x}, {y}), TENON_OK) << tenon_error(instance);
  EXPECT_EQ(y.data, (std::vector<float>{1, 3, 5, 7, 9, 11, 13, 15}));
}

TEST_F(CallTest, LendsMemoryOfTheInstance) {
  F32 x({1, 4}, {0, 1, 2, 3});
  tenon_tensor y = {};
  ASSERT_EQ(call(FakeMain, {x}, {&y}), TENON_OK);
  ASSERT_EQ(y.ndim, 2);
  EXPECT_EQ(y.shape[0], 1);
  EXPECT_EQ(y.shape[1], 4);
  EXPECT_EQ(y.dtype.bits, 32);
  EXPECT_EQ(static_cast<float *>(y.data)[3], 7);
}

TEST_F(CallTest, AcceptsNoRows) {
  F32 x({0, 4}, {});
  x.tensor.data = nullptr;
  tenon_tensor y = {};
  ASSERT_EQ(call(FakeMain, {x}, {&y}), TENON_OK) << tenon_error(instance);
  EXPECT_EQ(y.shape[0], 0);
}

TEST_F(CallTest, CopiesViews) {
  // Two rows in column-major order, from the second element on.
  F32 x({2, 4}, {-1, 0, 4, 1, 5, 2, 6, 3, 7}), y({2, 4}, std::vector<float>(8));
  int64_t strides[] = {1, 2};
  x.tensor.strides = strides;
  x.tensor.byte_offset = 4;
  ASSERT_EQ(call(FakeMain, {x}, {y}), TENON_OK) << tenon_error(instance);
  EXPECT_EQ(y.data, (std::vector<float>{1, 3, 5, 7, 9, 11, 13, 15}));
  // Backwards, and data that is not aligned to its elements.
  alignas(4) char bytes[17];
  float values[] = {3, 2, 1, 0};
  memcpy(bytes + 1, values, 16);
  int64_t backwards[] = {4, -1};
  tenon_tensor view = {bytes,          {},        2, {TENON_FLOAT, 32, 1},
                       x.shape.data(), backwards, 13};
  x.shape[0] = 1;
  F32 z({1, 4}, std::vector<float>(4));
  ASSERT_EQ(call(FakeMain, {&view}, {z}), TENON_OK) << tenon_error(instance);
  EXPECT_EQ(z.data, (std::vector<float>{1, 3, 5, 7}));
}

TEST_F(CallTest, RefusesOtherTypes) {
  Owned<double> x(TENON_FLOAT, {1, 4}, std::vector<double>(4));
  tenon_tensor y = {};
  expectError(call(FakeMain, {x}, {&y}), "entry 'main', input 'x': expected "
                                         "float32[?x4], got float64[1x4]");
  F32 rank({4}, std::vector<float>(4));
  expectError(call(FakeMain, {rank}, {&y}), "entry 'main', input 'x': expected "
                                            "float32[?x4], got float32[4]");
  F32 size({1, 3}, std::vector<float>(4));
  expectError(call(FakeMain, {size}, {&y}), "entry 'main', input 'x': expected "
                                            "float32[?x4], got float32[1x3]");
  F32 negative({-1, 4}, std::vector<float>(4));
  expectError(call(FakeMain, {negative}, {&y}),
              "entry 'main', input 'x': a size is negative");
  F32 gone({1, 4}, {});
  gone.tensor.data = nullptr;
  expectError(call(FakeMain, {gone}, {&y}),
              "entry 'main', input 'x': data is NULL");
  gone.tensor.shape = nullptr;
  expectError(call(FakeMain, {gone}, {&y}),
              "entry 'main', input 'x': shape is NULL");
  F32 large({int64_t(1) << 61, 4}, std::vector<float>(4));
  expectError(call(FakeMain, {large}, {&y}),
              "entry 'main', input 'x': its sizes are too large");
  F32 elsewhere({1, 4}, std::vector<float>(4));
  elsewhere.tensor.device = {TENON_CUDA, 0};
  expectError(call(FakeMain, {elsewhere}, {&y}),
              "entry 'main', input 'x': the tensor is not in the CPU's memory");
  expectError(call(FakeMain, {nullptr}, {&y}),
              "entry 'main', input 'x': expected float32[?x4], got nothing");
  expectError(call(99, {}, {}),
              "there is no entry number 99, the model has 13");
}

TEST_F(CallTest, RefusesWrongOutputs) {
  F32 x({1, 4}, std::vector<float>(4)), y({2, 4}, std::vector<float>(8));
  expectError(call(FakeMain, {x}, {y}), "entry 'main', output 'y': expected "
                                        "float32[1x4], got float32[2x4]");
  expectError(call(FakeMain, {x}, {nullptr}),
              "entry 'main', output 'y': the tensor is NULL");
  F32 z({1, 4}, std::vector<float>(4));
  int64_t strides[] = {1, 2};
  z.tensor.strides = strides;
  expectError(call(FakeMain, {x}, {z}),
              "entry 'main', output 'y': only row-major strides are "
              "supported");
}

TEST_F(CallTest, ChecksEqualSymbols) {
  F32 a({2}, {1, 2}), b({3}, {1, 2, 3});
  tenon_tensor c = {};
  expectError(call(FakeAdd, {a, b, nullptr}, {&c}),
              "entry 'add', input 'b': dimension 0 is 3, but must be 2 (batch "
              "as in input 'a')");
}

TEST_F(CallTest, TakesDefaults) {
  F32 a({2}, {1, 2}), b({2}, {10, 20}), scale({}, {2});
  tenon_tensor c = {};
  ASSERT_EQ(call(FakeAdd, {a, b, nullptr}, {&c}), TENON_OK);
  EXPECT_EQ(static_cast<float *>(c.data)[1], 22);
  ASSERT_EQ(call(FakeAdd, {a, b, scale}, {&c}), TENON_OK);
  EXPECT_EQ(static_cast<float *>(c.data)[1], 42);
}

TEST_F(CallTest, CopiesResultsOfUnknownSize) {
  Owned<uint8_t> x(TENON_BOOL, {4}, {1, 0, 1, 0});
  x.tensor.dtype.bits = 8;
  Owned<int64_t> index(TENON_INT, {3}, {7, 7, 7});
  ASSERT_EQ(call(FakeWhere, {x}, {index}), TENON_OK) << tenon_error(instance);
  EXPECT_EQ(index.data, (std::vector<int64_t>{0, 2, 7}));
  EXPECT_EQ(index.shape[0], 2);
  Owned<int64_t> small(TENON_INT, {1}, {7});
  expectError(call(FakeWhere, {x}, {small}),
              "entry 'where', output 'index': expected int64[2], got int64[1]");
  EXPECT_EQ(small.data[0], 7);
}

TEST_F(CallTest, KeepsState) {
  tenon_tensor total = {}, bias = {};
  expectError(call(FakeValue, {}, {&total, &bias}),
              "node 'read': variable 'total' is uninitialized");
  ASSERT_EQ(call(FakeInit, {}, {}), TENON_OK);
  F32 x({}, {2.5});
  ASSERT_EQ(call(FakeStep, {x}, {&total}), TENON_OK);
  tenon_tensor value = {};
  ASSERT_EQ(call(FakeValue, {}, {&value, &bias}), TENON_OK);
  EXPECT_EQ(*static_cast<float *>(value.data), 12.5);
  // The first value of `bias` stands in the weights.
  EXPECT_EQ(static_cast<float *>(bias.data)[1], 1.5);
}

TEST_F(CallTest, KeepsTheFirstFailure) {
  Owned<int32_t> index(TENON_INT, {}, {-5});
  F32 y({}, {0});
  int32_t status = call(FakePick, {index}, {y});
  EXPECT_EQ(status, TENON_FAILED);
  expectError(status,
              "node 'pick/gather': index -5 is outside [0, 4), 100% sure");
  tenon_fail(instance, 1, 0, 0);
  EXPECT_STREQ(tenon_error(instance),
               "node 'pick/gather': index -5 is outside [0, 4), 100% sure");
  index.data[0] = 2;
  EXPECT_EQ(call(FakePick, {index}, {y}), TENON_OK);
  EXPECT_EQ(y.data[0], 2.5);
}

TEST_F(CallTest, PassesStrings) {
  tenon_string texts[] = {{"a\0b", 3}, {nullptr, 0}};
  int64_t shape[] = {2};
  tenon_tensor s = {texts, {}, 1, {TENON_STRING, 128, 1}, shape, nullptr, 0};
  tenon_tensor u = {};
  ASSERT_EQ(call(FakeText, {&s, nullptr}, {&u}), TENON_OK)
      << tenon_error(instance);
  tenon_string *out = static_cast<tenon_string *>(u.data);
  EXPECT_EQ(std::string(out[0].data, out[0].size), std::string("a\0b", 3));
  EXPECT_EQ(std::string(out[1].data, out[1].size), "dflt");
}

TEST_F(CallTest, ReusesMemoryOfDynamicResults) {
  std::vector<void *> blocks;
  for (int64_t bytes : {0, 1, 64, 65, 1000, 100000, 3000000}) {
    char *memory = static_cast<char *>(tenon_alloc(instance, bytes));
    ASSERT_TRUE(memory);
    EXPECT_EQ(reinterpret_cast<uint64_t>(memory) % 64, 0u);
    memset(memory, 1, size_t(bytes));
    blocks.push_back(memory);
  }
  tenon_free(instance, blocks[3]);
  EXPECT_EQ(tenon_alloc(instance, 80), blocks[3]);
  tenon_free(instance, nullptr);
  // A call takes everything back, and the next one gets it again.
  ASSERT_EQ(call(FakeInit, {}, {}), TENON_OK);
  EXPECT_EQ(tenon_alloc(instance, 2900000), blocks[6]);
  EXPECT_EQ(tenon_alloc(instance, -1), nullptr);
}

TEST_F(CallTest, GrowsTheArenaAndSurvivesFailure) {
  char *first = tenon_reserve(instance, 1000);
  ASSERT_TRUE(first);
  EXPECT_EQ(tenon_reserve(instance, 10), first);
  EXPECT_EQ(tenon_reserve(instance, int64_t(1) << 60), nullptr);
  EXPECT_EQ(instance->arena, first);
  EXPECT_EQ(tenon_reserve(instance, -1), nullptr);
  char *large = tenon_reserve(instance, 10000000);
  ASSERT_TRUE(large);
  memset(large, 1, 10000000);
}

TEST_F(CallTest, InvokesWithoutChecks) {
  float x[] = {1, 2, 3}, y[3];
  const void *inputs[] = {x};
  void *outputs[] = {y};
  EXPECT_EQ(tenon_invoke(instance, FakeFixed, inputs, outputs, nullptr), 0);
  EXPECT_EQ(y[2], 4);
}

TEST(CreateTest, UsesTheAllocatorAndTheCallback) {
  static int64_t held;
  static std::string error;
  tenon_options options = {};
  options.struct_size = sizeof options;
  options.threads = 1;
  options.allocate = [](void *, size_t bytes, size_t alignment) -> void * {
    if (bytes > 1000000)
      return nullptr;
    held += int64_t(bytes);
    void *memory = aligned_alloc(alignment, bytes);
    memset(memory, 0xff, bytes);
    return memory;
  };
  options.release = [](void *, void *memory, size_t bytes) {
    held -= int64_t(bytes);
    free(memory);
  };
  options.on_error = [](void *, const char *text) { error = text; };
  tenon_instance *instance = tenon_create(&tenon_main_model, &options);
  ASSERT_TRUE(instance);
  EXPECT_GT(held, 0);
  EXPECT_EQ(instance->zeros[4095], 0);
  EXPECT_EQ(instance->state[16], 0);
  int64_t size = 2000000;
  const void *inputs[] = {&size};
  void *outputs[] = {nullptr};
  EXPECT_EQ(tenon_invoke(instance, FakeGrow, inputs, outputs, nullptr),
            TENON_NO_MEMORY);
  EXPECT_EQ(error, "no memory for the call's scratch memory (2000000 bytes)");
  tenon_destroy(instance);
  EXPECT_EQ(held, 0);
  tenon_destroy(nullptr);
}

TEST(CreateTest, SaysWhyNot) {
  tenon_options options = {};
  options.struct_size = sizeof options;
  options.device = "cuda:0";
  EXPECT_EQ(tenon_create(&tenon_main_model, &options), nullptr);
  EXPECT_STREQ(tenon_error(nullptr),
               "device 'cuda:0': this program has code for the CPU only");
  tenon_model model = tenon_main_model;
  model.abi_version = 77;
  EXPECT_EQ(tenon_create(&model, nullptr), nullptr);
  EXPECT_EQ(std::string(tenon_error(nullptr)),
            "compiled for version 77 of the runtime, this is " +
                std::to_string(TENON_ABI_VERSION));
  tenon_variant future = {200, "x86-64-v200",
                          tenon_main_model.variants[0].entries};
  model = tenon_main_model;
  model.variants = &future;
  model.variant_count = 1;
  EXPECT_EQ(tenon_create(&model, nullptr), nullptr);
  EXPECT_NE(strstr(tenon_error(nullptr), "x86-64-v200"), nullptr);
  EXPECT_EQ(tenon_select(&model), nullptr);
  model = tenon_main_model;
  model.weights = nullptr;
  EXPECT_EQ(tenon_create(&model, nullptr), nullptr);
  EXPECT_STREQ(tenon_error(nullptr), "the model has no weights");
  model.map_weights = tenon_map_weights;
  model.weights_file = "missing.weights";
  EXPECT_EQ(tenon_create(&model, nullptr), nullptr);
  EXPECT_STREQ(tenon_error(nullptr),
               "weights file 'missing.weights': No such file or directory");
}

TEST(CreateTest, PicksTheBestVariant) {
  tenon_entry_fn low[1] = {}, high[1] = {};
  tenon_variant variants[] = {{2, "v2", low}, {0, "any", high}};
  tenon_model model = tenon_main_model;
  model.variants = variants;
  EXPECT_EQ(tenon_select(&model), low);
}

TEST(CreateTest, MapsExternalWeights) {
  std::string path = testing::TempDir() + "tenon_weights_test";
  std::string bytes(4096 + 16, 0);
  uint64_t size = 16;
  memcpy(&bytes[0], "TNNWGT1", 8);
  memcpy(&bytes[8], &size, 8);
  float values[] = {7, 8, 9, 10};
  memcpy(&bytes[4096], values, 16);
  auto write = [&](const std::string &content) {
    FILE *file = fopen(path.c_str(), "wb");
    fwrite(content.data(), 1, content.size(), file);
    fclose(file);
  };
  tenon_model model = tenon_main_model;
  model.weights = nullptr;
  model.map_weights = tenon_map_weights;
  tenon_options options = {};
  options.struct_size = sizeof options;
  options.weights_path = path.c_str();
  write(bytes);
  tenon_instance *instance = tenon_create(&model, &options);
  ASSERT_TRUE(instance) << tenon_error(nullptr);
  EXPECT_EQ(reinterpret_cast<const float *>(instance->weights)[3], 10);
  tenon_destroy(instance);
  for (std::string bad : {bytes.substr(0, 4100), bytes + "x",
                          std::string(4112, 0), std::string()}) {
    write(bad);
    EXPECT_EQ(tenon_create(&model, &options), nullptr);
    EXPECT_NE(strstr(tenon_error(nullptr), "16 bytes of weights"), nullptr);
  }
  remove(path.c_str());
}

} // namespace
