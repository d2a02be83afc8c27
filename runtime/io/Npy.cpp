// The .npy format: a magic string, a version, the length of a header, and the
// header: a Python dictionary with the keys descr, fortran_order and shape.
#include "io/Npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

// Reads the header's Python literals.
struct Header {
  const char *at, *end;
  char descr[16] = {};
  bool fortran = false, haveShape = false, haveOrder = false;
  int32_t rank = 0;
  int64_t shape[maxRank] = {};

  void blanks() {
    while (at < end && (*at == ' ' || (*at >= '\t' && *at <= '\r')))
      ++at;
  }

  bool take(char mark) {
    blanks();
    if (at == end || *at != mark)
      return false;
    ++at;
    return true;
  }

  bool word(const char *text) {
    size_t length = strlen(text);
    blanks();
    if (size_t(end - at) < length || memcmp(at, text, length))
      return false;
    at += length;
    return true;
  }

  // A quoted string without escapes, cut to the room.
  bool quoted(char *out, size_t room) {
    blanks();
    if (at == end || (*at != '\'' && *at != '"'))
      return false;
    char quote = *at++;
    size_t used = 0;
    for (; at < end && *at != quote; ++at) {
      if (*at == '\\' || used + 1 >= room)
        return false;
      out[used++] = *at;
    }
    out[used] = 0;
    return take(quote);
  }

  bool size(int64_t &value) {
    blanks();
    const char *start = at;
    value = 0;
    for (; at < end && *at >= '0' && *at <= '9'; ++at)
      if (__builtin_mul_overflow(value, int64_t(10), &value) ||
          __builtin_add_overflow(value, int64_t(*at - '0'), &value))
        return false;
    if (at == start)
      return false;
    if (at < end && *at == 'L') // as Python 2 wrote long integers
      ++at;
    return true;
  }

  bool readShape() {
    if (!take('('))
      return false;
    while (!take(')')) {
      if (rank == maxRank || !size(shape[rank]))
        return false;
      ++rank;
      if (!take(',')) {
        if (rank < 2) // (3) is no tuple
          return false;
        return take(')');
      }
    }
    return true;
  }

  bool read(Message &message) {
    if (!take('{'))
      return message.fail("not an .npy header");
    while (!take('}')) {
      char key[16];
      if (!quoted(key, sizeof key) || !take(':'))
        return message.fail("damaged .npy header");
      bool good = false;
      if (!strcmp(key, "descr")) {
        blanks();
        if (at < end && *at == '[')
          return message.fail("structured dtypes are not supported");
        good = !*descr && quoted(descr, sizeof descr);
      } else if (!strcmp(key, "fortran_order")) {
        fortran = word("True");
        good = !haveOrder && (fortran || word("False"));
        haveOrder = true;
      } else if (!strcmp(key, "shape")) {
        good = !haveShape && readShape();
        haveShape = true;
      }
      if (!good)
        return message.fail("damaged .npy header at '%.8s'", key);
      if (take(','))
        continue;
      if (!take('}'))
        return message.fail("damaged .npy header");
      break;
    }
    if (!*descr || !haveShape || !haveOrder)
      return message.fail("incomplete .npy header");
    return true;
  }
};

// What descr says: the type, the bytes of an element in the file, and whether
// they are swapped.
bool readDescr(const char *descr, tenon_dtype &type, int64_t &bytes,
               bool &swapped, Message &message) {
  const char *at = descr;
  swapped = *at == '>';
  if (strchr("<>|=", *at))
    ++at;
  char kind = *at ? *at++ : 0;
  char *rest;
  bytes = *at >= '0' && *at <= '9' ? strtol(at, &rest, 10) : -1;
  type.lanes = 1;
  type.code = 255;
  if (bytes >= 0 && bytes <= 1 << 30 && !*rest) {
    bool power = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
    type.bits = uint8_t(bytes * 8);
    if (kind == 'b' && bytes == 1)
      type.code = TENON_BOOL;
    else if ((kind == 'i' || kind == 'u') && power)
      type.code = kind == 'i' ? TENON_INT : TENON_UINT;
    else if (kind == 'f' && power && bytes > 1)
      type.code = TENON_FLOAT;
    else if (kind == 'c' && (bytes == 8 || bytes == 16))
      type.code = TENON_COMPLEX;
    else if (kind == 'V' && bytes == 2)
      type.code = TENON_BFLOAT;
    else if (kind == 'S' || kind == 'a')
      type = {TENON_STRING, 128, 1};
  }
  if (type.code != 255)
    return true;
  if (kind == 'O')
    return message.fail("object arrays are not supported");
  if (kind == 'U')
    return message.fail("text of dtype '%s' is not supported: save bytes, for "
                        "example array.astype('S')",
                        descr);
  return message.fail("dtype '%s' is not supported", descr);
}

void swapBytes(char *data, size_t count, int width) {
  for (size_t i = 0; i < count; ++i, data += width)
    for (int low = 0, high = width - 1; low < high; ++low, --high) {
      char kept = data[low];
      data[low] = data[high];
      data[high] = kept;
    }
}

// Copies elements of `width` bytes from column-major to row-major order.
void reorder(const char *from, char *to, const Array &array, size_t width) {
  int64_t index[maxRank] = {};
  int64_t steps[maxRank];
  int64_t step = int64_t(width);
  for (int32_t i = 0; i < array.rank; ++i) {
    steps[i] = step;
    step *= array.shape[i];
  }
  for (int64_t i = 0; i < array.count; ++i, to += width) {
    memcpy(to, from, width);
    for (int32_t axis = array.rank - 1; axis >= 0; --axis) {
      from += steps[axis];
      if (++index[axis] < array.shape[axis])
        break;
      from -= steps[axis] * array.shape[axis];
      index[axis] = 0;
    }
  }
}

} // namespace

bool readNpy(const char *bytes, size_t size, Array &out, Message &message) {
  const unsigned char *head = reinterpret_cast<const unsigned char *>(bytes);
  if (size < 10 || memcmp(bytes, "\x93NUMPY", 6))
    return message.fail("not an .npy file");
  if (head[6] < 1 || head[6] > 3)
    return message.fail("unknown .npy version %d.%d", head[6], head[7]);
  size_t start = head[6] == 1 ? 10 : 12;
  size_t length = head[8] | size_t(head[9]) << 8;
  if (head[6] > 1 && size >= 12)
    length |= size_t(head[10]) << 16 | size_t(head[11]) << 24;
  if (size < start || length > size - start)
    return message.fail(".npy file ends inside its header");

  Header header{bytes + start, bytes + start + length};
  tenon_dtype type;
  int64_t width;
  bool swapped;
  if (!header.read(message) ||
      !readDescr(header.descr, type, width, swapped, message))
    return false;
  size_t left = size - start - length;
  int64_t count =
      countElements(header.rank, header.shape, int(width > 16 ? width : 16));
  if (count < 0)
    return message.fail("the array's shape is too large");
  if (uint64_t(count) * uint64_t(width) > left)
    return message.fail("the file ends early: the array needs %llu bytes, "
                        "%zu follow its header",
                        (unsigned long long)(uint64_t(count) * uint64_t(width)),
                        left);
  if (!out.allocate(type, header.rank, header.shape, message))
    return false;

  const char *from = bytes + start + length;
  char *to = out.data;
  size_t total = size_t(count * width);
  bool strings = type.code == TENON_STRING;
  if (strings)
    to = out.text = static_cast<char *>(malloc(total + 1));
  if (!to) {
    out.release();
    return message.fail("no memory for %zu bytes of strings", total);
  }
  if (header.fortran && header.rank > 1)
    reorder(from, to, out, size_t(width));
  else if (total)
    memcpy(to, from, total);
  for (int64_t i = 0; strings && i < count; ++i) {
    size_t used = size_t(width); // zeros at the end only fill up
    while (used && !to[i * width + int64_t(used) - 1])
      --used;
    reinterpret_cast<tenon_string *>(out.data)[i] = {to + i * width, used};
  }
  if (swapped && !strings) {
    bool halves = type.code == TENON_COMPLEX;
    swapBytes(to, size_t(count) << halves, int(width) >> halves);
  }
  for (int64_t i = 0; type.code == TENON_BOOL && i < count; ++i)
    to[i] = to[i] != 0;
  return true;
}

void writeNpyHeader(Text &out, const Array &array, size_t &bytes) {
  size_t width = size_t(dtypeBytes(array.dtype));
  char kind = "iufS?cb"[array.dtype.code]; // by type code
  if (array.dtype.code == TENON_STRING) {
    width = 1; // NumPy has no strings of no bytes in files
    for (int64_t i = 0; i < array.count; ++i)
      if (array.string(i).size > width)
        width = array.string(i).size;
  } else if (array.dtype.code == TENON_BFLOAT) {
    kind = 'u';
  }
  bytes = width * size_t(array.count);
  size_t start = out.size;
  out.add("\x93NUMPY\x01\x00\x00\x00", 10);
  out.print("{'descr': '%c%c%zu', 'fortran_order': False, 'shape': (",
            width == 1 || kind == 'S' ? '|' : '<', kind, width);
  for (int32_t i = 0; i < array.rank; ++i)
    out.print(i ? " %lld," : "%lld,", (long long)array.shape[i]);
  if (array.rank > 1)
    --out.size; // the last comma
  out.add("), }");
  size_t length = out.size + 1 - start;
  out.pad(' ', int64_t((64 - length % 64) % 64));
  out.add("\n");
  if (out.failed)
    return;
  length = out.size - start - 10;
  out.data[start + 8] = char(length);
  out.data[start + 9] = char(length >> 8);
}

const char *npyData(const Array &array, size_t bytes, Text &scratch) {
  if (array.dtype.code != TENON_STRING)
    return array.data;
  size_t width = array.count ? bytes / size_t(array.count) : 0;
  scratch.pad(0, int64_t(bytes) + 1);
  for (int64_t i = 0; !scratch.failed && i < array.count; ++i)
    if (array.string(i).size)
      memcpy(scratch.data + size_t(i) * width, array.string(i).data,
             array.string(i).size);
  return scratch.failed ? nullptr : scratch.data;
}

} // namespace tenon
