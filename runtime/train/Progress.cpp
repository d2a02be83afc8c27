#include "train/Progress.h"
#include "core/System.h"
#include "cpu/Profile.h"
#include "io/Fail.h"
#include "io/File.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>

namespace tenon::train {

void printMetric(Text &out, const char *prefix, const char *name,
                 double value) {
  out.print(fabs(value) > 1e-3 ? " - %s%s: %.4f" : " - %s%s: %.4e", prefix,
            name, value);
}

namespace {

void printMetrics(Text &out, const char *prefix, const Metrics &metrics) {
  for (int32_t i = 0; i < metrics.count; ++i)
    printMetric(out, prefix, metrics.names[i], metrics.values[i]);
}

void printStepTime(Text &out, double seconds) {
  if (seconds >= 1 || seconds == 0)
    out.print(" %.0fs/step", seconds);
  else if (seconds >= 1e-3)
    out.print(" %.0fms/step", seconds * 1e3);
  else
    out.print(" %.0fus/step", seconds * 1e6);
}

int digits(int64_t number) {
  int count = 1;
  while (number /= 10)
    ++count;
  return count;
}

} // namespace

void Progress::start(int64_t newSteps, int64_t done, int64_t newBatch) {
  isTerminal = isatty(STDOUT_FILENO);
  steps = newSteps;
  batch = newBatch;
  first = done;
  begin = nanoseconds();
  shown = afterFirst = 0;
  width = 0;
}

bool Progress::isDue(int64_t done) {
  if (!isTerminal)
    return false;
  int64_t now = nanoseconds();
  if (done == first + 1)
    afterFirst = now;
  return now - shown > 50000000;
}

double Progress::stepSeconds(int64_t done, int64_t now) const {
  // The first step is slower than the others.
  int64_t own = done - first;
  if (own <= 0)
    return 0;
  if (afterFirst && own > 1)
    return double(now - afterFirst) * 1e-9 / double(own - 1);
  return double(now - begin) * 1e-9 / double(own);
}

void Progress::show(int64_t done, const Metrics &metrics) {
  int64_t now = shown = nanoseconds();
  double each = stepSeconds(done, now);
  Text info;
  int64_t left = int64_t(each * double(steps - done));
  if (left > 3600)
    info.print("%d:%02d:%02d", int(left / 3600), int(left % 3600 / 60),
               int(left % 60));
  else if (left > 60)
    info.print("%d:%02d", int(left / 60), int(left % 60));
  else
    info.print("%ds", int(left));
  printStepTime(info, each);
  if (each > 0)
    info.print(" - %.0f samples/s", double(batch) / each);
  printMetrics(info, "", metrics);

  line.size = 0;
  line.print("\r\x1b[1m%*lld/%lld\x1b[0m \x1b[32m", digits(steps),
             (long long)done, (long long)steps);
  int full = int(20 * done / (steps ? steps : 1));
  for (int i = 0; i < 20; ++i) {
    if (i == full)
      line.add("\x1b[37m");
    line.add("━");
  }
  line.add("\x1b[0m ");
  line.add(info.data, info.size);
  size_t length = info.size;
  line.pad(' ', int64_t(width > length ? width - length : 0));
  width = length;
  writeAll(STDOUT_FILENO, line.data, line.size);
}

void Progress::finish(const Metrics &metrics, const Metrics *validation,
                      const char *extra, double extraValue) {
  int64_t now = nanoseconds();
  double each = stepSeconds(steps, now);
  line.size = 0;
  if (isTerminal)
    line.add("\r");
  line.print("%lld/%lld - %.0fs -", (long long)steps, (long long)steps,
             double(now - begin) * 1e-9);
  printStepTime(line, each);
  if (each > 0 && isTerminal)
    line.print(" - %.0f samples/s", double(batch) / each);
  printMetrics(line, "", metrics);
  if (validation)
    printMetrics(line, "val_", *validation);
  if (extra)
    printMetric(line, "", extra, extraValue);
  if (isTerminal)
    line.pad(' ', 20);
  line.add("\n");
  writeAll(STDOUT_FILENO, line.data, line.size);
}

// ---- history

// As Keras's CSVLogger writes it: a vector between quotation marks.
static void addCell(Text &row, const Metrics &metrics, int32_t i) {
  const char *mark = metrics.sizes[i] ? "\"" : "";
  row.print(",%s", mark);
  metrics.print(row, i, /*json=*/false);
  row.add(mark);
}

void History::open(const char *file, const Metrics &metrics, bool validates,
                   bool rate, int64_t epoch) {
  path = file;
  hasRate = rate;
  header.add("epoch");
  // By name, as Keras's CSVLogger has them; those of validation come last.
  bool pending = rate;
  for (int32_t i = 0; i < metrics.count; ++i) {
    if (pending && strcmp(metrics.names[i], "learning_rate") > 0) {
      header.add(",learning_rate");
      pending = false;
    }
    header.print(",%s", metrics.names[i]);
  }
  if (pending)
    header.add(",learning_rate");
  for (int32_t i = 0; validates && i < metrics.count; ++i)
    header.print(",val_%s", metrics.names[i]);
  header.add("\n");

  Text kept;
  kept.add(header.data, header.size);
  if (epoch && !systemCall(SYS_faccessat, AT_FDCWD, path, 0)) {
    Text old = readFile(path);
    const char *at = old.terminated(), *end = at + old.size;
    if (old.size < header.size || memcmp(at, header.data, header.size))
      fail("its columns are not those of this run, %.*s", int(header.size - 1),
           header.data);
    at += header.size;
    failContext.file = nullptr;
    // A killed run may have written rows that are to come again.
    for (int64_t row = 0; row < epoch && at != end; ++row) {
      const char *next = strchr(at, '\n');
      if (!next)
        break;
      kept.add(at, size_t(next + 1 - at));
      at = next + 1;
    }
  }
  int output = openOutput(path);
  writeAll(output, kept.data, kept.size);
  closeOutput(output, path);
}

void History::add(int64_t epoch, const Metrics &metrics,
                  const Metrics *validation, double rate) {
  Text row;
  row.print("%lld", (long long)epoch);
  bool pending = hasRate;
  for (int32_t i = 0; i < metrics.count; ++i) {
    if (pending && strcmp(metrics.names[i], "learning_rate") > 0) {
      row.print(",%.9g", rate);
      pending = false;
    }
    addCell(row, metrics, i);
  }
  if (pending)
    row.print(",%.9g", rate);
  for (int32_t i = 0; validation && i < validation->count; ++i)
    addCell(row, *validation, i);
  row.add("\n");
  int file = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0)
    fail("%s: cannot write: %s", path, strerror(errno));
  writeAll(file, row.data, row.size);
  close(file);
}

} // namespace tenon::train
