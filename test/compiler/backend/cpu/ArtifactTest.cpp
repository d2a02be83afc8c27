//===- ArtifactTest.cpp - names and types of the compile result -----------===//

#include "compiler/backend/cpu/Artifact.h"
#include "compiler/backend/cpu/Glue.h"
#include "compiler/backend/cpu/Header.h"

#include "mlir/IR/Builders.h"

#include <gtest/gtest.h>

using namespace tenon;

namespace {

using Strings = std::vector<std::string>;

TEST(Identifiers, Sanitised) {
  EXPECT_EQ(makeIdentifiers(Strings{"a/b:1", "1st", "double", "", "naïve"}),
            (Strings{"a_b_1", "_1st", "double_", "_", "na__ve"}));
}

TEST(Identifiers, ClashesAreNumbered) {
  EXPECT_EQ(makeIdentifiers(Strings{"x", "x:1", "x", "x_1", "y"}, {"y"}),
            (Strings{"x", "x_1", "x_2", "x_1_1", "y_1"}));
}

TEST(Identifiers, EntriesAvoidTheCommonFunctions) {
  ArtifactSpec spec;
  spec.name = "my-net";
  spec.variants.push_back({3, "x86-64-v3", "", 256});
  for (const char *name : {"create", "predict", "predict_reserve"}) {
    EntryInfo entry;
    entry.name = name;
    entry.hasReserve = true;
    spec.entries.push_back(entry);
  }
  EXPECT_EQ(getEntryIdentifiers(spec),
            (Strings{"create_1", "predict", "predict_reserve"}));
  EXPECT_EQ(getReserveIdentifiers(spec),
            (Strings{"create_1_reserve", "predict_reserve_1",
                     "predict_reserve_reserve"}));
  EXPECT_EQ(getEntrySymbol(spec, 1, 0), "my_net_predict__v3");
}

TEST(DTypes, OfElementTypes) {
  mlir::MLIRContext context;
  mlir::Builder builder(&context);
  auto name = [](mlir::Type type) {
    std::optional<DType> dtype = getDType(type);
    return dtype ? getDTypeName(*dtype).str() : "none";
  };
  EXPECT_EQ(name(builder.getF16Type()), "float16");
  EXPECT_EQ(name(builder.getBF16Type()), "bfloat16");
  EXPECT_EQ(name(builder.getF64Type()), "float64");
  EXPECT_EQ(name(builder.getI1Type()), "bool");
  EXPECT_EQ(name(builder.getI8Type()), "int8");
  EXPECT_EQ(name(builder.getIntegerType(16, /*isSigned=*/false)), "uint16");
  EXPECT_EQ(name(mlir::ComplexType::get(builder.getF32Type())), "complex64");
  EXPECT_EQ(name(builder.getIntegerType(24)), "none");
  EXPECT_EQ(name(builder.getIndexType()), "none");
}

TEST(Header, Declarations) {
  ArtifactSpec spec;
  spec.name = "net";
  EntryInfo plain;
  plain.name = "main";
  plain.inputs = {{"x", {kDTypeFloat, 32}, {1, 64}, {}},
                  {"flag", {kDTypeBool, 8}, {}, {}},
                  {"z", {kDTypeComplex, 64}, {2}, {}}};
  plain.outputs = {{"x", {kDTypeFloat, 16}, {0, 3}, {}}};
  EntryInfo dynamic;
  dynamic.name = "predict";
  dynamic.inputs = {{"x", {kDTypeInt, 32}, {-1, 8}, {}}};
  dynamic.outputs = {{"y", {kDTypeInt, 32}, {-1}, {}}};
  dynamic.hasReserve = true;
  spec.symbols = {"batch"};
  spec.entries = {plain};
  spec.arenaBytes = 640;
  std::string header = writeHeader(spec);
  EXPECT_NE(header.find("#define NET_ARENA_BYTES 640ull"), std::string::npos);
  EXPECT_NE(header.find("int net_main(net *instance,\n"
                        "    const float x[1 * 64],\n"
                        "    const bool flag[1],\n"
                        "    const float z[2 * 2],\n"
                        "    uint16_t x_1[1]);"),
            std::string::npos);
  spec.entries = {dynamic};
  header = writeHeader(spec);
  EXPECT_EQ(header.find("ARENA_BYTES"), std::string::npos);
  EXPECT_NE(header.find("int net_predict(net *instance,\n"
                        "    const tenon_tensor *x,\n"
                        "    tenon_tensor *y);"),
            std::string::npos);
  EXPECT_NE(
      header.find("int net_predict_reserve(net *instance, int64_t batch);"),
      std::string::npos);
}

} // namespace
