// The grammar of --entry.
#include "frontend/Entry.h"

#include <gtest/gtest.h>

using tenon::EntrySpec;
using tenon::parseEntry;

namespace {
EntrySpec parsed(const char *text) {
  auto spec = parseEntry(text);
  EXPECT_TRUE(bool(spec)) << llvm::toString(spec.takeError());
  return spec ? *spec : EntrySpec();
}

std::string problem(const char *text) {
  auto spec = parseEntry(text);
  return spec ? "" : llvm::toString(spec.takeError());
}

TEST(Entry, NamesAndSources) {
  EntrySpec spec =
      parsed("predict(image = x:0, y) -> probs = softmax:0, a/b:1, ^train");
  EXPECT_EQ(spec.name, "predict");
  ASSERT_EQ(spec.arguments.size(), 2u);
  EXPECT_EQ(spec.arguments[0].name, "image");
  EXPECT_EQ(spec.arguments[0].source, "x:0");
  EXPECT_EQ(spec.arguments[1].name, "y");
  ASSERT_EQ(spec.results.size(), 3u);
  EXPECT_EQ(spec.results[0].name, "probs");
  EXPECT_EQ(spec.results[1].name, "a/b:1");
  EXPECT_TRUE(spec.results[2].target);
  EXPECT_EQ(spec.results[2].source, "train");
}

TEST(Entry, OutputZeroIsTheNode) {
  EXPECT_EQ(parsed("f(x:0)->y:0").arguments[0].name, "x");
  EXPECT_EQ(parsed("f(x:0)->y:0").results[0].name, "y");
}

TEST(Entry, BlanksAndNoArguments) {
  EntrySpec spec = parsed("  init ( )  ->  ^init ");
  EXPECT_EQ(spec.name, "init");
  EXPECT_TRUE(spec.arguments.empty());
  EXPECT_TRUE(spec.results[0].target);
}

TEST(Entry, NamesMayHoldArrowsAndDashes) {
  EXPECT_EQ(parsed("f(a-b>c) -> d->e").results[0].name, "d->e");
}

TEST(Entry, Errors) {
  EXPECT_EQ(problem("f"), "entry 'f': expected '(' at column 2");
  EXPECT_EQ(problem("(x) -> y"),
            "entry '(x) -> y': expected the name of the entry point at column "
            "1");
  EXPECT_EQ(problem("f(x -> y"),
            "entry 'f(x -> y': expected ',' or ')' at column 5");
  EXPECT_EQ(problem("f(x)"), "entry 'f(x)': expected '->' at column 5");
  EXPECT_EQ(problem("f(x) ->"),
            "entry 'f(x) ->': expected the name of a tensor at column 8");
  EXPECT_EQ(problem("f(x) -> y z"),
            "entry 'f(x) -> y z': expected ',' or the end at column 11");
  EXPECT_EQ(problem("f(x, x) -> y"),
            "entry 'f(x, x) -> y': two arguments have the name 'x'");
  EXPECT_EQ(problem("f(x) -> d = grad(y)"),
            "entry 'f(x) -> d = grad(y)': expected ',' and what the derivative "
            "is taken by at column 19");
  EXPECT_EQ(problem("f(x) -> d = grad(y, )"),
            "entry 'f(x) -> d = grad(y, )': expected the name of a tensor at "
            "column 21");
  EXPECT_EQ(problem("f(x) -> d = grad(y, x"),
            "entry 'f(x) -> d = grad(y, x': expected ',' or ')' at column 22");
}

TEST(Entry, Derivatives) {
  EntrySpec spec =
      parsed("f(x) -> d = grad(y:0, x:0), grad( y , b/w ), grad = z:0");
  ASSERT_EQ(spec.results.size(), 3u);
  EXPECT_EQ(spec.results[0].name, "d");
  EXPECT_EQ(spec.results[0].source, "");
  ASSERT_EQ(spec.results[0].gradient.size(), 2u);
  EXPECT_EQ(spec.results[0].gradient[0].source, "y:0");
  EXPECT_EQ(spec.results[0].gradient[1].source, "x:0");
  EXPECT_EQ(spec.results[1].name, "grad( y , b/w )");
  EXPECT_EQ(spec.results[1].gradient[1].source, "b/w");
  EXPECT_EQ(spec.results[2].name, "grad");
  EXPECT_EQ(spec.results[2].source, "z:0");
}

TEST(Entry, DerivativesNestAndHaveWeights) {
  EntrySpec spec = parsed("f(x) -> h = grad(grad(y, x, w), x)");
  const EntrySpec::Item &outer = spec.results[0];
  ASSERT_EQ(outer.gradient.size(), 2u);
  const EntrySpec::Item &inner = outer.gradient[0];
  ASSERT_EQ(inner.gradient.size(), 3u);
  EXPECT_EQ(inner.gradient[2].source, "w");
}
} // namespace
