// Benchmarks: as many calls as fit into the time, in groups when a call is too
// short for the clock.
#include "main/Bench.h"
#include "cpu/Profile.h"

#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

struct Random {
  uint64_t state = 0x9e3779b97f4a7c15;
  // The next 32 bits (xorshift64*).
  uint32_t next() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return uint32_t(state * 0x2545f4914f6cdd1d >> 32);
  }
};

// Floats in [0, 1); integers 0 or 1, since many are indices; empty strings.
void fillRandom(Array &array, Random &random) {
  int code = array.dtype.code, bytes = dtypeBytes(array.dtype);
  memset(array.data, 0, array.bytes());
  for (int64_t i = 0; i < array.count; ++i) {
    char *to = array.data + i * bytes;
    double value = double(random.next()) * 0x1p-32;
    if (code == TENON_FLOAT || code == TENON_BFLOAT)
      storeFloat(array.dtype, to, value);
    else if (code == TENON_COMPLEX)
      storeFloat({TENON_FLOAT, uint8_t(bytes * 4), 1}, to, value);
    else if (code != TENON_STRING)
      *to = char(random.next() & 1);
  }
}

// Reads a word of --shape, NAME=1x28x28, for the input of that name: fixes the
// symbols of its shape.
bool takeShape(Instance &instance, const EntrySpec &entry, const char *word,
               Message &message) {
  for (int32_t i = 0; i < entry.inputCount; ++i) {
    const TensorSpec &spec = entry.inputs[i];
    size_t length = strlen(spec.name);
    if (strncmp(word, spec.name, length) || word[length] != '=')
      continue;
    const char *at = word + length + 1;
    bool good = true;
    for (int32_t axis = 0; axis < spec.rank && good; ++axis) {
      char *end;
      int64_t size = strtoll(at, &end, 10);
      good = end != at && size >= 0 && (!axis || at[-1] == 'x') &&
             (spec.shape[axis] < 0 || spec.shape[axis] == size);
      if (good && spec.shape[axis] < 0)
        instance.symbols[-1 - spec.shape[axis]] = size;
      at = *end ? end + 1 : end;
      good = good && (axis + 1 < spec.rank ? *end == 'x' : !*end);
    }
    char expected[512];
    return good || message.fail("--shape %s: input '%s' is %s", word, spec.name,
                                formatType(expected, sizeof expected,
                                           spec.dtype, spec.rank, spec.shape));
  }
  return message.fail("--shape %s: entry '%s' has no such input", word,
                      entry.name);
}

// Makes the inputs that were not given; unknown sizes are those of the inputs
// that were, or of --shape, or 1.
bool makeInputs(Instance &instance, const EntrySpec &entry, Inputs &inputs,
                const Options &options, Message &message) {
  for (int32_t i = 0; i < instance.signature.symbolCount; ++i)
    instance.symbols[i] = 1;
  for (int32_t i = 0; i < options.shapeCount; ++i)
    if (!takeShape(instance, entry, options.shapes[i], message))
      return false;
  for (int32_t i = 0; i < entry.inputCount; ++i) {
    const Array &array = inputs.arrays[i];
    const TensorSpec &spec = entry.inputs[i];
    for (int32_t k = 0; array.data && k < spec.rank && k < array.rank; ++k)
      if (spec.shape[k] < 0)
        instance.symbols[-1 - spec.shape[k]] = array.shape[k];
  }
  Random random;
  for (int32_t i = 0; i < entry.inputCount; ++i) {
    Array &array = inputs.arrays[i];
    const TensorSpec &spec = entry.inputs[i];
    if (array.data || spec.hasDefault)
      continue;
    int64_t shape[maxRank];
    for (int32_t k = 0; k < spec.rank; ++k)
      shape[k] = spec.shape[k] < 0 ? instance.symbols[-1 - spec.shape[k]]
                                   : spec.shape[k];
    if (!array.allocate(spec.dtype, spec.rank, shape, message))
      return false;
    fillRandom(array, random);
  }
  return true;
}

// The entry with fixed arguments, called as the model's own function does.
struct Target {
  Instance &instance;
  int32_t entry;
  int32_t outputCount;
  void **buffers; // NULL: the instance's memory

  bool call() {
    for (int32_t i = 0; i < outputCount; ++i)
      instance.outputs[i] = buffers[i];
    return !tenon_invoke(&instance, entry, instance.inputs, instance.outputs,
                         instance.dims);
  }
};

int compareTimes(const void *a, const void *b) {
  double left = *static_cast<const double *>(a);
  double right = *static_cast<const double *>(b);
  return left < right ? -1 : left > right;
}

bool measure(Target &target, const Options &options, Text &out,
             Message &message) {
  Instance &instance = target.instance;
  const char *name = instance.signature.entries[target.entry].name;
  // Warm up, and see how many calls the clock needs to see anything.
  uint64_t begin = nanoseconds(), elapsed = 0;
  int64_t warm = 0;
  for (; !warm || (warm < 1000 && elapsed < 20000000); ++warm) {
    if (!target.call())
      return message.fail("%s", tenon_error(&instance));
    elapsed = nanoseconds() - begin;
  }
  uint64_t single = elapsed / uint64_t(warm);
  int64_t group = single < 20000 ? int64_t(100000 / (single + 1)) + 1 : 1;

  Text samples; // of double, in nanoseconds per call
  int64_t calls = 0;
  uint64_t allocations = instance.allocations;
  uint64_t limit = uint64_t(options.benchSeconds * 1e9);
  begin = nanoseconds();
  for (uint64_t last = begin, now; last - begin < limit; last = now) {
    for (int64_t i = 0; i < group; ++i)
      if (!target.call()) {
        samples.release();
        return message.fail("%s", tenon_error(&instance));
      }
    now = nanoseconds();
    if (instance.profile)
      recordCall(instance, target.entry, last, now);
    double time = double(now - last) / double(group);
    samples.add(&time, sizeof time);
    calls += group;
    elapsed = now - begin;
  }
  allocations = instance.allocations - allocations;
  size_t count = samples.size / sizeof(double);
  if (!count)
    return message.fail("no memory for the measurements");
  double *times = reinterpret_cast<double *>(samples.data);
  qsort(times, count, sizeof *times, compareTimes);
  double least = times[0] * 1e-6, median = times[count / 2] * 1e-6;
  double perSecond = double(calls) / double(elapsed) * 1e9;
  double perCall = double(allocations) / double(calls);
  samples.release();
  out.print("entry '%s': min %.6g ms, median %.6g ms, %.6g calls/s, "
            "%.3g allocations per call, threads %d\n",
            name, least, median, perSecond, perCall, instance.threads);
  if (options.json) {
    out.add("{\"entry\":\"");
    out.addJson(name);
    out.print("\",\"min_ms\":%.9g,\"median_ms\":%.9g,\"calls\":%.9g,"
              "\"allocations\":%.9g}\n",
              least, median, perSecond, perCall);
  }
  return true;
}

} // namespace

bool runBench(Instance &instance, int32_t number, Inputs &inputs,
              const Options &options, Text &out, Message &message) {
  const EntrySpec &entry = instance.signature.entries[number];
  if (!makeInputs(instance, entry, inputs, options, message))
    return false;
  // A checked call first: it says what is wrong, and fixes all sizes.
  size_t words = size_t(entry.inputCount) + 2 * size_t(entry.outputCount) + 1;
  size_t tensors = size_t(entry.inputCount + entry.outputCount) + 1;
  char *room = static_cast<char *>(
      calloc(1, words * sizeof(void *) + tensors * sizeof(tenon_tensor)));
  if (!room)
    return message.fail("no memory for the measurements");
  tenon_tensor *tensor = reinterpret_cast<tenon_tensor *>(room);
  void **arguments = reinterpret_cast<void **>(tensor + tensors);
  void **results = arguments + entry.inputCount;
  Target target{instance, number, entry.outputCount,
                results + entry.outputCount};
  for (int32_t i = 0; i < entry.inputCount; ++i)
    if (inputs.arrays[i].data) {
      tensor[i] = inputs.arrays[i].tensor();
      arguments[i] = &tensor[i];
    }
  for (int32_t i = 0; i < entry.outputCount; ++i)
    results[i] = &tensor[entry.inputCount + i];
  bool good = !tenon_call(&instance, number,
                          reinterpret_cast<tenon_tensor **>(arguments),
                          reinterpret_cast<tenon_tensor **>(results)) ||
              message.fail("%s", tenon_error(&instance));
  // Results of known sizes go to memory of the caller, as in most programs.
  for (int32_t i = 0; good && i < entry.outputCount; ++i) {
    const TensorSpec &spec = entry.outputs[i];
    int64_t count =
        countElements(spec.rank, spec.shape, dtypeBytes(spec.dtype));
    if (count >= 0)
      target.buffers[i] = aligned_alloc(
          64, (size_t(count * dtypeBytes(spec.dtype)) + 64) & ~size_t(63));
  }
  good = good && measure(target, options, out, message);
  for (int32_t i = 0; i < entry.outputCount; ++i)
    free(target.buffers[i]);
  free(room);
  return good;
}

} // namespace tenon
