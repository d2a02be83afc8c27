// Checkpoints and tensors, whole and damaged.
#include "frontend/tensorflow/CheckpointReader.h"
#include "frontend/tensorflow/GraphReader.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace tenon::tf;
using tenon::tfproto::TensorProto;

namespace {
std::string fixture(const std::string &name) {
  return std::string(TENON_FIXTURES) + "/" + name;
}

std::string problem(llvm::Error error) {
  return llvm::toString(std::move(error));
}

TEST(Checkpoint, CrcOfKnownTexts) {
  std::string digits = "123456789";
  EXPECT_EQ(crc32c({digits.data(), digits.size()}), 0xe3069283u);
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(maskCrc(0), 0xa282ead8u);
}

TEST(Checkpoint, ReadsTensors) {
  auto checkpoint = Checkpoint::open(fixture("saved_tf2/variables/variables"));
  ASSERT_TRUE(bool(checkpoint)) << problem(checkpoint.takeError());
  auto tensor = (*checkpoint)->read("w/.ATTRIBUTES/VARIABLE_VALUE");
  ASSERT_TRUE(bool(tensor)) << problem(tensor.takeError());
  EXPECT_EQ(tensor->shape, (std::vector<int64_t>{3, 2}));
  float values[6];
  ASSERT_EQ(tensor->bytes.size(), sizeof(values));
  std::memcpy(values, tensor->bytes.data(), sizeof(values));
  EXPECT_EQ(values[5], 5.0f);
  auto objects = (*checkpoint)->read("_CHECKPOINTABLE_OBJECT_GRAPH");
  ASSERT_TRUE(bool(objects)) << problem(objects.takeError());
  EXPECT_EQ(objects->strings.size(), 1u);
}

TEST(Checkpoint, MissingTensor) {
  auto checkpoint = Checkpoint::open(fixture("saved_tf1/variables/variables"));
  ASSERT_TRUE(bool(checkpoint)) << problem(checkpoint.takeError());
  auto tensor = (*checkpoint)->read("nothing");
  ASSERT_FALSE(bool(tensor));
  EXPECT_NE(problem(tensor.takeError()).find("has no tensor 'nothing'"),
            std::string::npos);
}

/// Every prefix and every changed byte of an index gives an error or a table,
/// never anything else.
TEST(Checkpoint, DamagedTables) {
  auto file = tenon::mapFile(fixture("saved_tf2/variables/variables.index"));
  ASSERT_TRUE(bool(file));
  std::string whole = (*file)->getBuffer().str();
  for (size_t size = 0; size < whole.size(); ++size) {
    auto table = readTable({whole.data(), size});
    EXPECT_FALSE(bool(table));
    llvm::consumeError(table.takeError());
  }
  for (size_t i = 0; i < whole.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = whole;
      changed[i] ^= 1 << bit;
      auto table = readTable({changed.data(), changed.size()});
      if (!table)
        llvm::consumeError(table.takeError());
    }
}

TensorProto floats(std::vector<int64_t> shape, std::vector<float> values) {
  TensorProto proto;
  proto.set_dtype(DataType::DT_FLOAT);
  for (int64_t size : shape)
    proto.mutable_tensor_shape()->add_dim()->set_size(size);
  for (float value : values)
    proto.add_float_val(value);
  return proto;
}

TEST(Tensor, ShortListsRepeatTheirEnd) {
  auto tensor = readTensor(floats({2, 2}, {1, 2}), nullptr);
  ASSERT_TRUE(bool(tensor));
  float values[4];
  std::memcpy(values, tensor->bytes.data(), sizeof(values));
  EXPECT_EQ(values[1], 2.0f);
  EXPECT_EQ(values[3], 2.0f);
}

TEST(Tensor, OneValueStandsForMany) {
  // So that a few bytes cannot ask for terabytes.
  auto tensor = readTensor(floats({1 << 18, 1 << 18}, {3}), nullptr);
  ASSERT_TRUE(bool(tensor));
  EXPECT_TRUE(tensor->splat);
  EXPECT_EQ(tensor->bytes.size(), 4u);
}

TEST(Tensor, Errors) {
  EXPECT_EQ(problem(readTensor(floats({1}, {1, 2}), nullptr).takeError()),
            "a tensor of 1 elements has 2 values");
  EXPECT_EQ(problem(readTensor(floats({-1}, {1}), nullptr).takeError()),
            "a tensor with an impossible shape");
  EXPECT_EQ(problem(readTensor(floats({int64_t(1) << 40, int64_t(1) << 40}, {}),
                               nullptr)
                        .takeError()),
            "a tensor with an impossible shape");
  TensorProto content = floats({3}, {});
  content.set_tensor_content("12345");
  EXPECT_EQ(problem(readTensor(content, nullptr).takeError()),
            "a tensor of 12 bytes has 5");
  TensorProto resource = floats({}, {});
  resource.set_dtype(DataType::DT_RESOURCE);
  EXPECT_EQ(problem(readTensor(resource, nullptr).takeError()),
            "a constant tensor of type resource");
}

TEST(TensorName, Forms) {
  EXPECT_EQ(parseTensorName("a/b:2")->second, 2);
  EXPECT_EQ(parseTensorName("a")->second, 0);
  EXPECT_EQ(parseTensorName("^a")->second, -1);
  for (const char *bad : {"", "^", ":1", "a:x", "a:99999999999"}) {
    auto name = parseTensorName(bad);
    EXPECT_FALSE(bool(name)) << bad;
    llvm::consumeError(name.takeError());
  }
}

TEST(Recognize, ByContents) {
  EXPECT_EQ(*recognize(fixture("linear.pb")), FileKind::GraphDef);
  EXPECT_EQ(*recognize(fixture("linear.pbtxt")), FileKind::TextGraphDef);
  EXPECT_EQ(*recognize(fixture("saved_tf1")), FileKind::SavedModel);
  EXPECT_EQ(*recognize(fixture("saved_tf1/saved_model.pb")),
            FileKind::SavedModel);
  EXPECT_EQ(*recognize(fixture("make.py")), FileKind::Unknown);
}
} // namespace
