//===- ShareKernelsTest.cpp - kernels that differ in numbers only ---------===//

#include "test/compiler/backend/cpu/BackendTest.h"

#include "compiler/backend/cpu/ShareKernels.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Verifier.h"

using namespace tenon;

namespace {

/// A kernel that stores, for i in [begin, end), 31 multiples and sums of i made
/// of `factor` and `addend` at args[0][i * stride], by way of the last of
/// stride + 1 elements on the stack.
std::string getKernel(const std::string &name, int64_t factor, int64_t addend,
                      int64_t stride) {
  std::string text = "llvm.func @" + name +
                     "(%args: !llvm.ptr, %begin: i64, %end: i64) attributes "
                     "{sym_visibility = \"private\", tenon.kernel} {\n"
                     "%one = llvm.mlir.constant(1 : i64) : i64\n"
                     "%f = llvm.mlir.constant(" +
                     std::to_string(factor) +
                     " : i64) : i64\n"
                     "%a = llvm.mlir.constant(" +
                     std::to_string(addend) +
                     " : i64) : i64\n"
                     "%s = llvm.mlir.constant(" +
                     std::to_string(stride) +
                     " : index) : i64\n"
                     "%r = llvm.mlir.constant(" +
                     std::to_string(stride + 1) +
                     " : index) : i64\n"
                     "%kept = llvm.alloca %r x i64 : (i64) -> !llvm.ptr\n"
                     "%last = llvm.getelementptr %kept[" +
                     std::to_string(stride) +
                     "] : (!llvm.ptr) -> !llvm.ptr, i64\n" + R"(
      %out = llvm.load %args : !llvm.ptr -> !llvm.ptr
      llvm.br ^loop(%begin : i64)
    ^loop(%i: i64):
      %more = llvm.icmp "slt" %i, %end : i64
      llvm.cond_br %more, ^body(%i : i64), ^done
    ^body(%v0: i64):
)";
  for (unsigned i = 1; i <= 30; ++i) {
    std::string now = std::to_string(i), before = std::to_string(i - 1);
    text += "%m" + now + " = llvm.mul %v" + before + ", %f : i64\n" + "%v" +
            now + " = llvm.add %m" + now + ", %a : i64\n";
  }
  return text + R"(
      %offset = llvm.mul %i, %s : i64
      %place = llvm.getelementptr %out[%offset]
        : (!llvm.ptr, i64) -> !llvm.ptr, i64
      llvm.store %v30, %last : i64, !llvm.ptr
      %value = llvm.load %last : !llvm.ptr -> i64
      llvm.store %value, %place : i64, !llvm.ptr
      %next = llvm.add %i, %one : i64
      llvm.br ^loop(%next : i64)
    ^done:
      llvm.return
    }
)";
}

/// An entry that calls the kernel `name` over [0, 4).
std::string getEntry(unsigned number, const std::string &name) {
  return "llvm.func @share_e" + std::to_string(number) +
         R"(__v2(%inst: !llvm.ptr, %in: !llvm.ptr, %out: !llvm.ptr,
             %dims: !llvm.ptr) -> i32 {
      %zero = llvm.mlir.constant(0 : i64) : i64
      %four = llvm.mlir.constant(4 : i64) : i64
      llvm.call @)" +
         name + R"((%out, %zero, %four) : (!llvm.ptr, i64, i64) -> ()
      %ok = llvm.mlir.constant(0 : i32) : i32
      llvm.return %ok : i32
    })";
}

size_t countOps(mlir::ModuleOp module, const std::string &name) {
  size_t count = 0;
  if (mlir::Operation *kernel = module.lookupSymbol(name))
    kernel->walk([&](mlir::Operation *) { ++count; });
  return count;
}

TEST_F(BackendTest, KernelsAreShared) {
  std::string text =
      // Alike but for numbers; in b two numbers happen to be one.
      getKernel("a", 3, 5, 2) + getKernel("b", 7, 7, 3) +
      // A stride of one is not taken out, so that these are another group.
      getKernel("c", 3, 5, 1) + getKernel("d", 9, 5, 1) +
      // On its own.
      getKernel("e", 1, 5, 1);
  auto module = parse(text);
  shareKernels(*module);
  ASSERT_TRUE(succeeded(mlir::verify(*module)));
  EXPECT_GT(countOps(*module, "a_shared"), 60u);
  EXPECT_GT(countOps(*module, "c_shared"), 60u);
  for (std::string name : {"a", "b", "c", "d"})
    EXPECT_LT(countOps(*module, name), 5u);
  // Room on the stack for any of them, in the frame.
  auto shared = module->lookupSymbol<mlir::LLVM::LLVMFuncOp>("a_shared");
  shared.walk([](mlir::LLVM::AllocaOp room) {
    auto size = room.getArraySize().getDefiningOp<mlir::LLVM::ConstantOp>();
    ASSERT_TRUE(size);
    EXPECT_EQ(mlir::cast<mlir::IntegerAttr>(size.getValue()).getInt(), 4);
  });
  EXPECT_GT(countOps(*module, "e"), 60u);
}

TEST_F(BackendTest, SharedKernelsComputeTheSame) {
  ArtifactSpec spec;
  spec.name = "share";
  spec.variants = {{2, "x86-64-v2", "", 128}};
  std::string text, calls;
  int64_t numbers[][3] = {{3, 5, 2}, {7, 7, 3}, {9, 9, 2}};
  std::string want;
  for (unsigned i = 0; i < 3; ++i) {
    std::string name = "k" + std::to_string(i);
    auto [factor, addend, stride] = numbers[i];
    text += getKernel(name, factor, addend, stride) + getEntry(i, name);
    EntryInfo entry;
    entry.name = "e" + std::to_string(i);
    entry.outputs = {{"y", {kDTypeInt, 64}, {16}, {}}};
    spec.entries.push_back(entry);
    calls += "show(share_e" + std::to_string(i) + "(m, y), y);\n";
    int64_t y[16] = {};
    for (uint64_t at = 0; at < 4; ++at) {
      uint64_t value = at;
      for (unsigned round = 0; round < 30; ++round)
        value = value * factor + addend;
      y[at * stride] = value;
    }
    want += "0:";
    for (int64_t value : y)
      want += " " + std::to_string(value);
    want += "\n";
  }
  spec.units.push_back({0, parse(text)});
  ASSERT_EQ(emit(spec, OutputKind::Object, "share.o"), "");
  writeFile("main.c", R"(
#include "share.h"
#include <stdio.h>
#include <string.h>
static void show(int status, int64_t *y) {
  printf("%d:", status);
  for (int i = 0; i < 16; ++i) printf(" %lld", (long long)y[i]);
  puts("");
  memset(y, 0, 16 * sizeof *y);
}
int main(void) {
  share *m = share_create(NULL);
  int64_t y[16] = {0};
)" + calls + "}\n");
  EXPECT_EQ(run("clang-22 " TENON_FLAGS " main.c share.o " TENON_RUNTIME_ARCHIVE
                " -o program && ./program"),
            want);
}

} // namespace
