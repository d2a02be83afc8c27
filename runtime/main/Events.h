// TensorBoard's event files: what --logdir writes.
#ifndef TENON_RUNTIME_MAIN_EVENTS_H
#define TENON_RUNTIME_MAIN_EVENTS_H

#include "core/Instance.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Adds to the event file in `folder`, which is made at the first call, those
// results that are summaries. The step is the variable global_step, else
// `run`.
void logSummaries(const Instance &instance, const char *folder, int32_t run,
                  const tenon_tensor *results, int32_t count);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_EVENTS_H
