// Summary messages, byte for byte as TensorFlow writes them.
#include "host/Element.h"
#include "host/Proto.h"

#include <float.h>

namespace tenon {

// Summary { repeated Value value = 1 }, Value { tag = 1, simple_value = 2,
// histo = 5 }.
static void addValue(Bytes &to, tenon_string tag, const Bytes &rest) {
  Bytes value(to.call);
  if (tag.size)
    addField(value, 1, tag);
  value.add(rest.data, rest.size);
  addField(to, 1, value);
}

TENON_HOST(scalar_summary) {
  int64_t count = call.inSize(0);
  if (count != call.inSize(1))
    return call.fail("%lld tags have %lld values", (long long)count,
                     (long long)call.inSize(1));
  StringWriter writer(call, 0);
  for (int64_t i = 0; i < count; ++i) {
    float number = float(numberAt(call.inputs[1], i));
    Bytes rest(call);
    addTag(rest, 2, 5);
    rest.add(&number, 4);
    addValue(writer, call.strings(0)[i], rest);
  }
  writer.end();
  return writer.finish();
}

namespace {
// Buckets that grow by a tenth, from 1e-12 to 1e20 and their negatives.
struct Histogram {
  enum { positive = 776 }; // of them 775 are used
  double limits[2 * positive + 1], counts[2 * positive + 1] = {};
  double least = DBL_MAX, most = -DBL_MAX, number = 0, sum = 0, squares = 0;
  int size = 0;

  Histogram() {
    double steps[positive];
    int count = 0;
    for (double value = 1e-12; value < 1e20 && count < positive - 1;
         value *= 1.1)
      steps[count++] = value;
    steps[count++] = DBL_MAX;
    for (int i = count; i--;)
      limits[size++] = -steps[i];
    limits[size++] = 0;
    for (int i = 0; i < count; ++i)
      limits[size++] = steps[i];
  }

  void add(double value) {
    int low = 0, high = size;
    while (low < high) { // the first limit above the value
      int middle = (low + high) / 2;
      if (limits[middle] > value)
        high = middle;
      else
        low = middle + 1;
    }
    counts[low < size ? low : size - 1] += 1;
    least = value < least ? value : least;
    most = value > most ? value : most;
    number += 1;
    sum += value;
    squares += value * value;
  }

  void write(Bytes &to) const {
    addDouble(to, 1, least);
    addDouble(to, 2, most);
    addDouble(to, 3, number);
    addDouble(to, 4, sum);
    addDouble(to, 5, squares);
    Bytes ends(to.call), filled(to.call);
    for (int i = 0; i < size;) {
      double end = limits[i], count = counts[i];
      ++i;
      if (count <= 0) // a run of empty buckets is one
        for (; i < size && counts[i] <= 0; ++i)
          end = limits[i];
      ends.add(&end, 8);
      filled.add(&count, 8);
    }
    addField(to, 6, ends);
    addField(to, 7, filled);
  }
};
} // namespace

TENON_HOST(histogram_summary) {
  auto *histogram = call.array<Histogram>(1);
  if (!histogram)
    return false;
  *histogram = Histogram();
  tenon_string tag = *call.strings(0);
  for (int64_t i = 0, count = call.inSize(1); i < count; ++i) {
    double value = numberAt(call.inputs[1], i);
    if (!isFinite(value))
      return call.fail("%s in summary histogram for: %.*s",
                       value != value ? "Nan" : "Infinity", int(tag.size),
                       tag.data);
    histogram->add(value);
  }
  Bytes message(call), rest(call);
  histogram->write(message);
  addField(rest, 5, message);
  StringWriter writer(call, 0);
  addValue(writer, tag, rest);
  writer.end();
  return writer.finish();
}

// The tag of a Value, or false when the bytes are none.
static bool tagOf(tenon_string value, tenon_string &tag) {
  ProtoReader reader(value);
  tag = {"", 0};
  while (reader.next())
    if (reader.field == 1 && reader.wire == 2)
      tag = reader.bytes;
  return !reader.bad;
}

TENON_HOST(merge_summary) {
  StringWriter writer(call, 0);
  Bytes tags(call); // all so far, as tenon_string
  for (int32_t t = 0; t < call.inputCount; ++t)
    for (int64_t i = 0, count = call.inSize(t); i < count; ++i) {
      ProtoReader reader(call.strings(t)[i]);
      while (reader.next()) {
        tenon_string tag;
        if (reader.field != 1 || reader.wire != 2)
          continue;
        if (!tagOf(reader.bytes, tag)) {
          reader.bad = true;
          break;
        }
        const tenon_string *known =
            reinterpret_cast<const tenon_string *>(tags.data);
        for (int64_t k = 0; tag.size && k < tags.size / 16; ++k)
          if (equal(known[k], tag))
            return call.fail("duplicate tag %.*s found in summary inputs",
                             int(tag.size), tag.data);
        tags.add(&tag, sizeof tag);
        addField(writer, 1, reader.bytes);
      }
      if (reader.bad)
        return call.fail("could not parse one of the summary inputs");
    }
  writer.end();
  return writer.finish();
}

} // namespace tenon
