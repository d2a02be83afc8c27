// Speed of kernels against this machine's peak: `kernel-bench [filter]`.

#include "test/compiler/lowering/kernels/KernelJit.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

using namespace tenon;
using namespace tenon::test;

namespace {

/// Seconds that this thread has run: other programs' share does not count.
double now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

/// Multiply-adds on registers only, in GFLOP/s.
double measurePeak() {
  typedef float Vector __attribute__((vector_size(64)));
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    double start = now();
    int64_t rounds = 2000000;
#if defined(__AVX512F__)
    Vector s[12];
    for (int i = 0; i < 12; ++i)
      s[i] = Vector{} + float(i);
    Vector x = Vector{} + 0.999f, y = Vector{} + 1e-6f;
    for (int64_t i = 0; i < rounds; ++i) {
#pragma clang loop unroll(full)
      for (int j = 0; j < 12; ++j)
        s[j] = __builtin_elementwise_fma(s[j], x, y);
      asm volatile("" : "+v"(x), "+v"(y));
    }
    for (int i = 0; i < 12; ++i)
      asm volatile("" ::"v"(s[i]));
#endif
    best = std::max(best, rounds * 12 * 32 / (now() - start) * 1e-9);
  }
  return best;
}

struct Case {
  std::string name;
  std::vector<std::vector<int64_t>> shapes; // of %0, %1, ...; the last is C
  std::string op;                           // with %types for the operands
  double flops;
};

void run(const Case &test, const CpuTarget &target, bool dynamic, double peak) {
  std::vector<Array> arrays;
  for (const std::vector<int64_t> &shape : test.shapes)
    arrays.emplace_back("f32", shape);
  std::vector<Array *> pointers;
  std::vector<std::string> types;
  for (Array &array : arrays) {
    array.fillRandom(1);
    pointers.push_back(&array);
    // Dynamic is the first dimension of what is not weights, as in models.
    std::string type = array.getType(false);
    if (dynamic && (&array == &arrays[0] || &array == &arrays.back()))
      type = "memref<?" + type.substr(type.find('x'));
    types.push_back(type);
  }
  std::string op = test.op;
  for (size_t i = 0; i < types.size(); ++i)
    for (size_t at;
         (at = op.find("$" + std::to_string(i))) != std::string::npos;)
      op.replace(at, 2, types[i]);
  KernelJit kernel(types, op, target);
  int64_t tasks = kernel.countTasks(pointers);
  // Short kernels repeat: reading the clock takes most of a microsecond.
  double once = now();
  kernel.run(pointers, 0, tasks);
  int64_t repeats = 1 + int64_t(5e-5 / std::max(now() - once, 1e-7));
  std::vector<double> times;
  double begin = now();
  while (now() - begin < 0.4 || times.size() < 5) {
    double start = now();
    for (int64_t i = 0; i < repeats; ++i)
      kernel.run(pointers, 0, tasks);
    times.push_back((now() - start) / repeats);
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2,
                   times.end());
  double time = times[times.size() / 2];
  printf("%-28s %-10s %s %9.2f us %7.1f GFLOP/s %5.1f %%  tasks %5ld  compile "
         "%.3f %.3f %.3f s\n",
         test.name.c_str(), target.cpu.c_str(), dynamic ? "dyn" : "   ",
         time * 1e6, test.flops / time * 1e-9, test.flops / time * 1e-7 / peak,
         long(tasks), kernel.loweringSeconds, kernel.optimiseSeconds,
         kernel.codegenSeconds);
  fflush(stdout);
}

Case matmul(int64_t m, int64_t k, int64_t n) {
  return {"matmul " + std::to_string(m) + "x" + std::to_string(n) + "x" +
              std::to_string(k),
          {{m, k}, {1, (n + 15) / 16, k, 16}, {m, n}},
          "kernel.contract ins(%0, %1 : $0, $1) outs(%2 : $2) {\n"
          "^bb0(%s: f32):\n kernel.yield %s : f32\n}",
          2.0 * m * k * n};
}

/// Attention's products: `batch` matmuls at once.
Case batchMatmul(int64_t batch, int64_t m, int64_t k, int64_t n) {
  Case result = matmul(m, k, n);
  result.name = "batch " + std::to_string(batch) + " " + result.name;
  for (std::vector<int64_t> &shape : result.shapes)
    shape.insert(shape.begin(), batch);
  result.flops *= batch;
  return result;
}

/// Counts a copied element as one operation.
Case pack(int64_t batch, int64_t k, int64_t n, bool transposed) {
  std::vector<int64_t> source{batch, k, n};
  if (transposed)
    std::swap(source[1], source[2]);
  return {std::string("pack ") + (transposed ? "transposed " : "") +
              std::to_string(batch) + "x" + std::to_string(k) + "x" +
              std::to_string(n),
          {source, {batch, 1, (n + 15) / 16, k, 16}},
          std::string("kernel.pack ins(%0 : $0) outs(%1 : $1)") +
              (transposed ? "{transpose_b}" : ""),
          double(batch * k * n)};
}

Case conv(int64_t size, int64_t channels, int64_t outputs, int64_t window,
          int64_t stride, int64_t pad) {
  int64_t out = (size + stride - 1) / stride;
  std::string s = std::to_string(stride), p = std::to_string(pad);
  return {"conv " + std::to_string(window) + "x" + std::to_string(window) +
              " s" + s + " " + std::to_string(size) + " " +
              std::to_string(channels) + "->" + std::to_string(outputs),
          {{1, size, size, channels},
           {1, (outputs + 15) / 16, window, window, channels, 16},
           {1, out, out, outputs}},
          "kernel.contract ins(%0, %1 : $0, $1) outs(%2 : $2) attributes {"
          "strides = array<i64: " +
              s + ", " + s +
              ">, dilations = array<i64: 1, 1>, padding = array<i64: " + p +
              ", " + p +
              ">, input_dilation = array<i64: 1, 1>} {\n"
              "^bb0(%s: f32):\n kernel.yield %s : f32\n}",
          2.0 * out * out * outputs * window * window * channels};
}

Case window(std::string kind, int64_t size, int64_t channels, int64_t window,
            int64_t stride, int64_t pad) {
  int64_t out = (size + stride - 1) / stride;
  std::string s = std::to_string(stride), p = std::to_string(pad),
              w = std::to_string(window);
  bool depthwise = kind == "depthwise";
  Case result{
      kind + " " + w + "x" + w + " s" + s + " " + std::to_string(size) + " x" +
          std::to_string(channels),
      {{1, size, size, channels}, {1, out, out, channels}},
      "kernel.window " + kind + " ins(%0 : $0)" +
          (depthwise ? " weights(%1 : $1) outs(%2 : $2)" : " outs(%1 : $1)") +
          " attributes {window = array<i64: " + w + ", " + w +
          ">, strides = array<i64: " + s + ", " + s +
          ">, dilations = array<i64: 1, 1>, padding = array<i64: " + p + ", " +
          p + ">} {\n^bb0(%s: f32):\n kernel.yield %s : f32\n}",
      2.0 * out * out * channels * window * window};
  if (depthwise)
    result.shapes.insert(result.shapes.begin() + 1,
                         {window, window, channels, 1});
  return result;
}

} // namespace

int main(int count, char **arguments) {
  std::string filter = count > 1 ? arguments[1] : "";
  std::string level = count > 2 ? arguments[2] : "";
  double peak = measurePeak();
  printf("peak %.1f GFLOP/s\n", peak);
  std::vector<Case> cases{matmul(1024, 1024, 1024),
                          matmul(128, 3072, 768),
                          matmul(128, 768, 3072),
                          matmul(49, 512, 2048),
                          matmul(1, 4096, 1024),
                          matmul(1, 512, 512),
                          matmul(1, 4, 10),
                          matmul(31, 512, 512),
                          batchMatmul(12, 128, 64, 128),
                          batchMatmul(12, 128, 128, 64),
                          pack(12, 64, 128, true),
                          pack(12, 128, 64, false),
                          conv(56, 64, 64, 3, 1, 1),
                          conv(56, 64, 256, 1, 1, 0),
                          conv(56, 256, 128, 1, 2, 0),
                          conv(14, 256, 256, 3, 1, 1),
                          conv(7, 512, 512, 3, 1, 1),
                          conv(224, 3, 64, 7, 2, 3),
                          conv(224, 3, 32, 3, 2, 0),
                          window("depthwise", 112, 32, 3, 1, 1),
                          window("depthwise", 112, 96, 3, 2, 0),
                          window("depthwise", 14, 576, 3, 1, 1),
                          window("depthwise", 7, 960, 5, 1, 2),
                          window("max", 112, 64, 3, 2, 1),
                          window("average", 7, 2048, 7, 7, 0)};
  for (const Case &test : cases) {
    if (test.name.find(filter) == std::string::npos)
      continue;
    for (const CpuTarget &target : getTestTargets()) {
      if (target.cpu.find(level) == std::string::npos)
        continue;
      run(test, target, false, peak);
      if (target.level == 4)
        run(test, target, true, peak);
    }
  }
}
