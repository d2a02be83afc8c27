// The threads of an instance whose model has kernels of several tasks.
#include "core/Instance.h"

namespace tenon {

namespace {

void dispatchTasks(tenon_instance *handle, tenon_kernel_fn kernel,
                   const uint64_t *args, int64_t tasks, int32_t);

// Starts the pool, with fewer threads when the system refuses.
void startThreads(Instance &instance) {
  instance.pool = startPool(instance.threads);
  instance.threads = poolSize(instance.pool);
  if (!instance.pool && instance.dispatch == dispatchTasks)
    instance.dispatch = nullptr;
}

// What instance->dispatch is with threads.
void dispatchTasks(tenon_instance *handle, tenon_kernel_fn kernel,
                   const uint64_t *args, int64_t tasks, int32_t) {
  Instance &instance = *static_cast<Instance *>(handle);
  if (tasks > 1 && instance.threads > 1 && !instance.pool)
    startThreads(instance);
  if (instance.pool)
    runTasks(instance.pool, kernel, args, tasks);
  else if (tasks > 0)
    kernel(args, 0, tasks);
}

void use(Instance &instance, int32_t threads, bool atOnce) {
  // What is left for the CPU beside a GPU is little.
  if (instance.device)
    threads = 1;
  instance.threads = threads > 0 ? threads : coreCount();
  if (instance.threads < 2)
    return;
  instance.dispatch = dispatchTasks;
  if (atOnce)
    startThreads(instance);
}

} // namespace
} // namespace tenon

const tenon_thread_functions tenon_threads = {tenon::use, tenon::stopPool};
