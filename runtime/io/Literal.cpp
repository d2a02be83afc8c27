// One pass finds the shape, the second fills the array; both run the same code.
#include "io/Literal.h"
#include "io/Text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

namespace tenon {

namespace {

struct Parser {
  const char *start;
  tenon_dtype dtype;
  bool cast;
  Message &message;
  const char *at = nullptr;
  char *out = nullptr; // NULL in the first pass
  int32_t rank = -1;   // -1 until the first element is met
  int64_t shape[maxRank] = {};
  Text text = {}; // bytes of strings, second pass
  size_t textBytes = 0;

  void blanks() {
    while (*at == ' ' || (*at >= '\t' && *at <= '\r'))
      ++at;
  }

  bool fail(const char *what) {
    return message.fail("%s at '%.20s' (character %d)", what, at,
                        int(at - start) + 1);
  }

  bool element() {
    if (dtype.code == TENON_STRING)
      return quoted();
    const char *begin = at;
    double real = 0, imaginary = 0;
    bool integer = false, negative = false;
    uint64_t magnitude = 0;
    if (!realNumber(real, integer, negative, magnitude))
      return at = begin, fail("expected a number");
    if (dtype.code == TENON_COMPLEX) {
      if (*at == 'j') {
        imaginary = real, real = 0, ++at;
      } else if (*at == '+' || *at == '-') {
        bool unusedInteger, unusedSign;
        uint64_t unused;
        if (!realNumber(imaginary, unusedInteger, unusedSign, unused) ||
            *at++ != 'j')
          return at = begin, fail("expected a complex number");
      }
    }
    if (*at && !strchr(",] \t\n\r\v\f", *at))
      return at = begin, fail("expected a number");
    if (!store(real, imaginary, integer, negative, magnitude))
      return at = begin,
             message.fail("'%.*s' is not a value of %s%s", wordLength(), at,
                          dtypeName(dtype),
                          cast ? "" : " (--cast converts what it can)");
    return true;
  }

  // Characters of the element at hand, for messages.
  int wordLength() const {
    size_t length = strcspn(at, ",] ");
    return length < 40 ? int(length) : 40;
  }

  bool keyword(const char *word) {
    size_t length = strlen(word);
    if (strncasecmp(at, word, length))
      return false;
    at += length;
    return true;
  }

  bool realNumber(double &value, bool &integer, bool &negative,
                  uint64_t &magnitude) {
    integer = false;
    negative = *at == '-';
    if (*at == '-' || *at == '+')
      ++at;
    if (keyword("nan")) {
      value = __builtin_nan("");
    } else if (keyword("infinity") || keyword("inf")) {
      value = __builtin_inf();
    } else if (keyword("true") || keyword("false")) {
      integer = true;
      value = double(magnitude = at[-2] == 'u');
    } else {
      // strtod alone would take hexadecimal numbers and blanks too.
      const char *digits = at;
      magnitude = 0;
      integer = true;
      while (*at >= '0' && *at <= '9') {
        if (__builtin_mul_overflow(magnitude, uint64_t(10), &magnitude) ||
            __builtin_add_overflow(magnitude, uint64_t(*at - '0'), &magnitude))
          integer = false; // too long: only its floating value is known
        ++at;
      }
      bool any = at > digits;
      if (*at == '.') {
        integer = false;
        for (++at; *at >= '0' && *at <= '9'; ++at)
          any = true;
      }
      if (!any)
        return false;
      if (*at == 'e' || *at == 'E') {
        const char *mark = at++;
        if (*at == '+' || *at == '-')
          ++at;
        if (*at >= '0' && *at <= '9') {
          integer = false;
          while (*at >= '0' && *at <= '9')
            ++at;
        } else {
          at = mark;
        }
      }
      char *end;
      // Rounded once, to the type that is wanted.
      value = dtype.bits == 32 && dtype.code == TENON_FLOAT
                  ? double(strtof(digits, &end))
                  : strtod(digits, &end);
      if (value - value != 0 && !cast) // too large
        return false;
    }
    if (negative)
      value = -value;
    return true;
  }

  bool store(double real, double imaginary, bool integer, bool negative,
             uint64_t magnitude) {
    char slot[16];
    char *to = out ? out : slot;
    int bytes = dtypeBytes(dtype);
    switch (dtype.code) {
    case TENON_COMPLEX: {
      tenon_dtype half = {TENON_FLOAT, uint8_t(dtype.bits / 2), 1};
      storeFloat(half, to, real);
      storeFloat(half, to + bytes / 2, imaginary);
      break;
    }
    case TENON_FLOAT:
    case TENON_BFLOAT:
      storeFloat(dtype, to, real);
      if (dtype.bits == 16 && real - real == 0 && !cast) {
        uint16_t bits;
        memcpy(&bits, to, 2);
        double stored =
            dtype.code == TENON_BFLOAT ? fromBrain(bits) : fromHalf(bits);
        if (stored - stored != 0) // too large
          return false;
      }
      break;
    case TENON_BOOL:
      if (real != 0 && real != 1 && !cast)
        return false;
      *to = real != 0;
      break;
    default: {
      int width = dtype.bits - (dtype.code == TENON_INT);
      if (!integer) {
        double size = real < 0 ? -real : real;
        if (!(size < 0x1p64))
          return false;
        magnitude = uint64_t(size);
        if (double(magnitude) != size && !cast)
          return false;
      }
      uint64_t largest = ~uint64_t(0) >> (64 - width);
      if (negative && dtype.code == TENON_INT)
        ++largest;
      if (magnitude > largest ||
          (negative && magnitude && dtype.code == TENON_UINT))
        return false;
      if (negative)
        magnitude = 0 - magnitude;
      memcpy(to, &magnitude, size_t(bytes));
    }
    }
    if (out)
      out += bytes;
    return true;
  }

  // The bytes of \uXXXX in UTF-8; false when the digits are not four.
  bool escapedUnicode(char *bytes, size_t &count) {
    unsigned code = 0;
    for (int i = 0; i < 4; ++i) {
      char digit = *++at;
      int value = digit >= '0' && digit <= '9'   ? digit - '0'
                  : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                  : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                 : -1;
      if (value < 0)
        return false;
      code = code << 4 | unsigned(value);
    }
    count = 0;
    if (code < 0x80) {
      bytes[count++] = char(code);
      return true;
    }
    if (code >= 0x800) {
      bytes[count++] = char(0xe0 | code >> 12);
      bytes[count++] = char(0x80 | (code >> 6 & 63));
    } else {
      bytes[count++] = char(0xc0 | code >> 6);
    }
    bytes[count++] = char(0x80 | (code & 63));
    return true;
  }

  bool quoted() {
    if (*at != '"')
      return fail("expected a quoted string");
    const char *begin = at++;
    size_t size = 0;
    for (; *at != '"'; ++at) {
      char bytes[3] = {*at};
      size_t count = 1;
      bool good = *at != 0;
      if (*at == '\\') {
        const char *escape = strchr("\"\"\\\\//b\bf\fn\nr\rt\t", *++at);
        if (*at == 'u')
          good = escapedUnicode(bytes, count);
        else if ((good = *at && escape))
          bytes[0] = escape[1];
      }
      if (!good)
        return at = begin, fail("a string does not end, or has a bad escape");
      size += count;
      if (out)
        text.add(bytes, count);
    }
    ++at;
    textBytes += size;
    if (out) {
      tenon_string value = {text.data + text.size - size, size};
      memcpy(out, &value, sizeof value);
      out += sizeof value;
    }
    return true;
  }

  bool value(int32_t depth) {
    blanks();
    if (*at != '[') {
      if (rank < 0)
        rank = depth;
      if (depth != rank)
        return fail("lists of different depth");
      return element();
    }
    if (depth == maxRank || depth == rank)
      return fail(depth == maxRank ? "too many brackets"
                                   : "lists of different depth");
    const char *open = at++;
    int64_t length = 0;
    blanks();
    if (*at == ']')
      ++at;
    else
      for (;;) {
        if (!value(depth + 1))
          return false;
        ++length;
        blanks();
        if (*at == ']') {
          ++at;
          break;
        }
        if (*at != ',')
          return fail("expected ',' or ']'");
        ++at;
      }
    if (!length && rank < 0)
      rank = depth + 1;
    if (!length && rank != depth + 1)
      return at = open, fail("lists of different depth");
    // Sizes are kept plus one, so that 0 means not known yet.
    if (shape[depth] && shape[depth] != length + 1)
      return at = open, fail("lists of different lengths");
    shape[depth] = length + 1;
    return true;
  }

  bool run() {
    at = start;
    if (!value(0))
      return false;
    blanks();
    return !*at || fail("unexpected text");
  }
};

} // namespace

bool isLiteral(const char *text, tenon_dtype dtype) {
  while (*text == ' ')
    ++text;
  if (*text == '[')
    return true;
  if (dtype.code == TENON_STRING)
    return false;
  Message unused;
  Parser parser{text, {TENON_COMPLEX, 128, 1}, true, unused};
  return parser.run();
}

bool readLiteral(const char *text, tenon_dtype dtype, bool cast, Array &out,
                 Message &message) {
  Parser parser{text, dtype, cast, message};
  if (!parser.run())
    return false;
  for (int32_t i = 0; i < parser.rank; ++i)
    --parser.shape[i];
  if (!out.allocate(dtype, parser.rank, parser.shape, message))
    return false;
  for (int32_t i = 0; i < parser.rank; ++i)
    ++parser.shape[i];
  parser.out = out.data;
  // Strings point into the text, so that it must not move.
  if (!parser.text.grow(parser.textBytes + 1)) {
    out.release();
    return message.fail("no memory for %zu bytes of strings", parser.textBytes);
  }
  parser.run();
  out.text = parser.text.data;
  return true;
}

bool makeString(const char *text, Array &out, Message &message) {
  tenon_string value = {text, strlen(text)};
  tenon_tensor tensor = {&value,  {TENON_CPU, 0}, 0, {TENON_STRING, 128, 1},
                         nullptr, nullptr,        0};
  return copyTensor(tensor, out, message);
}

} // namespace tenon
