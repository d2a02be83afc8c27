// Conversion between element types.
#include "TestFail.h"
#include "io/Tensor.h"
#include <cmath>
#include <gtest/gtest.h>
#include <string.h>

namespace {

using namespace tenon;

const tenon_dtype all[] = {
    {TENON_BOOL, 8, 1},   {TENON_INT, 8, 1},      {TENON_INT, 16, 1},
    {TENON_INT, 32, 1},   {TENON_INT, 64, 1},     {TENON_UINT, 8, 1},
    {TENON_UINT, 16, 1},  {TENON_UINT, 32, 1},    {TENON_UINT, 64, 1},
    {TENON_FLOAT, 16, 1}, {TENON_BFLOAT, 16, 1},  {TENON_FLOAT, 32, 1},
    {TENON_FLOAT, 64, 1}, {TENON_COMPLEX, 64, 1}, {TENON_COMPLEX, 128, 1}};

TEST(ConvertTest, SixteenBitNumbers) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    double half = fromHalf(uint16_t(bits)), brain = fromBrain(uint16_t(bits));
    if (half == half)
      ASSERT_EQ(toHalf(half), bits);
    else
      ASSERT_TRUE(std::isnan(fromHalf(toHalf(half))));
    if (brain == brain)
      ASSERT_EQ(toBrain(brain), bits);
    else
      ASSERT_TRUE(std::isnan(fromBrain(toBrain(brain))));
    // Half way to the next number: to the even one.
    if (half == half && (bits & 0x7fff) < 0x7bff) {
      double middle = (half + fromHalf(uint16_t(bits + 1))) / 2;
      ASSERT_EQ(toHalf(middle), bits + (bits & 1));
      ASSERT_EQ(toHalf(std::nextafter(middle, half)), bits);
    }
  }
  EXPECT_EQ(fromHalf(0x3c00), 1);
  EXPECT_EQ(fromHalf(1), 0x1p-24);
  EXPECT_EQ(toHalf(65519), 0x7bff);
  EXPECT_EQ(toHalf(65520), 0x7c00);
  EXPECT_EQ(toHalf(1e300), 0x7c00);
  EXPECT_EQ(toHalf(0x1p-25), 0);
  EXPECT_EQ(toHalf(0x1.8p-25), 1);
  EXPECT_EQ(toHalf(-1e-300), 0x8000);
  EXPECT_EQ(toBrain(3.4e38), 0x7f80);
}

tenon_tensor scalar(double value, tenon_dtype dtype = {TENON_FLOAT, 64, 1}) {
  tenon_tensor wide = makeTensor({TENON_FLOAT, 64, 1}, 0, nullptr);
  storeFloat(wide.dtype, wide.data, value);
  return convertTensor(wide, dtype);
}

// Where convertsExactly says yes, the way there and back changes nothing.
TEST(ConvertTest, ExactMeansExact) {
  const double values[] = {0,          1,
                           -1,         127,
                           128,        -128,
                           255,        256,
                           257,        2047,
                           32767,      65535,
                           65536,      -32768,
                           0.5,        16777217,
                           2147483647, -2147483648.0,
                           1e10,       9007199254740993.0,
                           0.1,        1e30,
                           1e300};
  for (tenon_dtype from : all)
    for (tenon_dtype to : all) {
      if (!convertsExactly(from, to))
        continue;
      for (double value : values) {
        tenon_tensor first = scalar(value, from);
        tenon_tensor back = convertTensor(convertTensor(first, to), from);
        EXPECT_EQ(memcmp(first.data, back.data, byteCount(first)), 0)
            << dtypeName(from) << " " << dtypeName(to) << " " << value;
      }
    }
}

TEST(ConvertTest, KnowsWhatIsNotExact) {
  auto type = [](int code, int bits) {
    return tenon_dtype{uint8_t(code), uint8_t(bits), 1};
  };
  EXPECT_FALSE(convertsExactly(type(TENON_FLOAT, 64), type(TENON_FLOAT, 32)));
  EXPECT_FALSE(convertsExactly(type(TENON_INT, 64), type(TENON_FLOAT, 64)));
  EXPECT_FALSE(convertsExactly(type(TENON_INT, 64), type(TENON_INT, 32)));
  EXPECT_FALSE(convertsExactly(type(TENON_INT, 8), type(TENON_UINT, 64)));
  EXPECT_FALSE(convertsExactly(type(TENON_UINT, 8), type(TENON_INT, 8)));
  EXPECT_FALSE(convertsExactly(type(TENON_BFLOAT, 16), type(TENON_FLOAT, 16)));
  EXPECT_FALSE(convertsExactly(type(TENON_FLOAT, 16), type(TENON_BFLOAT, 16)));
  EXPECT_FALSE(convertsExactly(type(TENON_COMPLEX, 64), type(TENON_FLOAT, 64)));
  EXPECT_FALSE(convertsExactly(type(TENON_INT, 8), type(TENON_BOOL, 8)));
  EXPECT_TRUE(convertsExactly(type(TENON_INT, 32), type(TENON_FLOAT, 64)));
  EXPECT_TRUE(convertsExactly(type(TENON_UINT, 8), type(TENON_INT, 16)));
  EXPECT_TRUE(convertsExactly(type(TENON_FLOAT, 32), type(TENON_COMPLEX, 64)));
  EXPECT_FALSE(convertsExactly(type(TENON_FLOAT, 64), type(TENON_COMPLEX, 64)));
  EXPECT_TRUE(convertsExactly(type(TENON_BFLOAT, 16), type(TENON_FLOAT, 32)));
  EXPECT_TRUE(convertsExactly(type(TENON_FLOAT, 32), type(TENON_COMPLEX, 128)));
}

TEST(ConvertTest, ClampsWhatDoesNotFit) {
  const struct {
    double value;
    int64_t i8, u8;
  } cases[] = {{300, 127, 255}, {-300, -128, 0},      {NAN, 0, 0},
               {-1.9, -1, 0},   {INFINITY, 127, 255}, {-INFINITY, -128, 0},
               {2.9, 2, 2}};
  for (auto &each : cases) {
    EXPECT_EQ(
        *static_cast<int8_t *>(scalar(each.value, {TENON_INT, 8, 1}).data),
        each.i8)
        << each.value;
    EXPECT_EQ(
        *static_cast<uint8_t *>(scalar(each.value, {TENON_UINT, 8, 1}).data),
        each.u8)
        << each.value;
  }
}

} // namespace
