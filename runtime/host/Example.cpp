// TensorFlow's Example messages: Example { Features features = 1 }, Features
// { map<string, Feature> feature = 1 }, Feature { oneof { BytesList = 1,
// FloatList = 2, Int64List = 3 } }, each list { repeated value = 1 }.
#include "host/Proto.h"

namespace tenon {

namespace {

// What is known of one feature in one example.
struct Feature {
  bool present = false;
  uint32_t kind = 0; // field of the list: 1 bytes, 2 floats, 3 integers
  tenon_string list = {};
};

uint32_t kindOf(tenon_dtype dtype) {
  return dtype.code == TENON_STRING ? 1 : dtype.code == TENON_FLOAT ? 2 : 3;
}

// Calls `take` for each value of a list; false when the bytes are none.
template <typename Take>
bool eachValue(uint32_t kind, tenon_string list, Take take) {
  ProtoReader reader(list);
  while (reader.next()) {
    if (reader.field != 1)
      continue;
    if (kind == 1) {
      if (reader.wire != 2)
        return false;
      take(&reader.bytes);
    } else if (kind == 2) {
      if (reader.wire == 5) {
        uint32_t bits = uint32_t(reader.number);
        take(&bits);
      } else if (reader.wire == 2 && reader.bytes.size % 4 == 0) {
        for (size_t i = 0; i < reader.bytes.size; i += 4)
          take(reader.bytes.data + i);
      } else {
        return false;
      }
    } else if (reader.wire == 0) {
      take(&reader.number);
    } else if (reader.wire == 2) {
      ProtoReader packed(reader.bytes);
      while (!packed.bad && packed.at != packed.end) {
        uint64_t value = packed.varint();
        if (!packed.bad)
          take(&value);
      }
      if (packed.bad)
        return false;
    } else {
      return false;
    }
  }
  return !reader.bad;
}

// Finds the features of one example that are asked for. The last of several
// entries with one key counts, as in a map.
struct Finder {
  HostCall &call;
  int64_t sparse, dense;
  Feature *features; // sparse ones, then dense ones

  int64_t find(tenon_string key) const {
    for (int64_t i = 0; i < sparse; ++i)
      if (equal(key, call.text("sparse_keys", i)))
        return i;
    for (int64_t i = 0; i < dense; ++i)
      if (equal(key, call.text("dense_keys", i)))
        return sparse + i;
    return -1;
  }

  bool readEntry(tenon_string entry) {
    ProtoReader reader(entry);
    tenon_string key = {"", 0}, value = {"", 0};
    while (reader.next()) {
      if (reader.wire != 2)
        continue;
      if (reader.field == 1)
        key = reader.bytes;
      if (reader.field == 2)
        value = reader.bytes;
    }
    Feature feature;
    ProtoReader kinds(value);
    while (kinds.next())
      if (kinds.wire == 2 && kinds.field <= 3) {
        feature = {true, kinds.field, kinds.bytes};
      }
    if (reader.bad || kinds.bad)
      return false;
    int64_t place = find(key);
    if (place >= 0)
      features[place] = feature;
    // A key may be asked for as sparse and dense.
    for (int64_t i = 0; place >= 0 && place < sparse && i < dense; ++i)
      if (equal(key, call.text("dense_keys", i)))
        features[sparse + i] = feature;
    return true;
  }

  bool read(tenon_string example) {
    for (int64_t i = 0; i < sparse + dense; ++i)
      features[i] = Feature();
    ProtoReader outer(example);
    while (outer.next()) {
      if (outer.field != 1 || outer.wire != 2)
        continue;
      ProtoReader inner(outer.bytes);
      while (inner.next())
        if (inner.field == 1 && inner.wire == 2 && !readEntry(inner.bytes))
          return false;
      if (inner.bad)
        return false;
    }
    return !outer.bad;
  }
};

struct Parser {
  HostCall &call;
  int64_t batch, sparse, dense;
  Feature *features; // of all examples

  const Feature &at(int64_t example, int64_t feature) const {
    return features[example * (sparse + dense) + feature];
  }

  bool wrongKind(int64_t example, tenon_string key) {
    return call.fail("example %lld, feature '%.*s': data types don't match",
                     (long long)example, int(key.size), key.data);
  }

  bool count(const Feature &feature, int64_t &values) {
    values = 0;
    if (!feature.present)
      return true;
    return eachValue(feature.kind, feature.list,
                     [&](const void *) { ++values; }) ||
           call.fail("could not parse an example's feature");
  }

  bool runSparse(int64_t number) {
    bool single = call.inputs[0].ndim == 0;
    tenon_string key = call.text("sparse_keys", number);
    tenon_tensor &values = call.outputs[sparse + number];
    int64_t total = 0, most = 0, unit = values.dtype.bits / 8;
    for (int64_t i = 0; i < batch; ++i) {
      const Feature &feature = at(i, number);
      if (feature.present && feature.kind != kindOf(values.dtype))
        return wrongKind(i, key);
      int64_t own;
      if (!count(feature, own))
        return false;
      total += own;
      most = own > most ? own : most;
    }
    if (!call.allocate(int32_t(number), total, single ? 1 : 2) ||
        !call.allocate(int32_t(sparse + number), total))
      return false;
    auto *index = call.out<int64_t>(int32_t(number));
    char *to = call.out(int32_t(sparse + number));
    for (int64_t i = 0; i < batch; ++i) {
      const Feature &feature = at(i, number);
      int64_t column = 0;
      if (feature.present)
        eachValue(feature.kind, feature.list, [&](const void *value) {
          memcpy(to, value, size_t(unit));
          to += unit;
          if (!single)
            *index++ = i;
          *index++ = column++;
        });
    }
    auto *shape = call.out<int64_t>(int32_t(2 * sparse + number));
    if (!single)
      *shape++ = batch;
    *shape = most;
    return true;
  }

  // `sizes` are the feature's, the first may be -1.
  bool runDense(int64_t number, int64_t firstSize) {
    bool single = call.inputs[0].ndim == 0;
    int64_t place = sparse + number, rank = call.integer("dense_ranks", number);
    int32_t output = int32_t(3 * sparse + number);
    tenon_tensor &result = call.outputs[output];
    const tenon_tensor &given = call.inputs[1 + number];
    tenon_string key = call.text("dense_keys", number);
    int64_t unit = result.dtype.bits / 8, row = 1;
    bool varies = rank && call.integer("dense_sizes", firstSize) < 0;
    for (int64_t d = varies ? 1 : 0; d < rank; ++d)
      row *= call.integer("dense_sizes", firstSize + d);
    int64_t most = varies ? 0 : 1, defaults = call.count(given);
    for (int64_t i = 0; i < batch; ++i) {
      const Feature &feature = at(i, place);
      int64_t values;
      if (feature.present && feature.kind != kindOf(result.dtype))
        return wrongKind(i, key);
      if (!count(feature, values))
        return false;
      if (!feature.present && !varies && !defaults && row)
        return call.fail("example %lld, feature '%.*s' is required but could "
                         "not be found",
                         (long long)i, int(key.size), key.data);
      if (!feature.present)
        continue;
      if (varies ? row == 0 || values % row : values != row)
        return call.fail("example %lld, feature '%.*s': number of values is "
                         "%lld, expected %s%lld",
                         (long long)i, int(key.size), key.data,
                         (long long)values, varies ? "a multiple of " : "",
                         (long long)row);
      if (varies && values / row > most)
        most = values / row;
    }
    if (varies) {
      int32_t d = 0;
      if (!single)
        result.shape[d++] = batch;
      result.shape[d++] = most;
      for (int64_t i = 1; i < rank; ++i)
        result.shape[d++] = call.integer("dense_sizes", firstSize + i);
      if (!call.allocate(output))
        return false;
    }
    // What an example lacks is filled up with the default.
    int64_t length = most * row;
    char *to = call.out(output);
    for (int64_t i = 0; i < batch; ++i, to += length * unit) {
      const Feature &feature = at(i, place);
      char *next = to;
      if (feature.present)
        eachValue(feature.kind, feature.list, [&](const void *value) {
          memcpy(next, value, size_t(unit));
          next += unit;
        });
      for (int64_t k = (next - to) / unit; k < length; ++k)
        if (!defaults)
          memset(to + k * unit, 0, size_t(unit));
        else
          memcpy(to + k * unit,
                 static_cast<const char *>(given.data) +
                     (defaults == 1 ? 0 : k % defaults) * unit,
                 size_t(unit));
    }
    return true;
  }

  bool run() {
    for (int64_t i = 0; i < sparse; ++i)
      if (!runSparse(i))
        return false;
    int64_t firstSize = 0;
    for (int64_t i = 0; i < dense; ++i) {
      if (!runDense(i, firstSize))
        return false;
      firstSize += call.integer("dense_ranks", i);
    }
    return true;
  }
};

} // namespace

TENON_HOST(parse_example) {
  int64_t batch = call.inSize(0), sparse = call.size("sparse_keys"),
          dense = call.size("dense_keys");
  int64_t total = batch * (sparse + dense);
  Feature *features = call.array<Feature>(total);
  if (!features)
    return false;
  for (int64_t i = 0; i < batch; ++i) {
    Finder finder{call, sparse, dense, features + i * (sparse + dense)};
    if (!finder.read(call.strings(0)[i]))
      return call.fail("could not parse example %lld", (long long)i);
  }
  return Parser{call, batch, sparse, dense, features}.run();
}

} // namespace tenon
