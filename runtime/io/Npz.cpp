// Reading zip archives, with the 64-bit extensions.
#include "io/Npz.h"
#include "io/Npy.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

// Little-endian number; the caller has checked the bounds.
uint64_t number(const char *at, int bytes) {
  uint64_t value = 0;
  memcpy(&value, at, size_t(bytes));
  return value;
}

// Part of zlib's interface that is needed; its layout has been stable since
// 1995.
struct ZStream {
  const char *in;
  unsigned inLeft;
  unsigned long inTotal;
  char *out;
  unsigned outLeft;
  unsigned long outTotal;
  const char *text;
  void *state, *allocate, *release, *opaque;
  int dataType;
  unsigned long adler, reserved;
};

// Inflates exactly `unpacked` bytes.
bool inflateRaw(const char *from, size_t packed, char *to, size_t unpacked,
                Message &message) {
  void *library = dlopen("libz.so.1", RTLD_NOW);
  if (!library)
    return message.fail("compressed .npz files need libz.so.1: install the "
                        "package zlib1g");
  auto init = reinterpret_cast<int (*)(ZStream *, int, const char *, int)>(
      dlsym(library, "inflateInit2_"));
  auto inflate =
      reinterpret_cast<int (*)(ZStream *, int)>(dlsym(library, "inflate"));
  auto finish =
      reinterpret_cast<int (*)(ZStream *)>(dlsym(library, "inflateEnd"));
  bool good = false;
  ZStream stream = {};
  // -15: raw deflate data, with the largest window.
  if (init && inflate && finish &&
      !init(&stream, -15, "1", int(sizeof stream))) {
    stream.in = from;
    stream.out = to;
    int status = 0;
    while (!status) {
      // Its counters have 32 bits.
      size_t inLeft = size_t(from + packed - stream.in);
      size_t outLeft = size_t(to + unpacked - stream.out);
      stream.inLeft = inLeft < INT_MAX ? unsigned(inLeft) : INT_MAX;
      stream.outLeft = outLeft < INT_MAX ? unsigned(outLeft) : INT_MAX;
      status = inflate(&stream, 0);
    }
    good = status == 1 && stream.out == to + unpacked;
    finish(&stream);
  }
  dlclose(library);
  return good || message.fail("damaged compressed data");
}

} // namespace

bool Npz::open(const char *newBytes, size_t newSize, Message &message) {
  bytes = newBytes;
  size = newSize;
  // The end record stands before a comment of at most 64 KB.
  size_t lowest = size > 22 + 65535 ? size - 22 - 65535 : 0;
  if (size < 22)
    return message.fail("not an .npz file");
  for (size_t at = size - 22;; --at) {
    const char *end = bytes + at;
    if (!memcmp(end, "PK\5\6", 4) && number(end + 20, 2) <= size - at - 22) {
      count = number(end + 10, 2);
      directorySize = number(end + 12, 4);
      directory = number(end + 16, 4);
      bool wide = count == 0xffff || directorySize == 0xffffffff ||
                  directory == 0xffffffff;
      if (wide && at >= 20 && !memcmp(end - 20, "PK\6\7", 4)) {
        uint64_t record = number(end - 12, 8);
        if (record <= size && size - record >= 56 &&
            !memcmp(bytes + record, "PK\6\6", 4)) {
          count = number(bytes + record + 32, 8);
          directorySize = number(bytes + record + 40, 8);
          directory = number(bytes + record + 48, 8);
        }
      }
      if (directory > at || directorySize > at - directory)
        return message.fail("damaged .npz file: its directory is outside");
      return true;
    }
    if (at == lowest)
      return message.fail("not an .npz file, or cut off");
  }
}

bool Npz::next(uint64_t &cursor, Entry &entry, Message &message) const {
  message.text[0] = 0;
  if (cursor >= directorySize)
    return false;
  const char *at = bytes + directory + cursor;
  uint64_t left = directorySize - cursor;
  if (left < 46 || memcmp(at, "PK\1\2", 4))
    return message.fail("damaged .npz directory");
  entry.flags = uint16_t(number(at + 8, 2));
  entry.method = uint16_t(number(at + 10, 2));
  entry.crc = uint32_t(number(at + 16, 4));
  entry.packed = number(at + 20, 4);
  entry.unpacked = number(at + 24, 4);
  entry.offset = number(at + 42, 4);
  uint64_t nameSize = number(at + 28, 2), extraSize = number(at + 30, 2);
  uint64_t whole = 46 + nameSize + extraSize + number(at + 32, 2);
  if (whole > left)
    return message.fail("damaged .npz directory");
  entry.name = at + 46;
  entry.nameSize = nameSize;
  if (nameSize > 4 && !memcmp(entry.name + nameSize - 4, ".npy", 4))
    entry.nameSize -= 4;
  // The 64-bit field holds, in this order, what did not fit into 32.
  const char *extra = at + 46 + nameSize;
  while (extraSize >= 4) {
    uint64_t length = number(extra + 2, 2);
    if (length > extraSize - 4)
      break;
    const char *value = extra + 4;
    uint64_t *fields[] = {&entry.unpacked, &entry.packed, &entry.offset};
    for (uint64_t *field : fields)
      if (number(extra, 2) == 1 && *field == 0xffffffff && length >= 8) {
        *field = number(value, 8);
        value += 8;
        length -= 8;
      }
    uint64_t step = 4 + number(extra + 2, 2);
    extra += step;
    extraSize -= step;
  }
  cursor += whole;
  return true;
}

bool Npz::find(const char *name, Entry &entry) const {
  Message unused;
  for (uint64_t cursor = 0; next(cursor, entry, unused);)
    if (entry.nameSize == strlen(name) &&
        !memcmp(entry.name, name, entry.nameSize))
      return true;
  return false;
}

bool Npz::read(const Entry &entry, Array &out, Message &message) const {
  if (entry.flags & 1)
    return message.fail("the file is encrypted");
  if (entry.offset > size || size - entry.offset < 30 ||
      memcmp(bytes + entry.offset, "PK\3\4", 4))
    return message.fail("damaged .npz file");
  const char *local = bytes + entry.offset;
  uint64_t skip = 30 + number(local + 26, 2) + number(local + 28, 2);
  uint64_t left = size - entry.offset;
  if (skip > left || entry.packed > left - skip)
    return message.fail("the .npz file ends early");
  const char *data = local + skip;
  if (entry.method == 0) {
    if (entry.packed != entry.unpacked)
      return message.fail("damaged .npz file");
    return crc32(data, entry.packed) == entry.crc
               ? readNpy(data, entry.packed, out, message)
               : message.fail("wrong checksum");
  }
  if (entry.method != 8)
    return message.fail("compression method %d is not supported", entry.method);
  // Deflate shrinks to a 1032nd at best: larger claims are not worth memory.
  if (entry.unpacked / 1040 > entry.packed + 1)
    return message.fail("damaged .npz file");
  char *plain = static_cast<char *>(malloc(entry.unpacked + 1));
  if (!plain)
    return message.fail("no memory for %llu bytes",
                        (unsigned long long)entry.unpacked);
  bool good = inflateRaw(data, entry.packed, plain, entry.unpacked, message) &&
              (crc32(plain, entry.unpacked) == entry.crc ||
               message.fail("wrong checksum")) &&
              readNpy(plain, entry.unpacked, out, message);
  free(plain);
  return good;
}

} // namespace tenon
