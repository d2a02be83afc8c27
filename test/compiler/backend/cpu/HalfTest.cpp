//===- HalfTest.cpp - f16 and bf16 give APFloat's numbers -----------------===//

#include "test/compiler/backend/cpu/BackendTest.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"

#include <dlfcn.h>
#include <random>

using namespace tenon;
using llvm::APFloat;

namespace {

constexpr int64_t kCount = 1 << 17;

/// An entry that applies `body` (%v of type `from` to %r of type `to`) to
/// kCount elements.
std::string getMapCode(const std::string &from, const std::string &to,
                       const std::string &body, unsigned level) {
  return R"(
    llvm.func @half_main__v)" +
         std::to_string(level) + R"((%inst: !llvm.ptr, %in: !llvm.ptr,
                             %out: !llvm.ptr, %dims: !llvm.ptr) -> i32 {
      %n = llvm.mlir.constant(131072 : i64) : i64
      %zero = llvm.mlir.constant(0 : i64) : i64
      %one = llvm.mlir.constant(1 : i64) : i64
      %x = llvm.load %in : !llvm.ptr -> !llvm.ptr
      %y = llvm.load %out : !llvm.ptr -> !llvm.ptr
      llvm.br ^loop(%zero : i64)
    ^loop(%i: i64):
      %xi = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, )" +
         from + R"(
      %yi = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, )" +
         to + "\n%v = llvm.load %xi : !llvm.ptr -> " + from + "\n" + body +
         "\nllvm.store %r, %yi : " + to + R"(, !llvm.ptr
      %next = llvm.add %i, %one : i64
      %more = llvm.icmp "slt" %next, %n : i64
      llvm.cond_br %more, ^loop(%next : i64), ^done
    ^done:
      %ok = llvm.mlir.constant(0 : i32) : i32
      llvm.return %ok : i32
    })";
}

/// An APFloat's bits; all NaNs are one.
uint64_t getBits(const APFloat &value) {
  return value.isNaN() ? ~0ull : value.bitcastToAPInt().getZExtValue();
}

APFloat convert(APFloat value, const llvm::fltSemantics &to) {
  bool lost;
  value.convert(to, APFloat::rmNearestTiesToEven, &lost);
  return value;
}

class HalfTest : public BackendTest {
protected:
  /// Runs getMapCode(...) over `in` with the code of an x86-64 level.
  template <typename In, typename Out>
  std::vector<Out> apply(const std::vector<In> &in, const std::string &from,
                         const std::string &to, const std::string &body,
                         unsigned level) {
    ArtifactSpec spec;
    spec.name = "half";
    spec.entries.resize(1);
    spec.entries[0].name = "main";
    spec.entries[0].inputs = {{"x", {kDTypeUInt, 8}, {1}, {}}};
    spec.entries[0].outputs = {{"y", {kDTypeUInt, 8}, {1}, {}}};
    spec.variants = {
        {level, "x86-64-v" + std::to_string(level), "", 128u << (level - 2)}};
    spec.units.push_back({0, parse(getMapCode(from, to, body, level))});
    // Each library has a name of its own, else dlopen gives the first again.
    std::string file = "half" + std::to_string(number++) + ".so";
    EXPECT_EQ(emit(spec, OutputKind::SharedLibrary, file), "");
    std::vector<Out> out(kCount);
    void *library = ::dlopen((folder + "/" + file).c_str(), RTLD_NOW);
    EXPECT_TRUE(library) << ::dlerror();
    if (!library)
      return out;
    auto *create =
        reinterpret_cast<void *(*)(void *)>(::dlsym(library, "half_create"));
    auto *call = reinterpret_cast<int (*)(void *, const void *, void *)>(
        ::dlsym(library, "half_main"));
    void *instance = create(nullptr);
    EXPECT_TRUE(instance);
    EXPECT_EQ(call(instance, in.data(), out.data()), 0);
    return out;
  }

  int number = 0;

  template <typename Bits>
  static std::vector<Bits> makePatterns(std::initializer_list<Bits> special) {
    std::mt19937_64 random(7);
    std::vector<Bits> patterns(special);
    while (patterns.size() < size_t(kCount))
      patterns.push_back(Bits(random()));
    return patterns;
  }

  /// Numbers around half's range, where rounding matters most.
  static std::vector<uint32_t> makeFloats() {
    std::vector<uint32_t> floats = makePatterns<uint32_t>(
        {0, 0x80000000, 0x7f800000, 0xff800000, 0x7f800001, 0x477fefff,
         0x477ff000, 0x477fffff, 0x33000000, 0x33000001, 0x387fffff, 1});
    std::mt19937 random(8);
    for (size_t i = 1000; i < floats.size(); ++i) {
      uint32_t exponent = 100 + random() % 45;
      floats[i] =
          (floats[i] & 0x80000fff) | exponent << 23 | (random() & 0x7ff000);
    }
    return floats;
  }

  static std::vector<uint64_t> makeDoubles() {
    std::vector<uint64_t> doubles = makePatterns<uint64_t>({0, 1ull << 63});
    std::mt19937_64 random(9);
    for (size_t i = 1000; i < doubles.size(); ++i) {
      uint64_t exponent = 995 + random() % 50;
      // Few bits: exact ties and their closest neighbours are frequent.
      uint64_t mantissa = (random() & 0xffe0000000000ull) + random() % 3 - 1;
      doubles[i] = (random() & (1ull << 63)) | exponent << 52 |
                   (mantissa & 0xfffffffffffffull);
    }
    return doubles;
  }

  void checkTruncate(const std::string &type, const llvm::fltSemantics &to,
                     unsigned level) {
    std::vector<uint32_t> floats = makeFloats();
    auto narrow = apply<uint32_t, uint16_t>(
        floats, "f32", type, "%r = llvm.fptrunc %v : f32 to " + type, level);
    for (int64_t i = 0; i < kCount; ++i) {
      APFloat value(APFloat::IEEEsingle(), llvm::APInt(32, floats[i]));
      ASSERT_EQ(getBits(APFloat(to, llvm::APInt(16, narrow[i]))),
                getBits(convert(value, to)))
          << type << " of " << std::hex << floats[i];
    }
    std::vector<uint64_t> doubles = makeDoubles();
    narrow = apply<uint64_t, uint16_t>(
        doubles, "f64", type, "%r = llvm.fptrunc %v : f64 to " + type, level);
    for (int64_t i = 0; i < kCount; ++i) {
      APFloat value(APFloat::IEEEdouble(), llvm::APInt(64, doubles[i]));
      ASSERT_EQ(getBits(APFloat(to, llvm::APInt(16, narrow[i]))),
                getBits(convert(value, to)))
          << type << " of " << std::hex << doubles[i];
    }
  }

  void checkExtend(const std::string &type, const llvm::fltSemantics &from,
                   unsigned level) {
    std::vector<uint16_t> patterns(kCount);
    for (int64_t i = 0; i < kCount; ++i)
      patterns[i] = i;
    auto wide = apply<uint16_t, uint32_t>(
        patterns, type, "f32", "%r = llvm.fpext %v : " + type + " to f32",
        level);
    for (int64_t i = 0; i < kCount; ++i) {
      APFloat value(from, llvm::APInt(16, patterns[i]));
      APFloat result(APFloat::IEEEsingle(), llvm::APInt(32, wide[i]));
      ASSERT_EQ(getBits(result), getBits(convert(value, APFloat::IEEEsingle())))
          << type << " " << std::hex << i;
    }
  }

  /// x * x + 1 in the type's own arithmetic: one rounding per operation.
  void checkArithmetic(const std::string &type,
                       const llvm::fltSemantics &semantics, unsigned level) {
    std::vector<uint16_t> patterns(kCount);
    for (int64_t i = 0; i < kCount; ++i)
      patterns[i] = i;
    auto results = apply<uint16_t, uint16_t>(
        patterns, type, type,
        "%one_f = llvm.mlir.constant(1.0 : " + type + ") : " + type +
            "\n%square = llvm.fmul %v, %v : " + type +
            "\n%r = llvm.fadd %square, %one_f : " + type,
        level);
    for (int64_t i = 0; i < kCount; ++i) {
      APFloat value(semantics, llvm::APInt(16, patterns[i]));
      value = convert(value * value + APFloat::getOne(semantics), semantics);
      ASSERT_EQ(getBits(APFloat(semantics, llvm::APInt(16, results[i]))),
                getBits(value))
          << type << " " << std::hex << i;
    }
  }
};

TEST_F(HalfTest, Conversions) {
  for (unsigned level : {2, 3}) {
    if (level == 3 && !__builtin_cpu_supports("avx2"))
      continue;
    checkTruncate("f16", APFloat::IEEEhalf(), level);
    checkTruncate("bf16", APFloat::BFloat(), level);
    checkExtend("f16", APFloat::IEEEhalf(), level);
    checkExtend("bf16", APFloat::BFloat(), level);
  }
}

TEST_F(HalfTest, Arithmetic) {
  for (unsigned level : {2, 3}) {
    if (level == 3 && !__builtin_cpu_supports("avx2"))
      continue;
    checkArithmetic("f16", APFloat::IEEEhalf(), level);
    checkArithmetic("bf16", APFloat::BFloat(), level);
  }
}

TEST_F(HalfTest, OtherHelpersOfLibgcc) {
  std::vector<float> in(kCount, 3.0f);
  auto out =
      apply<float, float>(in, "f32", "f32",
                          "%e = llvm.mlir.constant(2 : i32) : i32\n"
                          "%e2 = llvm.add %e, %e : i32\n"
                          "%k = llvm.fptosi %v : f32 to i32\n"
                          "%r = llvm.intr.powi(%v, %k) : (f32, i32) -> f32",
                          2);
  EXPECT_EQ(out[0], 27.0f);
}

} // namespace
