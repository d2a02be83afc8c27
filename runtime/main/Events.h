// TensorBoard's event files: what --logdir writes.
#ifndef TENON_RUNTIME_MAIN_EVENTS_H
#define TENON_RUNTIME_MAIN_EVENTS_H

#include "core/Instance.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Fields of an Event.
enum EventField {
  EventWallTime = 1,
  EventStep = 2,
  EventVersion = 3,
  EventGraph = 4,
  EventSummary = 5
};

// Begins an event file in a folder, which is made when it is not there.
int openEvents(const char *folder);

// Adds an event with one field of bytes.
void writeEvent(int file, uint64_t step, unsigned field, const char *bytes,
                size_t size);

// Adds to the event file in `folder`, which is made at the first call, those
// results that are summaries. The step is the variable global_step, else
// `run`.
void logSummaries(const Instance &instance, const char *folder, int32_t run,
                  const tenon_tensor *results, int32_t count);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_EVENTS_H
