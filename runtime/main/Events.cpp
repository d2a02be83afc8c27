// An event file holds records: a length and its check sum, an Event, and its
// check sum. The first one tells the version.
#include "main/Events.h"
#include "checkpoint/Format.h"
#include "io/Fail.h"
#include "io/File.h"
#include "io/Tensor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

namespace tenon {

using namespace checkpoint;

namespace {

double now() {
  timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

} // namespace

void writeEvent(int file, uint64_t step, unsigned field, const char *bytes,
                size_t size) {
  Text event, record, contents;
  double time = now();
  addVarint(event, EventWallTime << 3 | Fixed64);
  event.add(&time, sizeof time);
  if (step)
    addField(event, EventStep, step);
  contents.add(bytes, size);
  addField(event, field, contents);
  uint64_t length = event.size;
  record.add(&length, sizeof length);
  uint32_t crc = maskedCrc(record.data, sizeof length);
  record.add(&crc, sizeof crc);
  record.add(event.data, event.size);
  crc = maskedCrc(event.data, event.size);
  record.add(&crc, sizeof crc);
  writeAll(file, record.data, record.size);
}

int openEvents(const char *folder) {
  Text path;
  path.print("%s/", folder);
  for (char *at = const_cast<char *>(path.terminated()) + 1; *at; ++at)
    if (*at == '/') {
      *at = 0;
      if (mkdir(path.data, 0777) && errno != EEXIST)
        fail("--logdir %s: %s", folder, strerror(errno));
      *at = '/';
    }
  utsname machine = {};
  uname(&machine);
  path.print("events.out.tfevents.%010lld.%s.%d", (long long)time(nullptr),
             machine.nodename, int(getpid()));
  failContext.file = path.terminated();
  int file = open(path.data, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0)
    fail("cannot write: %s", strerror(errno));
  writeEvent(file, 0, EventVersion, "brain.Event:2", 13);
  failContext.file = nullptr;
  return file;
}

namespace {

// Steps over a field; false when it is malformed.
bool skipField(const char *&at, const char *end, uint64_t &tag) {
  uint64_t size;
  if (!takeVarint(at, end, tag))
    return false;
  unsigned wire = tag & 7;
  if (wire == Varint)
    return takeVarint(at, end, size);
  if (wire == Fixed64 || wire == Fixed32)
    size = wire == Fixed64 ? 8 : 4;
  else if (wire != Delimited || !takeVarint(at, end, size))
    return false;
  if (size > size_t(end - at))
    return false;
  at += size;
  return true;
}

// Whether bytes are a Summary: values that have a tag or a node's name each.
bool isSummary(const tenon_string &text) {
  const char *at = text.data, *end = at + text.size;
  while (at != end) {
    uint64_t tag, size;
    if (!takeVarint(at, end, tag) || tag != (1 << 3 | Delimited) ||
        !takeVarint(at, end, size) || size > size_t(end - at))
      return false;
    bool named = false;
    for (const char *valueEnd = at + size; at != valueEnd;) {
      if (!skipField(at, valueEnd, tag))
        return false;
      named |= tag == (1 << 3 | Delimited) || tag == (7 << 3 | Delimited);
    }
    if (!named)
      return false;
  }
  return text.size;
}

uint64_t findStep(const Instance &instance, int32_t run) {
  const Signature &signature = instance.signature;
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    const VariableSpec &variable = signature.variables[i];
    if (strcmp(variable.name, "global_step") || variable.rank ||
        variable.dtype.code != TENON_INT ||
        !instance.state[variable.flagOffset])
      continue;
    tenon_tensor view = {};
    view.dtype = variable.dtype;
    view.data = instance.state + variable.stateOffset;
    return loadNumber(view, 0).size;
  }
  return uint64_t(run);
}

} // namespace

void logSummaries(const Instance &instance, const char *folder, int32_t run,
                  const tenon_tensor *results, int32_t count) {
  static int file = -1;
  if (file < 0)
    file = openEvents(folder);
  for (int32_t i = 0; i < count; ++i) {
    if (results[i].dtype.code != TENON_STRING)
      continue;
    const tenon_string *texts = stringsOf(results[i]);
    for (int64_t k = 0; k < elementCount(results[i]); ++k)
      if (isSummary(texts[k]))
        writeEvent(file, findStep(instance, run), EventSummary, texts[k].data,
                   texts[k].size);
  }
}

} // namespace tenon
