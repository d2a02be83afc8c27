// Time per kernel. Costs nothing unless it is started: calls of kernels go
// through instance->dispatch, which is NULL or the plain pool otherwise.
#ifndef TENON_RUNTIME_CPU_PROFILE_H
#define TENON_RUNTIME_CPU_PROFILE_H

#include "core/Instance.h"
#include "io/Text.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Nanoseconds of a clock that only goes forward.
int64_t nanoseconds();

// Times all kernels of the instance from now on, and, with `events`, keeps
// every single run of a kernel for the trace.
void startProfile(Instance &instance, bool events);

// Adds the time of a whole call of an entry.
void recordCall(Instance &instance, int32_t entry, int64_t begin, int64_t end);

// The table: kernels with most time first, then the entries.
void printProfile(Instance &instance, Text &out);

// Chrome's trace format (chrome://tracing, Perfetto).
void printTrace(Instance &instance, Text &out);

} // namespace tenon

#endif // TENON_RUNTIME_CPU_PROFILE_H
