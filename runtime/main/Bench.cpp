// Benchmarks: as many calls as fit into the time, in groups when a call is too
// short for the clock.
#include "main/Bench.h"
#include "cpu/Profile.h"
#include "io/Fail.h"
#include "io/Tensor.h"
#include "main/Call.h"

#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

// Reads a word of --shape, NAME=1x28x28: fixes the symbols of the input.
void takeShape(Instance &instance, const EntrySpec &entry, const char *word) {
  size_t length = strcspn(word, "=");
  for (int32_t i = 0; i < entry.inputCount; ++i) {
    const TensorSpec &spec = entry.inputs[i];
    if (behind(word, spec.name) != word + length)
      continue;
    const char *at = word + length;
    for (int32_t axis = 0; *at && axis < spec.rank; ++axis) {
      char *end;
      int64_t size = int64_t(strtoull(at + 1, &end, 10)),
              wanted = spec.shape[axis];
      if (size < 0 || end == at + 1 || (wanted >= 0 && wanted != size))
        break;
      if (wanted < 0)
        instance.symbols[-1 - wanted] = size;
      at = end;
      if (axis + 1 == spec.rank ? !*at : *at == 'x')
        length = 0; // good so far
      else
        break;
      if (!*at)
        return;
    }
    char expected[512];
    fail("--shape %s: input '%s' is %s", word, spec.name,
         formatType(expected, sizeof expected, spec.dtype, spec.rank,
                    spec.shape));
  }
  fail("--shape %s: entry '%s' has no such input", word, entry.name);
}

// Makes the inputs that were not given; unknown sizes are those of the inputs
// that were, or of --shape, or 1.
void makeInputs(Instance &instance, const EntrySpec &entry,
                tenon_tensor *inputs, const Words &shapes) {
  for (int32_t i = 0; i < instance.signature.symbolCount; ++i)
    instance.symbols[i] = 1;
  for (int32_t i = 0; i < shapes.count; ++i)
    takeShape(instance, entry, shapes.list[i]);
  for (int32_t i = 0; i < entry.inputCount; ++i)
    for (int32_t k = 0; k < inputs[i].ndim && k < entry.inputs[i].rank; ++k)
      if (entry.inputs[i].shape[k] < 0)
        instance.symbols[-1 - entry.inputs[i].shape[k]] = inputs[i].shape[k];
  uint64_t random = 0x9e3779b97f4a7c15;
  for (int32_t i = 0; i < entry.inputCount; ++i) {
    const TensorSpec &spec = entry.inputs[i];
    if (inputs[i].data || spec.hasDefault)
      continue;
    int64_t shape[maxRank];
    for (int32_t k = 0; k < spec.rank; ++k)
      shape[k] = spec.shape[k] < 0 ? instance.symbols[-1 - spec.shape[k]]
                                   : spec.shape[k];
    inputs[i] = makeTensor(spec.dtype, spec.rank, shape);
    // Floats in [0, 1); integers 0 or 1, since many are indices; empty
    // strings.
    bool floats = isReal(spec.dtype) || spec.dtype.code == TENON_COMPLEX;
    int64_t count = elementCount(inputs[i]);
    memset(inputs[i].data, 0, byteCount(inputs[i]));
    for (int64_t k = 0; k < count && spec.dtype.code != TENON_STRING; ++k) {
      random = random * 6364136223846793005 + 1442695040888963407;
      Number number = {};
      number.real = floats ? double(int64_t(random >> 40)) * 0x1p-24
                           : double(int64_t(random >> 63));
      storeNumber(spec.dtype, bytesOf(inputs[i]) + k * dtypeBytes(spec.dtype),
                  number);
    }
  }
}

int compareTimes(const void *a, const void *b) {
  double left = *static_cast<const double *>(a);
  double right = *static_cast<const double *>(b);
  return left < right ? -1 : left > right;
}

// In place, so that a call costs no other call.
template <typename Call>
[[gnu::always_inline]] inline void measure(Instance &instance, int32_t number,
                                           const Options &options, Text &out,
                                           Call call) {
  failContext.status = 2;
  double seconds =
      *options.bench ? optionNumber("--bench", options.bench, 0.001) : 1;
  failContext.status = 1;
  const char *name = instance.signature.entries[number].name;
  // Calls in a group, after which the clock is looked at.
  // Signed, since those become doubles in one instruction.
  int64_t begin, now, last, calls, group = 1, allocations;
  Text samples; // of double: milliseconds per call
  // The first round, of 20 ms at most, warms up and sees how long calls take.
  int64_t limit = 20000000;
  for (int round = 0; round < 2; ++round) {
    samples.size = 0;
    calls = 0;
    allocations = int64_t(instance.allocations);
    begin = last = nanoseconds();
    do {
      for (int64_t i = 0; i < group; ++i)
        call();
      now = nanoseconds();
      double time = double(now - last) / double(group) * 1e-6;
      samples.add(&time, sizeof time);
      if (instance.profile)
        recordCall(instance, number, last, now);
      last = now;
      calls += group;
    } while (now - begin < limit);
    int64_t single = (now - begin) / calls;
    if (single < 20000)
      group = 100000 / (single + 1) + 1;
    limit = int64_t(seconds * 1e9);
  }
  size_t count = samples.size / sizeof(double);
  double *times = reinterpret_cast<double *>(samples.data);
  qsort(times, count, sizeof *times, compareTimes);
  double perSecond = double(calls) / double(now - begin) * 1e9;
  double perCall =
      double(int64_t(instance.allocations) - allocations) / double(calls);
  out.print("entry '%s': min %.6g ms, median %.6g ms, %.6g calls/s, %.3g "
            "allocations per call, threads %d\n",
            name, times[0], times[count / 2], perSecond, perCall,
            instance.threads);
  if (!options.json)
    return;
  out.add("{\"entry\":\"");
  out.addJson(name);
  out.print("\",\"min_ms\":%.9g,\"median_ms\":%.9g,\"calls\":%.9g,"
            "\"allocations\":%.9g}\n",
            times[0], times[count / 2], perSecond, perCall);
}

} // namespace

void runBench(Instance &instance, int32_t number, tenon_tensor *inputs,
              const Options &options, Text &out) {
  const EntrySpec &entry = instance.signature.entries[number];
  makeInputs(instance, entry, inputs, options.shapes);
  // A checked call first: it says what is wrong, and fixes all sizes. Results
  // of known sizes then go to memory of the caller, as in most programs.
  tenon_tensor *results = callEntry(instance, number, inputs);
  void **buffers = static_cast<void **>(
      allocate(size_t(entry.outputCount) * sizeof(void *)));
  for (int32_t i = 0; i < entry.outputCount; ++i) {
    const TensorSpec &spec = entry.outputs[i];
    if (countElements(spec.rank, spec.shape, dtypeBytes(spec.dtype)) >= 0)
      buffers[i] = copyTensor(results[i]).data;
  }
  measure(instance, number, options, out, [&] {
    memcpy(instance.outputs, buffers,
           size_t(entry.outputCount) * sizeof(void *));
    // What the model's own function does.
    if (tenon_invoke(&instance, number, instance.inputs, instance.outputs,
                     instance.dims))
      fail("%s", tenon_error(&instance));
  });
}

void measureCalls(Instance &instance, int32_t number, const Options &options,
                  Text &out, void (*call)(void *), void *context) {
  measure(instance, number, options, out, [=] { call(context); });
}

} // namespace tenon
