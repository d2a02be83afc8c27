// Tables: hash maps that belong to the instance. Keys are integers or strings,
// values any elements; a value may be several of them.
#include "host/Element.h"
#include "host/FileBytes.h"
#include "host/Host.h"

#include <stdlib.h>

namespace tenon {

namespace {

struct Table : Resource {
  tenon_dtype keyType, valueType;
  int64_t width;             // elements of a value
  int64_t count, capacity;   // of entries
  char *keys, *values;       // in the order of insertion
  bool *live;                // entries that were not removed
  int64_t entries;           // live ones
  int64_t *slots, slotCount; // entry + 1, 0 where there is none
  bool initialized;

  int64_t keyBytes() const { return keyType.bits / 8; }
  int64_t valueBytes() const { return width * (valueType.bits / 8); }

  void clear() {
    for (int64_t i = 0; i < count; ++i)
      forget(i);
    free(keys);
    free(values);
    free(live);
    free(slots);
    keys = values = nullptr;
    live = nullptr;
    slots = nullptr;
    count = capacity = entries = slotCount = 0;
  }

  // Frees the strings of an entry.
  void forget(int64_t i) {
    if (keyType.code == TENON_STRING && live[i])
      free(const_cast<char *>(reinterpret_cast<tenon_string *>(keys)[i].data));
    if (valueType.code == TENON_STRING && live[i])
      for (int64_t k = 0; k < width; ++k)
        free(const_cast<char *>(
            reinterpret_cast<tenon_string *>(values)[i * width + k].data));
  }

  uint64_t hash(const char *key) const {
    uint64_t value = 0xcbf29ce484222325;
    if (keyType.code == TENON_STRING) {
      tenon_string text;
      memcpy(&text, key, sizeof text);
      for (size_t i = 0; i < text.size; ++i)
        value = (value ^ uint8_t(text.data[i])) * 0x100000001b3;
    } else {
      uint64_t number = 0;
      memcpy(&number, key, size_t(keyBytes()));
      value = number * 0x9e3779b97f4a7c15;
    }
    return value ^ value >> 32;
  }

  bool same(const char *a, const char *b) const {
    if (keyType.code != TENON_STRING)
      return !memcmp(a, b, size_t(keyBytes()));
    tenon_string first, second;
    memcpy(&first, a, sizeof first);
    memcpy(&second, b, sizeof second);
    return equal(first, second);
  }

  // The entry with this key, or -1.
  int64_t find(const char *key) const {
    if (!slotCount)
      return -1;
    for (uint64_t at = hash(key);; ++at) {
      int64_t entry = slots[at & uint64_t(slotCount - 1)] - 1;
      if (entry < 0)
        return -1;
      if (live[entry] && same(keys + entry * keyBytes(), key))
        return entry;
    }
  }

  void place(int64_t entry) {
    uint64_t at = hash(keys + entry * keyBytes());
    while (slots[at & uint64_t(slotCount - 1)])
      ++at;
    slots[at & uint64_t(slotCount - 1)] = entry + 1;
  }

  bool reserve() {
    if (count < capacity)
      return true;
    int64_t larger = capacity ? 2 * capacity : 64;
    auto grow = [&](auto *&memory, int64_t bytes) {
      void *more = realloc(memory, size_t(bytes));
      if (more)
        memory = static_cast<decltype(&*memory)>(more);
      return more != nullptr;
    };
    if (!grow(keys, larger * keyBytes()) ||
        !grow(values, larger * valueBytes() + 1) || !grow(live, larger))
      return false;
    int64_t *emptied =
        static_cast<int64_t *>(calloc(size_t(2 * larger), sizeof *slots));
    if (!emptied)
      return false;
    free(slots);
    slots = emptied;
    slotCount = 2 * larger;
    capacity = larger;
    for (int64_t i = 0; i < count; ++i)
      if (live[i])
        place(i);
    return true;
  }

  // Copies elements; strings with their bytes.
  static bool copy(tenon_dtype dtype, char *to, const char *from,
                   int64_t elements) {
    memcpy(to, from, size_t(elements * (dtype.bits / 8)));
    if (dtype.code != TENON_STRING)
      return true;
    auto *strings = reinterpret_cast<tenon_string *>(to);
    bool good = true;
    for (int64_t i = 0; i < elements; ++i) {
      char *own = static_cast<char *>(malloc(strings[i].size + 1));
      if (own && strings[i].size)
        memcpy(own, strings[i].data, strings[i].size);
      good &= own != nullptr;
      strings[i] = {own, own ? strings[i].size : 0};
    }
    return good;
  }

  bool insert(const char *key, const char *value) {
    int64_t entry = find(key);
    if (entry >= 0) {
      char *old = values + entry * valueBytes();
      if (valueType.code == TENON_STRING)
        for (int64_t k = 0; k < width; ++k)
          free(const_cast<char *>(
              reinterpret_cast<tenon_string *>(old)[k].data));
      return copy(valueType, old, value, width);
    }
    if (!reserve())
      return false;
    entry = count++;
    live[entry] = true;
    ++entries;
    bool good = copy(keyType, keys + entry * keyBytes(), key, 1);
    good &= copy(valueType, values + entry * valueBytes(), value, width);
    place(entry);
    return good;
  }

  void remove(const char *key) {
    int64_t entry = find(key);
    if (entry < 0)
      return;
    // The slot stays taken, so that searches go on behind it; its key must
    // stay readable.
    if (valueType.code == TENON_STRING)
      for (int64_t k = 0; k < width; ++k)
        free(const_cast<char *>(
            reinterpret_cast<tenon_string *>(values)[entry * width + k].data));
    if (keyType.code == TENON_STRING) {
      auto *text = reinterpret_cast<tenon_string *>(keys) + entry;
      free(const_cast<char *>(text->data));
      *text = {nullptr, 0};
    }
    live[entry] = false;
    --entries;
  }
};

Resource *createTable() {
  auto *table = static_cast<Table *>(calloc(1, sizeof(Table)));
  if (table)
    table->destroy = [](Resource *resource) {
      static_cast<Table *>(resource)->clear();
      free(resource);
    };
  return table;
}

Table *tableOf(HostCall &call, bool create) {
  Resource *found = findResource(call.instance, call.text("table"),
                                 create ? createTable : nullptr);
  return static_cast<Table *>(found);
}

// Whether a lookup may read the table. One that the model never fills is empty
// when it can change, and an error when it cannot.
bool readable(HostCall &call, Table *table) {
  if (!call.flag("fixed") || (table && table->initialized))
    return true;
  tenon_string name = call.text("table");
  return call.fail("table '%.*s' is not initialized", int(name.size),
                   name.data);
}

bool hasTypes(HostCall &call, const Table &table, tenon_dtype key,
              tenon_dtype value, int64_t width) {
  if (sameDtype(table.keyType, key) && sameDtype(table.valueType, value) &&
      table.width == width)
    return true;
  tenon_string name = call.text("table");
  return call.fail("table '%.*s' holds %s values of %lld elements by %s keys, "
                   "got %s of %lld by %s",
                   int(name.size), name.data, dtypeName(table.valueType),
                   (long long)table.width, dtypeName(table.keyType),
                   dtypeName(value), (long long)width, dtypeName(key));
}

// Makes a new table hold such keys and values; fails when it holds others.
bool adopt(HostCall &call, Table &table, tenon_dtype key, tenon_dtype value,
           int64_t width) {
  if (!table.keyType.bits) {
    table.keyType = key;
    table.valueType = value;
    table.width = width;
  }
  return hasTypes(call, table, key, value, width);
}

bool insertOnce(HostCall &call, Table &table, const char *key,
                const char *value) {
  int64_t known = table.find(key);
  if (known < 0)
    return table.insert(key, value);
  const char *old = table.values + known * table.valueBytes();
  bool same = true;
  if (table.valueType.code == TENON_STRING) {
    tenon_string first, second;
    memcpy(&first, old, sizeof first);
    memcpy(&second, value, sizeof second);
    same = equal(first, second);
  } else {
    same = !memcmp(old, value, size_t(table.valueBytes()));
  }
  return same || call.fail("a key has two different values");
}

} // namespace

TENON_HOST(table_insert) {
  Table *table = tableOf(call, true);
  if (!table)
    return false;
  int64_t count = call.inSize(0), values = call.inSize(1);
  int64_t width = count ? values / count : table->width;
  if (count * width != values)
    return call.fail("%lld keys have %lld values", (long long)count,
                     (long long)values);
  tenon_string mode = call.text("mode");
  bool once = equal(mode, "initialize");
  if (once && table->initialized)
    return true;
  if (count &&
      !adopt(call, *table, call.inputs[0].dtype, call.inputs[1].dtype, width))
    return false;
  if (equal(mode, "replace"))
    table->clear();
  for (int64_t i = 0; i < count; ++i) {
    const char *key = call.in(0) + i * table->keyBytes(),
               *value = call.in(1) + i * table->valueBytes();
    if (!(once ? insertOnce(call, *table, key, value)
               : table->insert(key, value)))
      return false;
  }
  table->initialized = true;
  return true;
}

TENON_HOST(table_remove) {
  Table *table = tableOf(call, false);
  if (!table || !table->count)
    return true;
  if (!sameDtype(table->keyType, call.inputs[0].dtype))
    return call.fail("the table's keys are %s", dtypeName(table->keyType));
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i)
    table->remove(call.in(0) + i * table->keyBytes());
  return true;
}

TENON_HOST(table_find) {
  Table *table = tableOf(call, false);
  if (!readable(call, table))
    return false;
  int64_t count = call.inSize(0), width = call.inSize(1);
  tenon_dtype key = call.inputs[0].dtype, value = call.inputs[1].dtype;
  bool filled = table && table->count;
  if (filled && !hasTypes(call, *table, key, value, width))
    return false;
  int64_t bytes = width * (value.bits / 8);
  // A value outlives the call that changes its table.
  bool strings = value.code == TENON_STRING;
  for (int64_t i = 0; i < count; ++i) {
    int64_t entry = filled ? table->find(call.in(0) + i * (key.bits / 8)) : -1;
    char *to = call.out(0) + i * bytes;
    memcpy(to, entry < 0 ? call.in(1) : table->values + entry * bytes,
           size_t(bytes));
    if (!strings || entry < 0)
      continue;
    auto *texts = reinterpret_cast<tenon_string *>(to);
    for (int64_t k = 0; k < width && !call.flag("fixed"); ++k) {
      char *own = call.memory(int64_t(texts[k].size));
      if (!own)
        return false;
      if (texts[k].size)
        memcpy(own, texts[k].data, texts[k].size);
      texts[k].data = own;
    }
  }
  return true;
}

TENON_HOST(table_size) {
  Table *table = tableOf(call, false);
  if (!readable(call, table))
    return false;
  *call.out<int64_t>(0) = table ? table->entries : 0;
  return true;
}

TENON_HOST(table_export) {
  Table *table = tableOf(call, false);
  int64_t count = table ? table->entries : 0;
  if (count && !hasTypes(call, *table, call.outputs[0].dtype,
                         call.outputs[1].dtype, table->width))
    return false;
  call.outputs[0].shape[0] = call.outputs[1].shape[0] = count;
  if (!call.allocate(0) || !call.allocate(1))
    return false;
  if (count && call.outSize(1) != count * table->width)
    return call.fail("values of the table have %lld elements",
                     (long long)table->width);
  char *key = call.out(0), *value = call.out(1);
  for (int64_t i = 0; table && i < table->count; ++i) {
    if (!table->live[i])
      continue;
    memcpy(key, table->keys + i * table->keyBytes(), size_t(table->keyBytes()));
    memcpy(value, table->values + i * table->valueBytes(),
           size_t(table->valueBytes()));
    key += table->keyBytes();
    value += table->valueBytes();
  }
  // Strings that an update of this very call would free.
  for (int32_t o = 0; o < 2; ++o)
    for (int64_t i = 0;
         call.outputs[o].dtype.code == TENON_STRING && i < call.outSize(o);
         ++i) {
      tenon_string &text = call.out<tenon_string>(o)[i];
      char *own = call.memory(int64_t(text.size));
      if (!own)
        return false;
      if (text.size)
        memcpy(own, text.data, text.size);
      text.data = own;
    }
  return true;
}

static bool typeOf(tenon_string name, tenon_dtype &dtype) {
  struct Name {
    const char *name;
    uint8_t code, bits;
  };
  static const Name names[] = {{"!graph.string", TENON_STRING, 128},
                               {"i64", TENON_INT, 64},
                               {"i32", TENON_INT, 32},
                               {"f32", TENON_FLOAT, 32},
                               {"f64", TENON_FLOAT, 64}};
  for (const Name &known : names)
    if (equal(name, known.name)) {
      dtype = {known.code, known.bits, 1};
      return true;
    }
  return false;
}

// Fills a table from lines. Column -2 is the whole line, -1 its number.
TENON_HOST(table_read_text) {
  Table *table = tableOf(call, true);
  if (!table)
    return false;
  if (table->initialized)
    return true;
  tenon_dtype keyType, valueType;
  if (!typeOf(call.text("key_name"), keyType) ||
      !typeOf(call.text("value_name"), valueType))
    return call.fail("a table of these types cannot be read from a file");
  if (!adopt(call, *table, keyType, valueType, 1))
    return false;
  Bytes file(call);
  tenon_string path = *call.strings(0), delimiter = call.text("delimiter");
  if (!readWholeFile(call, path, file))
    return false;
  int64_t limit = call.integer("size"), number = 0;
  int64_t columns[] = {call.integer("key_index"), call.integer("value_index")};
  const tenon_dtype types[] = {keyType, valueType};
  const char *at = file.data, *end = file.data + file.size;
  for (long long line = 0; at < end && (limit < 0 || number < limit); ++line) {
    const char *stop =
        static_cast<const char *>(memchr(at, '\n', size_t(end - at)));
    tenon_string text = {at, size_t((stop ? stop : end) - at)};
    at = stop ? stop + 1 : end;
    if (text.size && text.data[text.size - 1] == '\r')
      --text.size;
    if (line < call.integer("offset"))
      continue;
    char parts[2][sizeof(tenon_string)] = {};
    for (int part = 0; part < 2; ++part) {
      tenon_string field = text;
      if (columns[part] == -1) {
        if (types[part].code == TENON_STRING)
          return call.fail("line numbers cannot be strings");
        if (types[part].code == TENON_INT)
          memcpy(parts[part], &number, 8);
        else
          storeFloat(types[part], parts[part], double(number));
        continue;
      }
      for (int64_t column = 0; columns[part] >= 0; ++column) {
        const void *next = delimiter.size
                               ? memchr(field.data, *delimiter.data, field.size)
                               : nullptr;
        size_t length =
            next ? size_t(static_cast<const char *>(next) - field.data)
                 : field.size;
        if (column == columns[part]) {
          field.size = length;
          break;
        }
        if (!next)
          return call.fail("%.*s: line %lld has no column %lld", int(path.size),
                           path.data, line + 1, (long long)columns[part]);
        field.data += length + 1;
        field.size -= length + 1;
      }
      if (types[part].code == TENON_STRING)
        memcpy(parts[part], &field, sizeof field);
      else if (!parseNumber(field, types[part], parts[part]))
        return call.fail("%.*s: line %lld: '%.*s' is no %s", int(path.size),
                         path.data, line + 1, int(field.size), field.data,
                         dtypeName(types[part]));
    }
    if (!insertOnce(call, *table, parts[0], parts[1]))
      return false;
    ++number;
  }
  if (limit >= 0 && number < limit)
    return call.fail("%.*s has %lld lines, expected %lld", int(path.size),
                     path.data, (long long)number, (long long)limit);
  table->initialized = true;
  return true;
}

} // namespace tenon
