//===- EmitTest.cpp - from a compile result to programs that run ----------===//

#include "test/compiler/backend/cpu/BackendTest.h"

#include "compiler/backend/cpu/Signature.h"

using namespace tenon;

namespace {

const char *const kCompile = "clang-22 -Wall -Wextra -Werror " TENON_FLAGS;

/// Prints a call of both entries of the model NAME.
std::string getUser(const std::string &name) {
  std::string text = R"(
#include "NAME.h"
#include <stdio.h>
int use_NAME(void) {
  NAME *model = NAME_create(NULL);
  if (!model) { puts(NAME_error(NULL)); return 1; }
  float a[1] = {10}, x[4] = {1, 2, 3, 4}, y[4];
  int status = NAME_main(model, a, x, y);
  printf("%d: %g %g %g %g\n", status, y[0], y[1], y[2], y[3]);
  status = NAME_main(model, NULL, x, y);
  printf("%d: %g %g %g %g\n", status, y[0], y[1], y[2], y[3]);
  int64_t shape[1] = {3}, result_shape[1];
  tenon_tensor in = {.data = x, .device = {TENON_CPU, 0}, .ndim = 1,
                     .dtype = {TENON_FLOAT, 32, 1}, .shape = shape};
  tenon_tensor out = {.ndim = 1, .shape = result_shape};
  status = NAME_scale_reserve(model, 3);
  status |= NAME_scale(model, &in, &out);
  const float *r = out.data;
  if (status) puts(NAME_error(model));
  else printf("%d: %lld of %g %g %g\n", status, (long long)out.shape[0], r[0], r[1], r[2]);
  size_t bytes = 0;
  const char *table = NAME_signature(&bytes);
  printf("%.4s %d %d\n", table + 4, bytes > 100, NAME_main(NULL, a, x, y));
  NAME_destroy(model);
  return 0;
}
)";
  for (size_t at; (at = text.find("NAME")) != std::string::npos;)
    text.replace(at, 4, name);
  return text;
}

std::string getMain(std::initializer_list<std::string> names) {
  std::string text, calls;
  for (const std::string &name : names) {
    text += "int use_" + name + "(void);\n";
    calls += " use_" + name + "();";
  }
  return text + "int main(void) {" + calls + " return 0; }\n";
}

const char *const kResult100 = "0: 110 121 132 143\n"
                               "0: 102 105 108 111\n"
                               "0: 3 of 3 6 9\n"
                               "TNN1 1 1\n";
const char *const kResult200 = "0: 210 221 232 243\n"
                               "0: 202 205 208 211\n"
                               "0: 3 of 3 6 9\n"
                               "TNN1 1 1\n";

TEST_F(BackendTest, Object) {
  ArtifactSpec spec = makeSaxpy("alpha", 100);
  ASSERT_EQ(emit(spec, OutputKind::Object, "alpha.o"), "");
  writeFile("use.c", getUser("alpha"));
  writeFile("main.c", getMain({"alpha"}));
  EXPECT_EQ(run(std::string(kCompile) +
                " main.c use.c alpha.o " TENON_RUNTIME_ARCHIVE
                " -lm -o program && ./program"),
            kResult100);
  // Only the public functions and the runtime's are global.
  EXPECT_EQ(run("llvm-nm-22 -gP alpha.o | cut -d' ' -f1,2 | grep -v ' U'"),
            "alpha_create T\nalpha_destroy T\nalpha_error T\nalpha_main T\n"
            "alpha_scale T\nalpha_scale_reserve T\nalpha_signature T\n");
}

TEST_F(BackendTest, HeaderIsCxx) {
  ArtifactSpec spec = makeSaxpy("alpha", 100);
  ASSERT_EQ(emit(spec, OutputKind::Object, "alpha.o"), "");
  writeFile("use.cpp", "#include \"alpha.h\"\nint main() { float x[4] = {}; "
                       "return alpha_main(nullptr, nullptr, x, x) - 1; }\n");
  EXPECT_EQ(run("clang++-22 -Wall -Wextra -Werror -pedantic " TENON_FLAGS
                " use.cpp alpha.o " TENON_RUNTIME_ARCHIVE
                " -lm -o program && ./program"),
            "");
}

TEST_F(BackendTest, SharedLibrary) {
  ArtifactSpec spec = makeSaxpy("alpha", 100);
  ASSERT_EQ(emit(spec, OutputKind::SharedLibrary, "libalpha.so"), "");
  writeFile("use.c", getUser("alpha"));
  writeFile("main.c", getMain({"alpha"}));
  EXPECT_EQ(run(std::string(kCompile) +
                " main.c use.c libalpha.so -Wl,-rpath,. -o program && "
                "./program"),
            kResult100);
  EXPECT_EQ(run("llvm-nm-22 -DgP --defined-only libalpha.so | cut -d' ' -f1"),
            "alpha_create\nalpha_destroy\nalpha_error\nalpha_main\n"
            "alpha_scale\nalpha_scale_reserve\nalpha_signature\n");
}

TEST_F(BackendTest, TwoModelsInOneProgram) {
  ArtifactSpec alpha = makeSaxpy("alpha", 100);
  ArtifactSpec beta = makeSaxpy("beta", 200);
  ASSERT_EQ(emit(alpha, OutputKind::Archive, "libalpha.a"), "");
  ASSERT_EQ(emit(beta, OutputKind::Archive, "libbeta.a"), "");
  writeFile("use1.c", getUser("alpha"));
  writeFile("use2.c", getUser("beta"));
  writeFile("main.c", getMain({"alpha", "beta"}));
  std::string command =
      " main.c use1.c use2.c -L. -lalpha -lbeta " TENON_RUNTIME_ARCHIVE
      " -lm -o program && ./program";
  EXPECT_EQ(run(kCompile + command), std::string(kResult100) + kResult200);
}

TEST_F(BackendTest, ExternalWeights) {
  ArtifactSpec spec = makeSaxpy("alpha", 100);
  EmitOptions options;
  options.externalWeights = true;
  ASSERT_EQ(emit(spec, OutputKind::SharedLibrary, "libalpha.so", options), "");
  writeFile("use.c", getUser("alpha"));
  writeFile("main.c", getMain({"alpha"}));
  EXPECT_EQ(run(std::string(kCompile) +
                " main.c use.c libalpha.so -Wl,-rpath,$PWD -o program && "
                "./program"),
            kResult100);
  EXPECT_EQ(run("echo broken > libalpha.weights; ./program"),
            "weights file 'libalpha.weights' is not the 16 bytes of weights "
            "of this model\n");
}

TEST_F(BackendTest, SignatureIsFoundInEveryKind) {
  for (auto [kind, file] : {std::pair(OutputKind::Object, "alpha.o"),
                            {OutputKind::Archive, "alpha.a"},
                            {OutputKind::SharedLibrary, "alpha.so"}}) {
    ArtifactSpec spec = makeSaxpy("alpha", 100);
    ASSERT_EQ(emit(spec, kind, file), "");
    EXPECT_TRUE(isNativeFile(folder + "/" + file));
    llvm::Expected<ArtifactSpec> read = readArtifact(folder + "/" + file);
    ASSERT_TRUE(bool(read)) << llvm::toString(read.takeError());
    EXPECT_EQ(read->name, "alpha");
    ASSERT_EQ(read->entries.size(), 2u);
    EXPECT_EQ(read->entries[0].inputs[1].name, "x");
    EXPECT_EQ(read->entries[0].inputs[1].shape, (std::vector<int64_t>{1, 4}));
    ASSERT_TRUE(read->entries[0].inputs[0].defaultValue);
    EXPECT_EQ(read->entries[0].inputs[0].defaultValue->bytes.size(), 4u);
    EXPECT_EQ(read->symbols, std::vector<std::string>{"n"});
    EXPECT_EQ(read->weightsBytes, 16u);
  }
}

TEST_F(BackendTest, DamagedSignature) {
  for (std::string bytes : {"", "TNN1", "\x08\0\0\0TNN1\xff\xff\xff\xff"}) {
    llvm::Expected<ArtifactSpec> read = readSignature(bytes);
    EXPECT_EQ(llvm::toString(read.takeError()),
              "the embedded signature is damaged");
  }
}

TEST_F(BackendTest, SameBytesForAnyNumberOfThreads) {
  std::string first;
  for (unsigned threads : {1, 2, 7}) {
    ArtifactSpec spec = makeSaxpy("alpha", 100);
    EmitOptions options;
    options.threads = threads;
    ASSERT_EQ(emit(spec, OutputKind::SharedLibrary, "alpha.so", options), "");
    if (first.empty())
      first = readFile("alpha.so");
    EXPECT_TRUE(readFile("alpha.so") == first);
  }
}

TEST_F(BackendTest, Text) {
  ArtifactSpec spec = makeSaxpy("alpha", 100);
  ASSERT_EQ(emit(spec, OutputKind::LlvmIr, "alpha.ll"), "");
  EXPECT_NE(readFile("alpha.ll").find("@alpha_main__v3(ptr"),
            std::string::npos);
  spec = makeSaxpy("alpha", 100);
  ASSERT_EQ(emit(spec, OutputKind::Assembly, "alpha.s"), "");
  EXPECT_EQ(run("clang-22 -c alpha.s -o alpha.o"), "");
}

TEST_F(BackendTest, NothingStaysAfterAFailure) {
  ArtifactSpec spec = makeSaxpy("alpha", 100);
  spec.units.pop_back(); // the entries of v3 are missing
  EXPECT_NE(emit(spec, OutputKind::SharedLibrary, "alpha.so")
                .find("undefined hidden symbol: alpha_main__v3"),
            std::string::npos);
  EXPECT_EQ(run("ls -A"), "");
  spec = makeSaxpy("alpha", 100);
  spec.variants[1].cpu = "z80";
  EXPECT_EQ(emit(spec, OutputKind::Object, "alpha.o"),
            "unknown CPU 'z80' (x86_64)");
  EXPECT_EQ(run("ls -A"), "");
  spec = makeSaxpy("alpha", 100);
  EXPECT_NE(emit(spec, OutputKind::Object, "none/alpha.o")
                .find("No such file or directory"),
            std::string::npos);
}

TEST_F(BackendTest, LargeModulesAreCut) {
  // Functions of 600 operations each that call the one before.
  std::string text = "llvm.func @work_0(%x: i64) -> i64 { llvm.return %x : i64 "
                     "}\nllvm.mlir.global private constant @table(7 : i64) : "
                     "i64\nllvm.mlir.global internal @counter(0 : i64) : i64\n";
  for (unsigned i = 1; i <= 12; ++i) {
    std::string number = std::to_string(i);
    text += "llvm.func " + std::string(i % 2 ? "private " : "") + "@work_" +
            number +
            "(%v0: i64) -> i64 attributes {passthrough = "
            "[\"noinline\"]} {\n"
            "%t = llvm.mlir.addressof @table : !llvm.ptr\n"
            "%c = llvm.mlir.addressof @counter : !llvm.ptr\n"
            "%tv = llvm.load %t : !llvm.ptr -> i64\n"
            "%cv = llvm.load %c : !llvm.ptr -> i64\n"
            "%cn = llvm.add %cv, %tv : i64\n"
            "llvm.store %cn, %c : i64, !llvm.ptr\n";
    for (unsigned op = 1; op <= 600; ++op)
      text += "%v" + std::to_string(op) + " = llvm.xor %v" +
              std::to_string(op - 1) + ", %cn : i64\n";
    text += "%r = llvm.call @work_" + std::to_string(i - 1) +
            "(%v600) : (i64) -> i64\nllvm.return %r : i64\n}\n";
  }
  text += R"(
    llvm.func @big_main__v2(%inst: !llvm.ptr, %in: !llvm.ptr, %out: !llvm.ptr,
                            %dims: !llvm.ptr) -> i32 {
      %x_p = llvm.load %in : !llvm.ptr -> !llvm.ptr
      %x = llvm.load %x_p : !llvm.ptr -> i64
      %y = llvm.call @work_12(%x) : (i64) -> i64
      %c = llvm.mlir.addressof @counter : !llvm.ptr
      %cv = llvm.load %c : !llvm.ptr -> i64
      %sum = llvm.add %y, %cv : i64
      %y_p = llvm.load %out : !llvm.ptr -> !llvm.ptr
      llvm.store %sum, %y_p : i64, !llvm.ptr
      %ok = llvm.mlir.constant(0 : i32) : i32
      llvm.return %ok : i32
    })";
  ArtifactSpec spec;
  spec.name = "big";
  DType i64 = {kDTypeInt, 64};
  spec.entries = {{"main", {{"x", i64, {}, {}}}, {{"y", i64, {}, {}}}}};
  spec.variants = {{2, "x86-64-v2", "", 128}};
  spec.units.push_back({0, parse(text)});
  ASSERT_EQ(emit(spec, OutputKind::Object, "big.o"), "");
  EXPECT_GT(spec.units.size(), 2u);
  writeFile("main.c", R"(
#include "big.h"
#include <stdio.h>
int main(void) {
  big *model = big_create(NULL);
  int64_t x[1] = {5}, y[1];
  int status = big_main(model, x, y);
  printf("%d: %lld\n", status, (long long)y[0]);
})");
  EXPECT_EQ(run(std::string(kCompile) + " main.c big.o " TENON_RUNTIME_ARCHIVE
                                        " -o program && ./program"),
            "0: 89\n");
}

} // namespace
