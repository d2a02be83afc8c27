//===- KernelJit.h - compiles one kernel op and runs it in place ----------===//

#ifndef TENON_TEST_COMPILER_LOWERING_KERNELS_KERNELJIT_H
#define TENON_TEST_COMPILER_LOWERING_KERNELS_KERNELJIT_H

#include "compiler/backend/cpu/Target.h"

#include <complex>
#include <memory>
#include <string>
#include <vector>

namespace tenon::test {

/// Memory with guards on both sides, and the shape that a kernel sees.
class Array {
public:
  Array(std::string element, std::vector<int64_t> shape);

  const std::string &getElement() const { return element; }
  const std::vector<int64_t> &getShape() const { return shape; }
  int64_t size() const;
  /// Element types as MLIR spells them: f16, bf16, f32, f64, iN, complex<fN>.
  void set(int64_t index, std::complex<double> value);
  std::complex<double> get(int64_t index) const;
  void fillRandom(uint64_t seed); // floats in [-1, 1], integers in [-5, 5]
  void fillBytes(char value);
  char *data() { return bytes.data() + kGuard; }
  size_t getByteSize() const { return bytes.size() - 2 * kGuard; }
  bool isGuardIntact() const;

  /// memref<...>, every size `?` when dynamic. `strides` (in elements) when not
  /// row-major.
  std::string getType(bool dynamic) const;
  std::vector<int64_t> strides;
  void transposeLast(); // swaps the last two dimensions of the view

private:
  static constexpr size_t kGuard = 256;
  std::string element;
  std::vector<int64_t> shape;
  std::vector<char> bytes;
  bool rowMajor = true;
  size_t elementBytes;
};

/// The CPUs of levels 2 to 4 that this machine can run, highest first; with the
/// highest one with tiles, which are emulated, and one that multiplies bf16
/// where this machine does.
std::vector<CpuTarget> getTestTargets();

/// A number that the environment may give instead: TENON_TEST_SEED, ...
int64_t fromEnvironment(const char *name, int64_t otherwise);

class KernelJit {
public:
  /// `arguments` are the memref types of %0, %1, ...; `op` is the op's text
  /// over them. Exits with the diagnostics when it does not compile.
  KernelJit(const std::vector<std::string> &arguments, const std::string &op,
            const CpuTarget &target);
  ~KernelJit();

  int64_t countTasks(const std::vector<Array *> &arrays) const;
  void run(const std::vector<Array *> &arrays, int64_t begin,
           int64_t end) const;
  /// All tasks, in pieces when there are several, the last ones first.
  void runAll(const std::vector<Array *> &arrays) const;

  double loweringSeconds = 0, optimiseSeconds = 0, codegenSeconds = 0;

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace tenon::test

#endif // TENON_TEST_COMPILER_LOWERING_KERNELS_KERNELJIT_H
