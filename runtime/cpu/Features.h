// What this machine's CPU and operating system can run.
#ifndef TENON_RUNTIME_CPU_FEATURES_H
#define TENON_RUNTIME_CPU_FEATURES_H

#include <stdint.h>

namespace [[gnu::visibility("hidden")]] tenon {

// The highest x86-64 level of this machine: 0 on other architectures, 1 when
// even v2 is missing. Asked for once in a process.
uint32_t machineLevel();

// Whether code made for `required` runs on a machine that has `present`.
bool canRun(uint32_t required, uint32_t present);

} // namespace tenon

#endif // TENON_RUNTIME_CPU_FEATURES_H
