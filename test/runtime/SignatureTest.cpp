// The signature's reader: what it finds.
#include "core/Signature.h"
#include "FakeModel.h"
#include <gtest/gtest.h>

namespace {

TEST(SignatureTest, ReadsTheTable) {
  tenon::Signature signature;
  tenon::Message message;
  ASSERT_TRUE(signature.read(tenon_main_model, message)) << message.text;
  EXPECT_STREQ(signature.name, "fake");
  ASSERT_EQ(signature.entryCount, FakeEntryCount);
  const tenon::EntrySpec &add = signature.entries[FakeAdd];
  EXPECT_STREQ(add.name, "add");
  ASSERT_EQ(add.inputCount, 3);
  EXPECT_EQ(add.dimCount, 3);
  EXPECT_STREQ(add.inputs[2].name, "scale");
  EXPECT_TRUE(add.inputs[2].hasDefault);
  EXPECT_EQ(*static_cast<const float *>(add.inputs[2].defaultData), 1);
  EXPECT_EQ(add.inputs[0].shape[0], -1);
  EXPECT_STREQ(signature.symbols[0], "batch");
  ASSERT_EQ(signature.variableCount, 2);
  EXPECT_EQ(signature.variables[1].initial, 0);
  EXPECT_EQ(signature.variables[1].flagOffset, 17u);
  EXPECT_EQ(signature.arenaBytes, 256u);
  EXPECT_EQ(signature.zerosBytes, 4096u);
  signature.release();
}

TEST(SignatureTest, CountsElements) {
  int64_t some[] = {2, 3}, none[] = {0, 5}, wrong[] = {2, -1};
  int64_t large[] = {int64_t(1) << 40, int64_t(1) << 40, 0};
  EXPECT_EQ(tenon::countElements(0, nullptr, 4), 1);
  EXPECT_EQ(tenon::countElements(2, some, 4), 6);
  EXPECT_EQ(tenon::countElements(2, none, 4), 0);
  EXPECT_EQ(tenon::countElements(2, wrong, 4), -1);
  EXPECT_EQ(tenon::countElements(3, large, 4), -1);
  int64_t most[] = {int64_t(1) << 60};
  EXPECT_EQ(tenon::countElements(1, most, 4), int64_t(1) << 60);
  EXPECT_EQ(tenon::countElements(1, most, 8), -1);
}

} // namespace
