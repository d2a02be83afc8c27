// What TensorFlow's checkpoints are made of: check sums, protocol buffers and
// sorted tables. Nothing in the bytes is trusted.
#ifndef TENON_RUNTIME_CHECKPOINT_FORMAT_H
#define TENON_RUNTIME_CHECKPOINT_FORMAT_H

#include "core/Signature.h"
#include "io/Text.h"

namespace tenon {
namespace [[gnu::visibility("hidden")]] checkpoint {

struct Bytes {
  const char *data;
  size_t size;
};

// The CRC-32C of bytes, as it is stored: rotated, so that bytes which hold
// check sums can be summed too.
uint32_t maskedCrc(const char *bytes, size_t size);
// Whether that is the stored one. Fuzzers take any, to get behind it.
bool crcFits(const char *bytes, size_t size, uint64_t stored);

// TensorFlow's number of an element type, 0 when it has none.
int typeNumber(tenon_dtype dtype);

// ---- protocol buffers

enum Wire { Varint = 0, Fixed64 = 1, Delimited = 2, Fixed32 = 5 };

// The fields of a message, one after the other.
struct Fields {
  const char *at, *end;
  uint32_t field = 0, wire = 0;
  uint64_t number = 0; // of Varint, Fixed64 and Fixed32
  Bytes bytes = {};    // of Delimited

  explicit Fields(Bytes message)
      : at(message.data), end(message.data + message.size) {}

  // Steps to the next field; false at the end. Fails when it is malformed.
  bool next();

  // What the field holds when it has that number, else nothing.
  Bytes subMessage(uint32_t wanted) const {
    return field == wanted && wire == Delimited ? bytes : Bytes{nullptr, 0};
  }
};

// Reads a varint; false when it does not end before `end`.
bool takeVarint(const char *&at, const char *end, uint64_t &value);
void addVarint(Text &out, uint64_t value);
// Adds a field of that wire type.
void addField(Text &out, unsigned field, uint64_t value);
void addField(Text &out, unsigned field, const Text &message);

// ---- tables: LevelDB's format, without compression

struct TableEntry {
  size_t key, keySize; // in Table::keys
  Bytes value;         // in the file
};

struct Table {
  Text keys;
  Text list; // of TableEntry

  size_t count() const { return list.size / sizeof(TableEntry); }
  const TableEntry *entries() const {
    return reinterpret_cast<const TableEntry *>(list.data);
  }

  // Reads a whole file. Fails when it is no table, or damaged.
  void read(Bytes file);

  // The value of a key, NULL data when there is none.
  Bytes find(Bytes key) const;

private:
  uint64_t covered = 0; // end of the data block that was read last
  void readBlock(Bytes file, uint64_t offset, uint64_t size, bool index);
};

// Whether a file ends as a table does.
bool isTable(Bytes file);

// Writes a table; keys come in ascending order.
struct TableWriter {
  Text block, restarts, lastKey;

  void add(Bytes key, const Text &value);
  // All of the file.
  Text finish();
};

} // namespace checkpoint
} // namespace tenon

#endif // TENON_RUNTIME_CHECKPOINT_FORMAT_H
