// The .npy format: a magic string, a version, the length of a header, and the
// header: a Python dictionary with the keys descr, fortran_order and shape.
#include "io/Npy.h"
#include "io/Fail.h"
#include "io/Strings.h"

#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

// Reads the header, a copy that ends in a zero.
struct Header {
  NpyView &view;
  char *at = nullptr;
  const char *descr = "";
  int keys = 0; // a bit for each key that was met

  [[noreturn]] void damaged() { fail("damaged .npy header"); }

  bool take(char mark) {
    while (*at == ' ' || *at == '\n')
      ++at;
    if (*at != mark)
      return false;
    ++at;
    return true;
  }

  void expect(char mark) {
    if (!take(mark))
      damaged();
  }

  // A quoted string without escapes.
  const char *quoted() {
    if (!take('\''))
      expect('"');
    char *text = at;
    char *end = strchr(text, text[-1]);
    if (!end)
      damaged();
    *end = 0;
    at = end + 1;
    return text;
  }

  void readShape() {
    expect('(');
    while (!take(')')) {
      char *end;
      uint64_t size = strtoull(at, &end, 10);
      if (end == at || view.rank == maxRank || size >> 63)
        damaged();
      view.shape[view.rank++] = int64_t(size);
      at = end;
      take('L'); // as Python 2 wrote long integers
      if (!take(',') && *at != ')')
        damaged();
    }
  }

  [[gnu::noinline]] void read() {
    expect('{');
    while (!take('}')) {
      const char *key = quoted();
      expect(':');
      int bit = 1;
      if (!strcmp(key, "descr")) {
        if (take('['))
          fail("structured dtypes are not supported");
        descr = quoted();
      } else if (!strcmp(key, "fortran_order")) {
        bit = 2;
        view.fortran = take('T');
        while (*at >= 'A')
          ++at;
      } else if (!strcmp(key, "shape")) {
        bit = 4;
        readShape();
      } else {
        damaged();
      }
      if (keys & bit)
        damaged();
      keys |= bit;
      take(',');
    }
    if (keys != 7)
      damaged();
  }

  // The type that descr stands for, and the bytes of an element in the file.
  [[gnu::always_inline]] tenon_dtype type(uint64_t &bytes) {
    char kind = descr[0] && descr[1] ? descr[1] : '?';
    char *end;
    const char *digits = kind == '?' ? descr : descr + 2;
    bytes = strtoull(digits, &end, 10);
    const char *kinds = "iufVVcbSa"; // by type code
    const char *place = strchr(kinds, kind);
    int code = place ? int(place - kinds) : -1;
    if (kind == 'V')
      code = TENON_BFLOAT;
    if (kind == 'S' || kind == 'a')
      code = TENON_STRING;
    // The sizes that there are, as bits: 1, 2, 4, 8, 16 bytes.
    const uint8_t sizes[] = {0x0f, 0x0f, 0x0e, 0, 0x02, 0x18, 0x01};
    bool power = bytes && bytes <= 16 && !(bytes & (bytes - 1));
    bool good = !*end && end != digits && code >= 0 &&
                (code == TENON_STRING ? bytes < 1 << 30
                                      : power && (sizes[code] & bytes));
    if (kind == 'O')
      fail("object arrays are not supported");
    if (kind == 'U')
      fail("text of dtype '%s' is not supported: use "
           "array.astype('S')",
           descr);
    if (!good)
      fail("dtype '%s' is not supported", descr);
    return {uint8_t(code), uint8_t(code == TENON_STRING ? 128 : bytes * 8), 1};
  }
};

} // namespace

// In place in both functions: most programs need one of them.
[[gnu::always_inline]] static inline void
parseNpy(NpyView &view, const char *bytes, size_t size) {
  const unsigned char *head = reinterpret_cast<const unsigned char *>(bytes);
  if (size < 12 || !behind(bytes, "\x93NUMPY"))
    fail("not an .npy file");
  if (head[6] < 1 || head[6] > 3)
    fail("unknown .npy version %d.%d", head[6], head[7]);
  uint32_t start = 12, length;
  memcpy(&length, head + 8, 4);
  if (head[6] == 1) {
    start = 10;
    length &= 0xffff;
  }
  if (length > size - start)
    fail("the file ends inside its header");
  Header header{view};
  header.at = static_cast<char *>(allocate(size_t(length) + 1));
  memcpy(header.at, bytes + start, length);
  header.read();

  view.dtype = header.type(view.width);
  view.count = countElements(view.rank, view.shape,
                             int(view.width > 16 ? view.width : 16));
  if (view.count < 0)
    fail("the array's shape is too large");
  uint64_t total = uint64_t(view.count) * view.width;
  size -= start + length;
  if (total > size)
    fail("the file ends early: the array needs %zu bytes, %zu follow its "
         "header",
         size_t(total), size);
  view.data = bytes + start + length;
  bool strings = view.dtype.code == TENON_STRING;
  view.swapped = *header.descr == '>' && !strings;
}

NpyView viewNpy(const char *bytes, size_t size) {
  NpyView view = {};
  parseNpy(view, bytes, size);
  return view;
}

tenon_tensor readNpy(const char *bytes, size_t size) {
  NpyView view = {};
  parseNpy(view, bytes, size);
  uint64_t width = view.width, total = uint64_t(view.count) * width;
  int64_t count = view.count;
  tenon_dtype dtype = view.dtype;
  tenon_tensor tensor = makeTensor(dtype, view.rank, view.shape);
  const char *from = view.data;
  bool strings = dtype.code == TENON_STRING;
  if (strings && !stringFunctions())
    fail("expected numbers, got strings");
  // What is swapped at once: complex numbers are two.
  uint64_t unit = width >> (dtype.code == TENON_COMPLEX);
  char *data = strings ? static_cast<char *>(allocate(total)) : bytesOf(tensor);

  if (view.swapped || view.fortran) {
    // Elements in row-major order, from wherever they are.
    int64_t index[maxRank] = {}, steps[maxRank];
    int64_t step = int64_t(width);
    for (int32_t i = 0; i < view.rank; ++i) {
      int32_t axis = view.fortran ? i : view.rank - 1 - i;
      steps[axis] = step;
      step *= view.shape[axis];
    }
    char *to = data;
    for (int64_t element = count; element--;) {
      for (uint64_t part = 0; part < width; part += unit)
        for (uint64_t i = 0; i < unit; ++i)
          *to++ = from[part + (view.swapped ? unit - 1 - i : i)];
      for (int32_t axis = view.rank; axis--;) {
        from += steps[axis];
        if (++index[axis] < view.shape[axis])
          break;
        from -= steps[axis] * view.shape[axis];
        index[axis] = 0;
      }
    }
  } else if (total) {
    memcpy(data, from, total);
  }
  if (strings)
    stringFunctions()->fromRows(tensor, data, width);
  for (int64_t i = 0; i < count && dtype.code == TENON_BOOL; ++i)
    data[i] = data[i] != 0;
  return tensor;
}

NpyFile::NpyFile(const tenon_tensor &tensor) : data(bytesOf(tensor)) {
  size_t width = size_t(dtypeBytes(tensor.dtype));
  char kind = "iufSucb"[tensor.dtype.code]; // by type code
  int64_t count = elementCount(tensor);
  if (kind == 'S')
    data = stringFunctions()->toRows(tensor, width);
  bytes = width * size_t(count);
  header.add("\x93NUMPY\x01\x00\x76\x00", 10);
  header.print("{'descr': '%c%c%zu', 'fortran_order': False, 'shape': (",
               width == 1 || kind == 'S' ? '|' : '<', kind, width);
  for (int32_t i = 0; i < tensor.ndim; ++i)
    header.print("%lld,", (long long)tensor.shape[i]);
  header.add("), }");
  // The length is a multiple of 64 with the ten bytes before it; 118 do for
  // all but very many dimensions.
  size_t whole = (header.size + 64) & ~size_t(63);
  if (whole < 128)
    whole = 128;
  header.pad(' ', int64_t(whole - header.size - 1));
  header.add("\n");
  header.data[8] = char(whole - 10);
  header.data[9] = char((whole - 10) >> 8);
}

} // namespace tenon
