// What this machine's CPU and operating system can run.
#ifndef TENON_RUNTIME_CPU_FEATURES_H
#define TENON_RUNTIME_CPU_FEATURES_H

#include <stdint.h>

namespace [[gnu::visibility("hidden")]] tenon {

// The machine in the form of tenon_variant.cpu_level: the highest x86-64 level
// (0 on other architectures, 1 when even v2 is missing) and, above it, the
// bits of TENON_CPU_FEATURES. Asked for once in a process.
uint32_t machineLevel();

// Whether code made for `required` runs on a machine that has `present`.
bool canRun(uint32_t required, uint32_t present);

} // namespace tenon

#endif // TENON_RUNTIME_CPU_FEATURES_H
