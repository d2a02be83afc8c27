// Sums per kernel, and a list of events for traces.
#include "cpu/Profile.h"
#include "io/Fail.h"

#include <stdlib.h>
#include <time.h>

namespace tenon {

struct ProfileRow {
  int64_t time, count;
  int32_t id;
};

struct ProfileEvent {
  int64_t begin, end;
  int32_t row;
};

// Rows: kernels by id, one for kernels without a name, then the entries.
struct Profile {
  tenon_dispatch_fn dispatch; // who runs kernels, as in an instance
  ProfileRow *rows;
  int64_t start;
  bool keepEvents;
  Text events; // of ProfileEvent
};

int64_t nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t(now.tv_sec) * 1000000000 + now.tv_nsec;
}

namespace {

void record(Profile &profile, int32_t row, int64_t begin, int64_t end) {
  profile.rows[row].time += end - begin;
  ++profile.rows[row].count;
  if (profile.keepEvents) {
    ProfileEvent event = {begin, end, row};
    profile.events.add(&event, sizeof event);
  }
}

void profiledDispatch(tenon_instance *handle, tenon_kernel_fn kernel,
                      const uint64_t *args, int64_t tasks, int32_t kernelId) {
  Instance &instance = *static_cast<Instance *>(handle);
  int64_t begin = nanoseconds();
  if (tenon_dispatch_fn dispatch = instance.profile->dispatch)
    dispatch(handle, kernel, args, tasks, kernelId);
  else if (tasks > 0)
    kernel(args, 0, tasks);
  int32_t unnamed = instance.signature.kernelCount;
  record(*instance.profile,
         kernelId >= 0 && kernelId < unnamed ? kernelId : unnamed, begin,
         nanoseconds());
}

const char *rowName(const Signature &signature, int32_t id) {
  int32_t unnamed = signature.kernelCount;
  return id < unnamed    ? signature.kernels[id]
         : id == unnamed ? "(other)"
                         : signature.entries[id - unnamed - 1].name;
}

int compareRows(const void *a, const void *b) {
  const ProfileRow &left = *static_cast<const ProfileRow *>(a);
  const ProfileRow &right = *static_cast<const ProfileRow *>(b);
  if (left.time != right.time)
    return left.time < right.time ? 1 : -1;
  return left.id < right.id ? -1 : 1;
}

} // namespace

void startProfile(Instance &instance, bool events) {
  const Signature &signature = instance.signature;
  size_t rows =
      size_t(signature.kernelCount) + 1 + size_t(signature.entryCount);
  Profile *profile = static_cast<Profile *>(allocate(sizeof(Profile)));
  profile->rows =
      static_cast<ProfileRow *>(allocate(rows * sizeof(ProfileRow)));
  for (size_t i = 0; i < rows; ++i)
    profile->rows[i].id = int32_t(i);
  profile->keepEvents = events;
  profile->start = nanoseconds();
  profile->dispatch = instance.dispatch;
  instance.profile = profile;
  instance.dispatch = profiledDispatch;
}

void recordCall(Instance &instance, int32_t entry, int64_t begin, int64_t end) {
  record(*instance.profile, instance.signature.kernelCount + 1 + entry, begin,
         end);
}

void printProfile(Instance &instance, Text &out) {
  const Signature &signature = instance.signature;
  ProfileRow *rows = instance.profile->rows;
  int32_t kernels = signature.kernelCount + 1;
  qsort(rows, size_t(kernels), sizeof *rows, compareRows);
  int64_t total = 0;
  for (int32_t i = 0; i < signature.entryCount; ++i)
    total += rows[kernels + i].time;
  out.add("   time (ms)   share     calls  kernel\n");
  for (int32_t i = 0; i < kernels + signature.entryCount; ++i)
    if (rows[i].count)
      out.print("%12.4f  %5.1f%%  %8lld  %s%s\n", double(rows[i].time) * 1e-6,
                total ? 100 * double(rows[i].time) / double(total) : 0,
                (long long)rows[i].count, rows[i].id < kernels ? "" : "entry ",
                rowName(signature, rows[i].id));
}

void printTrace(Instance &instance, Text &out) {
  const Profile &profile = *instance.profile;
  const ProfileEvent *events =
      reinterpret_cast<const ProfileEvent *>(profile.events.data);
  size_t count = profile.events.size / sizeof *events;
  out.add("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
  for (size_t i = 0; i < count; ++i) {
    out.add(i ? ",\n{\"name\":\"" : "\n{\"name\":\"");
    out.addJson(rowName(instance.signature, events[i].row));
    // Whole calls on one line, kernels on the next.
    out.print("\",\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f}",
              events[i].row > instance.signature.kernelCount ? 1 : 2,
              double(events[i].begin - profile.start) * 1e-3,
              double(events[i].end - events[i].begin) * 1e-3);
  }
  out.add("\n]}\n");
}

} // namespace tenon
