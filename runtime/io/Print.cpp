// NumPy's layout of arrays: one format for all numbers that are shown, found
// by looking at all of them first; lines of at most 75 characters; the middle
// of long arrays left out.
#include "io/Print.h"

#include <stdio.h>
#include <string.h>

namespace tenon {

namespace {

enum { lineWidth = 75, threshold = 1000, edgeItems = 3, precision = 8 };

int larger(int a, int b) { return a > b ? a : b; }

// How numbers of one floating column (reals, or parts of complex numbers) are
// written. `step` and `first` pick the column.
struct FloatFormat {
  int bits;  // of one number
  bool plus; // write '+' too
  bool scientific = false;
  int left = 0;                         // characters before the point
  int right = 0;                        // and behind it
  int fraction = 0, exponentDigits = 0; // of the scientific form

  // First look: range, and whether anything is not finite.
  double largest = 0, smallest = __builtin_inf();
  bool anyFinite = false, anyOther = false, negativeInfinity = false;

  static bool finite(double value) { return value - value == 0; }

  // A number as its type has it: NumPy compares in that type.
  double round(double value) const {
    if (bits == 64)
      return value;
    return bits == 32 ? double(float(value)) : fromHalf(toHalf(value));
  }

  void look(double value) {
    if (!finite(value)) {
      anyOther = true;
      negativeInfinity |= value < 0;
      return;
    }
    anyFinite = true;
    double size = value < 0 ? -value : value;
    if (size == 0)
      return;
    largest = size > largest ? size : largest;
    smallest = size < smallest ? size : smallest;
  }

  // Writes the digits that stand in a column of numbers, no padding. Returns
  // the characters before the point; what follows the point ends at *end,
  // where the exponent (if any) begins.
  int write(char *out, size_t room, double value, int *end) const {
    bool negative = __builtin_signbit(value);
    double size = negative ? -value : value;
    int used = 0;
    if (negative || plus)
      out[used++] = negative ? '-' : '+';
    if (size == 0) {
      used += snprintf(out + used, room - 2, scientific ? "0.e+00" : "0.");
    } else {
      Decimal decimal = shortestDecimal(size, bits);
      // Digits beyond the precision are rounded away, from the exact value.
      int places =
          scientific ? decimal.count - 1 : decimal.count - 1 - decimal.exponent;
      if (places > precision)
        places = precision;
      else
        size = decimal.value;
      if (places < 0)
        places = 0;
      used += snprintf(out + used, room - 2, scientific ? "%#.*e" : "%#.*f",
                       places, size);
    }
    int point = int(strchr(out, '.') - out);
    char *exponent = strchr(out, 'e');
    int stop = exponent ? int(exponent - out) : used;
    int last = stop;
    while (out[last - 1] == '0')
      --last;
    memmove(out + last, out + stop, size_t(used - stop + 1));
    *end = last;
    return point;
  }

  void decide() {
    if (largest != 0) {
      double most = bits == 64 ? 1e8 : bits == 32 ? 1e6 : 1e3;
      scientific = largest >= most || smallest < round(0.0001) ||
                   round(largest / smallest) > 1000;
    }
  }

  // Second look: how wide numbers are.
  void measure(double value) {
    if (!finite(value))
      return;
    char text[64];
    int end, point = write(text, sizeof text, value, &end);
    left = larger(left, point);
    right = larger(right, end - point - 1);
    if (scientific)
      exponentDigits = larger(exponentDigits, int(strlen(text + end)) - 2);
  }

  void finish() {
    if (scientific) {
      fraction = right;
      right += exponentDigits + 2;
    }
    if (anyOther) {
      int offset = right + 1;
      left = larger(left, 3 - offset);
      left = larger(left, 3 + (plus || negativeInfinity) - offset);
    }
  }

  void print(Text &out, double value) const {
    char text[64];
    if (!finite(value)) {
      const char *sign = value < 0 ? "-" : plus ? "+" : "";
      int length = snprintf(text, sizeof text, "%s%s", sign,
                            value != value ? "nan" : "inf");
      out.pad(' ', left + right + 1 - length);
      out.add(text);
      return;
    }
    if (!scientific) {
      int end, point = write(text, sizeof text, value, &end);
      out.pad(' ', left - point);
      out.add(text);
      out.pad(' ', right - (end - point - 1));
      return;
    }
    // All digits are of the exact value, but for a number whose shortest form
    // is just as long (it differs only next to a power of two).
    Decimal decimal = {{}, 0, 0, 0};
    if (value != 0 && bits < 64)
      decimal = shortestDecimal(value < 0 ? -value : value, bits);
    if (decimal.count - 1 == fraction)
      value = value < 0 ? -decimal.value : decimal.value;
    int length =
        snprintf(text, sizeof text, plus ? "%#+.*e" : "%#.*e", fraction, value);
    int point = int(strchr(text, '.') - text);
    int exponent = int(strchr(text, 'e') - text);
    out.pad(' ', left - point);
    out.add(text, size_t(exponent + 2));
    out.pad('0', exponentDigits - (length - exponent - 2));
    out.add(text + exponent + 2);
  }
};

void printBytes(Text &out, const tenon_string &string) {
  // Python's repr: double quotes only around text with single ones alone.
  bool single = string.size && memchr(string.data, '\'', string.size);
  bool twice = string.size && memchr(string.data, '"', string.size);
  char quote = single && !twice ? '"' : '\'';
  out.print("b%c", quote);
  for (size_t i = 0; i < string.size; ++i) {
    unsigned char byte = (unsigned char)(string.data[i]);
    const char *special = byte ? strchr("\tt\nn\rr\\\\", byte) : nullptr;
    if (byte == quote)
      out.print("\\%c", byte);
    else if (byte == '\\' || (byte < ' ' && special))
      out.print("\\%c", byte == '\\' ? '\\' : special[1]);
    else if (byte < ' ' || byte > '~')
      out.print("\\x%02x", byte);
    else
      out.add(string.data + i, 1);
  }
  out.print("%c", quote);
}

struct Printer {
  Text &out;
  const Array &array;
  bool summary;
  FloatFormat real, imaginary;
  int width = 0;        // of integers
  size_t lineStart = 0; // where the current line began

  bool isFloat() const { return array.dtype.code == TENON_FLOAT; }
  bool isComplex() const { return array.dtype.code == TENON_COMPLEX; }

  // Calls `action` for the elements that will be shown.
  template <typename Action>
  void visit(int axis, int64_t offset, const Action &action) {
    if (axis == array.rank) {
      action(offset);
      return;
    }
    int64_t size = array.shape[axis];
    bool gap = summary && size > 2 * edgeItems;
    for (int64_t i = 0; i < size; ++i) {
      if (gap && i == edgeItems)
        i = size - edgeItems;
      visit(axis + 1, offset * size + i, action);
    }
  }

  int formatInteger(char *text, size_t room, int64_t index) const {
    uint64_t bits = 0;
    int bytes = dtypeBytes(array.dtype);
    memcpy(&bits, array.data + index * bytes, size_t(bytes));
    if (array.dtype.code == TENON_UINT)
      return snprintf(text, room, "%llu", (unsigned long long)bits);
    int unused = 64 - 8 * bytes;
    return snprintf(text, room, "%lld",
                    (long long)(int64_t(bits << unused) >> unused));
  }

  [[gnu::noinline]] void measure(int pass) {
    visit(0, 0, [&](int64_t index) {
      char text[32];
      if (isFloat() || isComplex()) {
        FloatFormat *parts[2] = {&real, &imaginary};
        for (int part = 0; part <= int(isComplex()); ++part) {
          double value =
              loadFloat(array, isComplex() ? 2 * index + part : index);
          pass ? parts[part]->measure(value) : parts[part]->look(value);
        }
      } else if (array.dtype.code == TENON_INT ||
                 array.dtype.code == TENON_UINT) {
        width = larger(width, formatInteger(text, sizeof text, index));
      }
    });
  }

  void prepare() {
    measure(0);
    if (!isFloat() && !isComplex())
      return;
    real.decide();
    imaginary.decide();
    measure(1);
    real.finish();
    imaginary.finish();
  }

  void printElement(int64_t index) {
    char text[32];
    switch (array.dtype.code) {
    case TENON_FLOAT:
      real.print(out, loadFloat(array, index));
      return;
    case TENON_COMPLEX: {
      real.print(out, loadFloat(array, 2 * index));
      imaginary.print(out, loadFloat(array, 2 * index + 1));
      size_t end = out.size;
      while (out.size && out.data[out.size - 1] == ' ')
        --out.size;
      size_t blanks = end - out.size;
      out.add("j");
      out.pad(' ', int64_t(blanks));
      return;
    }
    case TENON_BFLOAT: // NumPy leaves these to their own str()
      printScalar(out, array, index);
      return;
    case TENON_BOOL:
      out.add(array.data[index] ? " True" : "False");
      return;
    case TENON_STRING:
      printBytes(out, array.string(index));
      return;
    default: {
      int length = formatInteger(text, sizeof text, index);
      out.pad(' ', width - length);
      out.add(text, size_t(length));
    }
    }
  }

  // Breaks the line before what was added at `word` when it does not fit.
  void wrap(size_t word) {
    size_t indent = size_t(array.rank);
    size_t length = word - lineStart;
    if (out.failed || out.size - lineStart <= size_t(lineWidth) - indent ||
        length <= indent)
      return;
    size_t end = word;
    while (end > lineStart && out.data[end - 1] == ' ')
      --end;
    size_t size = out.size - word;
    char *room = out.grow(indent + 1); // more than is needed
    if (!room)
      return;
    memmove(out.data + end + 1 + indent, out.data + word, size);
    out.data[end] = '\n';
    memset(out.data + end + 1, ' ', indent);
    lineStart = end + 1;
    out.size = lineStart + indent + size;
  }

  void printAxis(int axis, int64_t offset) {
    int64_t size = array.shape[axis];
    bool gap = summary && size > 2 * edgeItems;
    bool last = axis + 1 == array.rank;
    out.add("[");
    for (int64_t i = 0; i < size; ++i) {
      if (i && last) {
        out.add(" ");
      } else if (i) {
        out.pad('\n', array.rank - axis - 1);
        lineStart = out.size;
        out.pad(' ', axis + 1);
      }
      size_t word = out.size;
      if (gap && i == edgeItems) {
        out.add("...");
        i = size - edgeItems - 1;
      } else if (last) {
        printElement(offset * size + i);
      } else {
        printAxis(axis + 1, offset * size + i);
        continue;
      }
      if (last)
        wrap(word);
    }
    out.add("]");
  }
};

// One number as str() writes it; `integral` is what follows whole numbers.
void printFloat(Text &out, double value, int bits, const char *integral) {
  if (value - value != 0) {
    out.add(value != value ? "nan" : value < 0 ? "-inf" : "inf");
    return;
  }
  if (__builtin_signbit(value))
    out.add("-");
  double size = value < 0 ? -value : value;
  if (size == 0) {
    out.print("0%s", integral);
    return;
  }
  Decimal decimal = shortestDecimal(size, bits);
  const char *digits = decimal.digits;
  double most = bits == 64 ? 1e16 : bits == 32 ? 1e6 : 1e3;
  if (size < most && size >= 1e-4) {
    int whole = decimal.exponent + 1;
    if (whole <= 0) {
      out.add("0.");
      out.pad('0', -whole);
      out.add(digits, size_t(decimal.count));
    } else if (whole >= decimal.count) {
      out.add(digits, size_t(decimal.count));
      out.pad('0', whole - decimal.count);
      out.add(integral);
    } else {
      out.print("%.*s.%.*s", whole, digits, decimal.count - whole,
                digits + whole);
    }
    return;
  }
  out.add(digits, 1);
  if (decimal.count > 1)
    out.print(".%.*s", decimal.count - 1, digits + 1);
  out.print("e%+03d", decimal.exponent);
}

} // namespace

void printScalar(Text &out, const Array &array, int64_t index) {
  switch (array.dtype.code) {
  case TENON_FLOAT:
    printFloat(out, loadFloat(array, index), array.dtype.bits, ".0");
    return;
  case TENON_BFLOAT:
    out.print("%g", loadFloat(array, index));
    return;
  case TENON_COMPLEX: {
    int bits = array.dtype.bits / 2;
    double real = loadFloat(array, 2 * index);
    double imaginary = loadFloat(array, 2 * index + 1);
    bool both = real != 0 || __builtin_signbit(real);
    if (both) {
      out.add("(");
      printFloat(out, real, bits, "");
      if (imaginary != imaginary || !__builtin_signbit(imaginary))
        out.add("+");
    }
    printFloat(out, imaginary, bits, "");
    out.add(both ? "j)" : "j");
    return;
  }
  case TENON_BOOL:
    out.add(array.data[index] ? "True" : "False");
    return;
  case TENON_STRING:
    printBytes(out, array.string(index));
    return;
  default: {
    Printer printer{out, array, false, {}, {}};
    char text[32];
    out.add(text, size_t(printer.formatInteger(text, sizeof text, index)));
  }
  }
}

void printArray(Text &out, const Array &array, bool full) {
  if (array.rank == 0) {
    printScalar(out, array, 0);
    return;
  }
  if (!array.count) {
    out.add("[]");
    return;
  }
  int bits = array.dtype.bits;
  if (array.dtype.code == TENON_COMPLEX)
    bits /= 2;
  Printer printer{out,
                  array,
                  !full && array.count > threshold,
                  {bits, false},
                  {bits, true}};
  printer.lineStart = out.size;
  printer.prepare();
  printer.printAxis(0, 0);
}

} // namespace tenon
