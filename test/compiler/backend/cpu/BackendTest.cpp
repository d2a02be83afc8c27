//===- BackendTest.cpp - models made by hand for the backend's tests ------===//

#include "test/compiler/backend/cpu/BackendTest.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <fstream>
#include <stdlib.h>

using namespace tenon;

BackendTest::BackendTest() {
  context.loadDialect<mlir::LLVM::LLVMDialect>();
  llvm::SmallString<64> path;
  EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("tenon-backend", path));
  folder = path.str().str();
}

BackendTest::~BackendTest() { llvm::sys::fs::remove_directories(folder); }

mlir::OwningOpRef<mlir::ModuleOp> BackendTest::parse(const std::string &text) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  EXPECT_TRUE(module);
  return module;
}

/// The entries of makeSaxpy: %0 instance, %1 inputs, %2 outputs, %3 dims. The
/// kernel is a function of its own, called directly.
static std::string getSaxpyCode(const std::string &name, unsigned level) {
  std::string suffix = "__v" + std::to_string(level);
  return R"(
    llvm.func private @saxpy(%a: f32, %x: !llvm.ptr, %w: !llvm.ptr,
                             %y: !llvm.ptr, %n: i64) {
      %zero = llvm.mlir.constant(0 : i64) : i64
      %one = llvm.mlir.constant(1 : i64) : i64
      llvm.br ^loop(%zero : i64)
    ^loop(%i: i64):
      %more = llvm.icmp "slt" %i, %n : i64
      llvm.cond_br %more, ^body, ^done
    ^body:
      %xi = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %wi = llvm.getelementptr %w[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %yi = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
      %xv = llvm.load %xi : !llvm.ptr -> f32
      %wv = llvm.load %wi : !llvm.ptr -> f32
      %ax = llvm.fmul %a, %xv : f32
      %sum = llvm.fadd %ax, %wv : f32
      llvm.store %sum, %yi : f32, !llvm.ptr
      %next = llvm.add %i, %one : i64
      llvm.br ^loop(%next : i64)
    ^done:
      llvm.return
    }
    llvm.func @)" +
         name + "_main" + suffix + R"((%inst: !llvm.ptr, %in: !llvm.ptr,
                                %out: !llvm.ptr, %dims: !llvm.ptr) -> i32 {
      %a_p = llvm.load %in : !llvm.ptr -> !llvm.ptr
      %a = llvm.load %a_p : !llvm.ptr -> f32
      %x_pp = llvm.getelementptr %in[1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %x = llvm.load %x_pp : !llvm.ptr -> !llvm.ptr
      %w_pp = llvm.getelementptr %inst[2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
      %w = llvm.load %w_pp : !llvm.ptr -> !llvm.ptr
      %y = llvm.load %out : !llvm.ptr -> !llvm.ptr
      %n = llvm.mlir.constant(4 : i64) : i64
      llvm.call @saxpy(%a, %x, %w, %y, %n)
        : (f32, !llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
      %ok = llvm.mlir.constant(0 : i32) : i32
      llvm.return %ok : i32
    }
    llvm.func @tenon_reserve(!llvm.ptr, i64) -> !llvm.ptr
    llvm.func @)" +
         name + "_scale" + suffix + R"((%inst: !llvm.ptr, %in: !llvm.ptr,
                                 %out: !llvm.ptr, %dims: !llvm.ptr) -> i32 {
      %four = llvm.mlir.constant(4 : i64) : i64
      %x = llvm.load %in : !llvm.ptr -> !llvm.ptr
      %n = llvm.load %dims : !llvm.ptr -> i64
      %n_out = llvm.getelementptr %dims[1] : (!llvm.ptr) -> !llvm.ptr, i64
      llvm.store %n, %n_out : i64, !llvm.ptr
      %bytes = llvm.mul %n, %four : i64
      %y = llvm.load %out : !llvm.ptr -> !llvm.ptr
      %null = llvm.mlir.zero : !llvm.ptr
      %ours = llvm.icmp "eq" %y, %null : !llvm.ptr
      llvm.cond_br %ours, ^arena, ^compute(%y : !llvm.ptr)
    ^arena:
      %mine = llvm.call @tenon_reserve(%inst, %bytes)
        : (!llvm.ptr, i64) -> !llvm.ptr
      llvm.store %mine, %out : !llvm.ptr, !llvm.ptr
      llvm.br ^compute(%mine : !llvm.ptr)
    ^compute(%dest: !llvm.ptr):
      %two = llvm.mlir.constant(2.0 : f32) : f32
      llvm.call @saxpy(%two, %x, %x, %dest, %n)
        : (f32, !llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
      %ok = llvm.mlir.constant(0 : i32) : i32
      llvm.return %ok : i32
    }
    llvm.func @)" +
         name + "_scale" + suffix + R"(_reserve(%dims: !llvm.ptr) -> i64 {
      %four = llvm.mlir.constant(4 : i64) : i64
      %n = llvm.load %dims : !llvm.ptr -> i64
      %bytes = llvm.mul %n, %four : i64
      llvm.return %bytes : i64
    }
  )";
}

ArtifactSpec BackendTest::makeSaxpy(std::string name, float weight) {
  DType f32 = {kDTypeFloat, 32};
  ArtifactSpec spec;
  spec.name = name;
  EntryInfo main;
  main.name = "main";
  std::string two("\0\0\0\x40", 4);
  main.inputs = {{"a", f32, {}, DefaultValue{{}, two, {}}},
                 {"x", f32, {1, 4}, std::nullopt}};
  main.outputs = {{"y", f32, {1, 4}, std::nullopt}};
  EntryInfo scale;
  scale.name = "scale";
  scale.inputs = {{"x", f32, {-1}, std::nullopt}};
  scale.outputs = {{"y", f32, {-1}, std::nullopt}};
  scale.hasReserve = true;
  spec.entries = {main, scale};
  spec.symbols = {"n"};
  spec.weightsBytes = 16;
  spec.weights.push_back({0, 16, [weight](llvm::MutableArrayRef<char> out) {
                            for (unsigned i = 0; i < 4; ++i) {
                              float value = weight + i;
                              std::memcpy(out.data() + 4 * i, &value, 4);
                            }
                          }});
  spec.variants = {{2, "x86-64-v2", "", 128}, {3, "x86-64-v3", "", 256}};
  for (unsigned variant = 0; variant < 2; ++variant)
    spec.units.push_back(
        {variant, parse(getSaxpyCode(name, spec.variants[variant].level))});
  return spec;
}

std::string BackendTest::emit(ArtifactSpec &spec, OutputKind kind,
                              const std::string &file, EmitOptions options) {
  options.runtimeArchive = TENON_RUNTIME_ARCHIVE;
  llvm::Error error = emitArtifact(spec, kind, folder + "/" + file, options);
  return error ? llvm::toString(std::move(error)) : "";
}

void BackendTest::writeFile(const std::string &file,
                            const std::string &contents) {
  std::ofstream(folder + "/" + file) << contents;
}

std::string BackendTest::readFile(const std::string &file) {
  auto buffer = llvm::MemoryBuffer::getFile(folder + "/" + file);
  return buffer ? (*buffer)->getBuffer().str() : "(no such file)";
}

std::string BackendTest::run(const std::string &command) {
  std::string script = "cd " + folder + " && { " + command + "; } 2>&1";
  FILE *pipe = ::popen(script.c_str(), "r");
  std::string output;
  char buffer[4096];
  while (size_t size = ::fread(buffer, 1, sizeof buffer, pipe))
    output.append(buffer, size);
  if (int status = ::pclose(pipe))
    output += "[" + std::to_string(WEXITSTATUS(status)) + "]";
  return output;
}
