//===- Targets.h - what fuzzers call --------------------------------------===//
//
// A fuzzer is a program with several targets; TENON_FUZZ_TARGET names the one
// that a run is about. The same targets replay the kept corpus in the tests.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TEST_FUZZ_TARGETS_H
#define TENON_TEST_FUZZ_TARGETS_H

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenon::fuzz {

struct Target {
  const char *name;
  void (*run)(std::string_view input);
};

/// The targets of this program; the last one's name is null.
extern const Target targets[];

/// Takes the next of the parts that an input is packed from: a length of three
/// bytes, and so many bytes (or all that are left).
inline std::string_view takePart(std::string_view &input) {
  size_t length = 0;
  for (int i = 0; i < 3 && !input.empty(); ++i, input.remove_prefix(1))
    length = length << 8 | uint8_t(input.front());
  std::string_view part = input.substr(0, length);
  input.remove_prefix(part.size());
  return part;
}

/// Writes a file that readers are given the name of.
void writeFile(const char *path, std::string_view contents);

/// A folder of this process's own, in memory where there is such a place.
const char *scratchFolder();

} // namespace tenon::fuzz

#endif // TENON_TEST_FUZZ_TARGETS_H
