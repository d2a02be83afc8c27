// What the machine can do, measured while the race runs: prints JSON with
// multiply-adds per second (GFLOP/s: two each) and rates of reading, copying
// and writing (GB/s) for sets that fit L1, L2, L3 and none.
#include "protocol.h"
#include <algorithm>
#include <string>

namespace {
#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif
typedef float Vector __attribute__((vector_size(lanes * 4)));

/// Many short runs, since other programs may take turns on the core.
template <typename Run> double best(Run run) {
  double time = 1e9, end = now() + 0.3;
  for (int i = 0; i < 7 || now() < end; ++i) {
    double start = now();
    run();
    time = std::min(time, now() - start);
  }
  return time;
}

double multiplyAdds() {
  constexpr int chains = 24;
  constexpr long rounds = 20000;
  Vector sums[chains] = {}, x = {}, y = {};
  x += 0.999f;
  y += 1e-6f;
  double time = best([&] {
    for (long k = 0; k < rounds; ++k) {
#pragma clang loop unroll(full)
      for (Vector &sum : sums)
        sum = sum * x + y;
      // Not to be computed ahead.
      asm volatile("" : "+v"(sums[0]), "+v"(sums[9]));
    }
  });
  for (Vector &sum : sums)
    asm volatile("" : "+v"(sum));
  return 2.0 * lanes * chains * rounds / time * 1e-9;
}

struct Rates {
  double read, copy;
};

Rates rates(size_t bytes) {
  size_t count = bytes / sizeof(Vector) / 8 * 8;
  auto *data = static_cast<Vector *>(aligned_alloc(4096, bytes));
  std::fill(data, data + bytes / sizeof(Vector), Vector{});
  long rounds = std::max(1L, long(10000000 / bytes));
  double read = best([&] {
    Vector sums[8] = {};
    for (long r = 0; r < rounds; ++r)
      for (size_t i = 0; i < count; i += 8)
#pragma clang loop unroll(full)
        for (size_t k = 0; k < 8; ++k) {
          sums[k] += data[i + k];
          asm volatile("" : "+v"(sums[k]));
        }
  });
  // Half of the set onto the other half: bytes read and written.
  size_t half = count / 2;
  double copy = best([&] {
    for (long r = 0; r < rounds; ++r) {
      for (size_t i = 0; i < half; i += 4) {
#pragma clang loop unroll(full)
        for (size_t k = 0; k < 4; ++k)
          if (bytes > size_t(8) << 20)
            __builtin_nontemporal_store(data[i + k], data + half + i + k);
          else
            data[half + i + k] = data[i + k];
      }
      asm volatile("" ::: "memory");
    }
  });
  free(data);
  double moved = double(rounds) * 1e-9;
  return {moved * double(count * sizeof(Vector)) / read,
          moved * double(2 * half * sizeof(Vector)) / copy};
}
} // namespace

int main() {
  std::string text = "{\"gflops\": " + std::to_string(multiplyAdds());
  struct {
    const char *name;
    size_t bytes;
  } sets[] = {{"l1", 24 << 10},
              {"l2", 512 << 10},
              {"l3", 12 << 20},
              {"dram", size_t(256) << 20}};
  for (auto [name, bytes] : sets) {
    Rates rate = rates(bytes);
    text += std::string(", \"") + name +
            "_read\": " + std::to_string(rate.read) + ", \"" + name +
            "_copy\": " + std::to_string(rate.copy);
  }
  puts((text + "}").c_str());
}
