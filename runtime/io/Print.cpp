// NumPy's layout of arrays: one format for all numbers that are shown, found
// by looking at all of them first; lines of at most 75 characters; the middle
// of long arrays left out.
#include "io/Print.h"
#include "io/Strings.h"

#include <stdio.h>
#include <string.h>

namespace tenon {

namespace {

enum { lineWidth = 75, threshold = 1000, edgeItems = 3, precision = 8 };

int larger(int a, int b) { return a > b ? a : b; }

// How often the elements are looked at: for the range of floats, for the width
// of everything, and to print.
enum Pass { Range, Width, Print };

// How numbers of a floating type, or one part of complex numbers, are written.
struct FloatFormat {
  int bits;  // of one number
  bool plus; // write '+' too
  bool scientific = false;
  int left = 0;     // characters before the point
  int right = 0;    // and behind it
  int fraction = 0; // digits of the scientific form behind the point
  int exponent = 0; // and of its exponent
  double largest = 0, smallest = __builtin_inf();
  bool anyOther = false, negativeInfinity = false;

  // A number as its type has it: NumPy compares in that type.
  double round(double value) const {
    if (bits == 64)
      return value;
    return bits == 32 ? double(float(value)) : fromHalf(toHalf(value));
  }

  // Writes a finite number without padding; with `places` digits behind the
  // point, or, for -1, as many as it needs.
  void write(char *text, size_t room, double value, int places) const {
    double size = __builtin_fabs(value);
    bool trim = places < 0;
    if (size != 0) {
      Decimal decimal = shortestDecimal(size, bits);
      int own = decimal.count - 1;
      if (!scientific)
        own -= decimal.exponent;
      if (trim)
        places = own < precision ? own : precision;
      // Fewer or more digits are those of the exact value.
      if (own == places)
        size = decimal.value;
    }
    const char *sign = __builtin_signbit(value) ? "-" : plus ? "+" : "";
    snprintf(text, room, scientific ? "%s%#.*e" : "%s%#.*f", sign,
             larger(places, 0), size);
    if (!trim)
      return;
    char *end = text + strcspn(text, "e"), *last = end;
    while (last[-1] == '0')
      --last;
    memmove(last, end, strlen(end) + 1);
  }

  void look(double value) {
    if (!isFinite(value)) {
      anyOther = true;
      negativeInfinity |= value < 0;
    } else if (value != 0) {
      double size = __builtin_fabs(value);
      largest = size > largest ? size : largest;
      smallest = size < smallest ? size : smallest;
    }
  }

  void measure(double value) {
    if (!isFinite(value))
      return;
    char text[64];
    write(text, sizeof text, value, -1);
    int point = int(strcspn(text, ".")), end = int(strcspn(text, "e"));
    left = larger(left, point);
    right = larger(right, end - point - 1);
    exponent = larger(exponent, int(strlen(text)) - end - 2);
  }

  // After the first and the second pass.
  void conclude(Pass pass) {
    if (pass == Range) {
      double most = bits == 64 ? 1e8 : bits == 32 ? 1e6 : 1e3;
      scientific =
          largest != 0 && (largest >= most || smallest < round(0.0001) ||
                           round(largest / smallest) > 1000);
      return;
    }
    if (scientific) {
      fraction = right;
      right += exponent + 2;
    }
    if (anyOther)
      left = larger(left, 2 - right + (plus || negativeInfinity));
  }

  void print(Text &out, double value) const {
    char text[64];
    if (!isFinite(value)) {
      snprintf(text, sizeof text, "%s%s",
               value < 0 ? "-"
               : plus    ? "+"
                         : "",
               value != value ? "nan" : "inf");
      out.pad(' ', left + right + 1 - int(strlen(text)));
      out.add(text);
      return;
    }
    write(text, sizeof text, value, scientific ? fraction : -1);
    int length = int(strlen(text)), point = int(strcspn(text, "."));
    out.pad(' ', left - point);
    if (scientific) {
      int digits = int(strcspn(text, "e")) + 2;
      out.add(text, size_t(digits));
      out.pad('0', exponent - (length - digits));
      out.add(text + digits);
    } else {
      out.add(text);
      out.pad(' ', right - (length - point - 1));
    }
  }
};

// One number as str() writes it, with at least `places` digits behind the
// point.
void printFloat(Text &out, double value, int bits, int places) {
  double size = __builtin_fabs(value);
  if (value != value) {
    out.add("nan");
    return;
  }
  if (__builtin_signbit(value))
    out.add("-");
  if (size == 0 || !isFinite(size)) {
    out.print("%.*f", places, size);
    return;
  }
  Decimal decimal = shortestDecimal(size, bits);
  int own = decimal.count - 1 - decimal.exponent;
  if (size >= 1e-4 && size < (bits == 64 ? 1e16 : bits == 32 ? 1e6 : 1e3))
    out.print("%.*f", larger(own, places), decimal.value);
  else
    out.print("%c%s%.*se%+03d", decimal.digits[0], decimal.count > 1 ? "." : "",
              decimal.count - 1, decimal.digits + 1, decimal.exponent);
}

struct Printer {
  Text &out;
  const tenon_tensor &tensor;
  bool summary;
  FloatFormat parts[2]; // reals, or real parts; imaginary parts
  size_t lineStart;     // where the current line began
  int width = 0;        // of integers

  // A tensor without dimensions.
  [[gnu::noinline]] void printOne() {
    int code = tensor.dtype.code, bits = tensor.dtype.bits;
    if (code == TENON_FLOAT) {
      printFloat(out, loadFloat(tensor, 0), bits, 1);
    } else if (code == TENON_COMPLEX) {
      double real = loadFloat(tensor, 0), imaginary = loadFloat(tensor, 1);
      bool both = real != 0 || __builtin_signbit(real);
      if (both) {
        out.add("(");
        printFloat(out, real, bits / 2, 0);
        if (imaginary != imaginary || !__builtin_signbit(imaginary))
          out.add("+");
      }
      printFloat(out, imaginary, bits / 2, 0);
      out.add(both ? "j)" : "j");
    } else {
      element(0, Print);
    }
  }

  void element(int64_t index, Pass pass) {
    int code = tensor.dtype.code;
    bool complex = code == TENON_COMPLEX;
    if (code == TENON_FLOAT || complex) {
      for (int part = 0; part <= complex; ++part) {
        FloatFormat &format = parts[part];
        double value = loadFloat(tensor, (index << complex) + part);
        if (pass == Range)
          format.look(value);
        else if (pass == Width)
          format.measure(value);
        else
          format.print(out, value);
      }
      if (pass == Print && complex) { // before the blanks at the end
        size_t end = out.size;
        while (out.data[end - 1] == ' ')
          --end;
        int64_t blanks = int64_t(out.size - end);
        out.size = end;
        out.add("j");
        out.pad(' ', blanks);
      }
    } else if (code == TENON_INT || code == TENON_UINT) {
      Number number = loadNumber(tensor, index);
      char text[32];
      int length =
          snprintf(text, sizeof text, "%s%llu", number.negative ? "-" : "",
                   (unsigned long long)number.size);
      if (pass == Print) {
        out.pad(' ', width - length);
        out.add(text);
      } else {
        width = larger(width, length);
      }
    } else if (pass == Print) {
      if (code == TENON_BFLOAT) // NumPy leaves these to their own str()
        out.print("%g", loadFloat(tensor, index));
      else if (code == TENON_STRING)
        stringFunctions()->print(out, stringsOf(tensor)[index]);
      else
        out.add(!bytesOf(tensor)[index] ? "False"
                : tensor.ndim           ? " True"
                                        : "True");
    }
  }

  // Breaks the line before what was added at `word` when it does not fit.
  void wrap(size_t word) {
    size_t indent = size_t(tensor.ndim), size = out.size - word;
    if (out.size - lineStart <= lineWidth - indent ||
        word - lineStart <= indent)
      return;
    size_t end = word;
    while (out.data[end - 1] == ' ')
      --end;
    out.grow(indent + 1);
    memmove(out.data + end + 1 + indent, out.data + word, size);
    out.size = end;
    out.add("\n");
    lineStart = out.size;
    out.pad(' ', int64_t(indent));
    out.size += size;
  }

  // Goes through the elements that are shown.
  void walk(int axis, int64_t offset, Pass pass) {
    if (axis == tensor.ndim) {
      element(offset, pass);
      return;
    }
    int64_t size = tensor.shape[axis];
    bool gap = summary && size > 2 * edgeItems, print = pass == Print;
    bool last = axis + 1 == tensor.ndim;
    if (print)
      out.add("[");
    for (int64_t i = 0; i < size; ++i) {
      if (i && print) {
        out.pad('\n', tensor.ndim - axis - 1);
        if (!last)
          lineStart = out.size;
        out.pad(' ', last ? 1 : axis + 1);
      }
      size_t word = out.size;
      if (gap && i == edgeItems) {
        i = size - edgeItems - 1;
        if (print)
          out.add("...");
      } else {
        walk(axis + 1, offset * size + i, pass);
      }
      if (print && last)
        wrap(word);
    }
    if (print)
      out.add("]");
  }
};

} // namespace

void printTensor(Text &out, const tenon_tensor &tensor, bool full) {
  int bits = tensor.dtype.bits;
  if (tensor.dtype.code == TENON_COMPLEX)
    bits /= 2;
  int64_t count = elementCount(tensor);
  Printer printer{out,
                  tensor,
                  !full && count > threshold,
                  {{bits, false}, {bits, true}},
                  out.size};
  if (!tensor.ndim) {
    printer.printOne();
    return;
  }
  if (!count) {
    out.add("[]");
    return;
  }
  for (int pass = Range; pass <= Print; ++pass) {
    printer.walk(0, 0, Pass(pass));
    printer.parts[0].conclude(Pass(pass));
    printer.parts[1].conclude(Pass(pass));
  }
}

} // namespace tenon
