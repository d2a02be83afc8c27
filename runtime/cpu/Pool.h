// The threads of an instance. Forking and joining costs about a microsecond
// while the threads are awake; they sleep when nothing comes for a while.
#ifndef TENON_RUNTIME_CPU_POOL_H
#define TENON_RUNTIME_CPU_POOL_H

#include "tenon/abi.h"

namespace [[gnu::visibility("hidden")]] tenon {

struct Pool;

// Number of cores that this process may use, at least 1.
int32_t coreCount();

// Starts threads - 1 threads (the caller of runTasks is the last one). Fewer
// when the system refuses; NULL when there is no second thread.
Pool *startPool(int32_t threads);

// Ends the threads.
void stopPool(Pool *pool);

// Threads in the pool, the caller included.
int32_t poolSize(const Pool *pool);

// Runs the kernel over [0, tasks), in any order and split anyhow: the result
// is the same, since tasks are independent.
void runTasks(Pool *pool, tenon_kernel_fn kernel, const uint64_t *args,
              int64_t tasks);

} // namespace tenon

#endif // TENON_RUNTIME_CPU_POOL_H
