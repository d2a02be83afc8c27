// Protocol buffers: writing fields, and reading bytes that nobody vouches for.
#ifndef TENON_RUNTIME_HOST_PROTO_H
#define TENON_RUNTIME_HOST_PROTO_H

#include "host/Host.h"

namespace [[gnu::visibility("hidden")]] tenon {

inline void addVarint(Bytes &to, uint64_t value) {
  while (value >= 128) {
    to.add(char(value | 128));
    value >>= 7;
  }
  to.add(char(value));
}

inline void addTag(Bytes &to, uint32_t field, uint32_t wire) {
  addVarint(to, field << 3 | wire);
}

inline void addField(Bytes &to, uint32_t field, tenon_string bytes) {
  addTag(to, field, 2);
  addVarint(to, bytes.size);
  to.add(bytes);
}

inline void addField(Bytes &to, uint32_t field, const Bytes &message) {
  addField(to, field, {message.data, size_t(message.size)});
}

// A double that is left out when all its bits are 0.
inline void addDouble(Bytes &to, uint32_t field, double value) {
  if (!__builtin_bit_cast(uint64_t, value))
    return;
  addTag(to, field, 1);
  to.add(&value, 8);
}

// Reads the fields of a message one after the other.
struct ProtoReader {
  const char *at, *end;
  uint32_t field = 0, wire = 0;
  uint64_t number = 0;     // of wires 0, 1 and 5
  tenon_string bytes = {}; // of wire 2
  bool bad = false;

  explicit ProtoReader(tenon_string message)
      : at(message.data), end(message.data + message.size) {}

  // False at the end, and where the bytes are no message (`bad`).
  bool next() {
    if (bad || at == end)
      return false;
    uint64_t tag = varint();
    field = uint32_t(tag >> 3);
    wire = uint32_t(tag & 7);
    if (!field || tag >> 32)
      bad = true;
    switch (wire) {
    case 0:
      number = varint();
      break;
    case 1:
      number = fixed(8);
      break;
    case 5:
      number = fixed(4);
      break;
    case 2: {
      uint64_t size = varint();
      if (bad || size > uint64_t(end - at)) {
        bad = true;
        break;
      }
      bytes = {at, size_t(size)};
      at += size;
      break;
    }
    default: // groups are long gone
      bad = true;
    }
    return !bad;
  }

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at == end)
        break;
      uint64_t byte = uint8_t(*at++);
      value |= (byte & 127) << shift;
      if (byte < 128)
        return value;
    }
    bad = true;
    return 0;
  }

  uint64_t fixed(int64_t size) {
    uint64_t value = 0;
    if (end - at < size) {
      bad = true;
      return 0;
    }
    memcpy(&value, at, size_t(size));
    at += size;
    return value;
  }
};

} // namespace tenon

#endif // TENON_RUNTIME_HOST_PROTO_H
