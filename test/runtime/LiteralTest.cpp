// Arrays written on the command line.
#include "io/Literal.h"
#include "TestFail.h"
#include "io/Print.h"
#include <gtest/gtest.h>
#include <random>
#include <string>

namespace {

using namespace tenon;

const tenon_dtype f32 = {TENON_FLOAT, 32, 1}, i8 = {TENON_INT, 8, 1},
                  u64 = {TENON_UINT, 64, 1}, i64 = {TENON_INT, 64, 1},
                  boolean = {TENON_BOOL, 8, 1}, c64 = {TENON_COMPLEX, 64, 1},
                  text = {TENON_STRING, 128, 1}, f16 = {TENON_FLOAT, 16, 1};

// The literal as it prints, or the error.
std::string parse(const char *literal, tenon_dtype dtype, bool cast = false) {
  Text out;
  std::string failure = failureOf(
      [&] { printTensor(out, readLiteral(literal, dtype, cast), true); });
  return failure.empty() ? std::string(out.data, out.size) : failure;
}

TEST(LiteralTest, ReadsNumbersAndLists) {
  EXPECT_EQ(parse("3", f32), "3.0");
  EXPECT_EQ(parse("-1.5e3", f32), "-1500.0");
  EXPECT_EQ(parse(".5", f32), "0.5");
  EXPECT_EQ(parse("[1, 2.5 ,3]", f32), "[1.  2.5 3. ]");
  EXPECT_EQ(parse(" [ [1,2] , [3,4] ] ", i8), "[[1 2]\n [3 4]]");
  EXPECT_EQ(parse("[]", f32), "[]");
  EXPECT_EQ(parse("[[], []]", f32), "[]");
  EXPECT_EQ(parse("[nan, inf, -inf, NaN, Infinity]", f32),
            "[ nan  inf -inf  nan  inf]");
  EXPECT_EQ(parse("[true, false, 1, 0]", boolean), "[ True False  True False]");
  EXPECT_EQ(parse("true", i8), "1");
  EXPECT_EQ(parse("18446744073709551615", u64), "18446744073709551615");
  EXPECT_EQ(parse("-9223372036854775808", i64), "-9223372036854775808");
  EXPECT_EQ(parse("3.0", i8), "3");
  EXPECT_EQ(parse("[1+2j, -3, 2j, 1.5-0.5j]", c64),
            "[ 1. +2.j  -3. +0.j   0. +2.j   1.5-0.5j]");
  EXPECT_EQ(parse("[\"a\", \"b\\n\\u00e9\\\"\", \"\"]", text),
            "[b'a' b'b\\n\\xc3\\xa9\"' b'']");
}

TEST(LiteralTest, SaysWhatIsWrong) {
  EXPECT_EQ(parse("128", i8),
            "'128' is not a value of int8 (--cast converts it)");
  EXPECT_EQ(parse("-1", u64),
            "'-1' is not a value of uint64 (--cast converts it)");
  EXPECT_EQ(parse("[1, 2.5]", i8),
            "'2.5' is not a value of int8 (--cast converts it)");
  EXPECT_EQ(parse("2.5", i8, true), "2");
  EXPECT_EQ(parse("nan", i8),
            "'nan' is not a value of int8 (--cast converts it)");
  EXPECT_EQ(parse("nan", i8, true), "0");
  EXPECT_EQ(parse("2", boolean),
            "'2' is not a value of bool (--cast converts it)");
  EXPECT_EQ(parse("2", boolean, true), "True");
  EXPECT_EQ(parse("70000", f16),
            "'70000' is not a value of float16 (--cast converts it)");
  EXPECT_EQ(parse("1e39", f32), "too large a number at '1e39' (character 1)");
  EXPECT_EQ(parse("[1, [2]]", f32),
            "lists of different depth at '[2]]' (character 5)");
  EXPECT_EQ(parse("[[1], 2]", f32),
            "lists of different depth at '2]' (character 7)");
  EXPECT_EQ(parse("[[1], [2, 3]]", f32),
            "lists of different lengths at '[2, 3]]' (character 7)");
  EXPECT_EQ(parse("[[1], []]", f32),
            "lists of different lengths at '[]]' (character 7)");
  EXPECT_EQ(parse("[1, 2", f32), "expected ',' or ']' at the end of '[1, 2'");
  EXPECT_EQ(parse("[1, x]", f32), "expected a number at 'x]' (character 5)");
  EXPECT_EQ(parse("[1] 2", f32), "unexpected text at '2' (character 5)");
  EXPECT_EQ(parse("0x10", f32), "expected a number at '0x10' (character 1)");
  EXPECT_EQ(parse("[\"a]", text),
            "a string does not end at the end of '[\"a]'");
  EXPECT_EQ(parse("[\"\\x\"]", text), "bad escape at 'x\"]' (character 4)");
  EXPECT_EQ(parse("[1]", text), "expected a quoted string at '1]' (character "
                                "2)");
  EXPECT_EQ(parse(std::string(70, '[').c_str(), f32),
            "too many brackets at '[[[[[[' (character 65)");
}

TEST(LiteralTest, KnowsLiterals) {
  for (const char *yes : {"1", "-2.5", "nan", "true", "[1]", " [x", "1e5"})
    EXPECT_TRUE(isLiteral(yes, f32)) << yes;
  for (const char *no : {"a.npy", "1.npy", "dir/1", "", "-", "nano", "1 2"})
    EXPECT_FALSE(isLiteral(no, f32)) << no;
  EXPECT_FALSE(isLiteral("1", text));
  EXPECT_TRUE(isLiteral("[\"a\"]", text));
}

TEST(LiteralTest, SurvivesAnything) {
  const char alphabet[] = "[[[]]],,,  0123456789.-+eEjnaifrutls\"\\u\n{x";
  std::mt19937 random(4);
  const tenon_dtype types[] = {f32, i8, u64, boolean, c64, text, f16};
  for (int round = 0; round < 100000; ++round) {
    std::string literal = random() % 2 ? "[" : "";
    for (unsigned i = random() % 16; i; --i)
      literal += alphabet[random() % (sizeof alphabet - 1)];
    if (random() % 2)
      literal += "]";
    parse(literal.c_str(), types[random() % 7], random() % 2);
  }
}

} // namespace
