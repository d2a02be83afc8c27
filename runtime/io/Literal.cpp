// One pass finds the shape, the second fills the tensor; both run the same
// code.
#include "io/Literal.h"
#include "io/Fail.h"
#include "io/Strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

namespace tenon {

namespace {

// Reads true, false, and what strtod knows but hexadecimal numbers and blanks.
// Returns what follows, or NULL.
const char *readReal(const char *at, bool narrow, Number &number) {
  number.negative = *at == '-';
  const char *digits = at + (*at == '-' || *at == '+');
  char *end, *integerEnd;
  const char *rest = behind(digits, "true");
  bool truth = rest;
  number.integer = true;
  number.size = truth;
  number.real = truth;
  if (truth || (rest = behind(digits, "false")))
    return rest;
  // Rounded once, to the type that is wanted.
  errno = 0;
  number.real = narrow ? double(strtof(digits, &end)) : strtod(digits, &end);
  bool tooLarge = errno && number.real > 1;
  errno = 0;
  number.size = strtoull(digits, &integerEnd, 10);
  // Too long an integer is known by its floating value only.
  number.integer = integerEnd == end && !errno;
  if (tooLarge || end == digits || !strchr("0123456789.nNiI", *digits) ||
      (digits[1] | 32) == 'x')
    return nullptr;
  if (number.negative)
    number.real = -number.real;
  return end;
}

bool endsElement(const char *at) { return strchr(",] \t\n", *at); }

struct Parser {
  const char *start;
  tenon_dtype dtype;
  bool cast;
  const char *at = nullptr;
  char *out = nullptr; // NULL in the first pass
  int32_t rank = -1;   // -1 until the first element is met
  int64_t shape[maxRank] = {};

  void blanks() {
    while (*at == ' ' || *at == '\t' || *at == '\n')
      ++at;
  }

  [[noreturn]] void wrong(const char *what) {
    if (!*at)
      fail("%s at the end of '%.20s'", what, start);
    fail("%s at '%.20s' (character %d)", what, at, int(at - start) + 1);
  }

  void readNumber() {
    Number number = {};
    bool narrow = dtype.code == TENON_FLOAT && dtype.bits == 32;
    const char *end = readReal(at, narrow, number);
    if (end && dtype.code == TENON_COMPLEX && !endsElement(end)) {
      Number imaginary = number;
      if (*end == 'j')
        number.real = 0;
      else
        end = readReal(end, false, imaginary);
      number.imaginary = imaginary.real;
      if (end)
        end = *end == 'j' ? end + 1 : nullptr;
    }
    if (!end || !endsElement(end))
      wrong(number.real > 3e38 ? "too large a number" : "expected a number");
    char slot[16];
    char *to = out ? out : slot;
    storeNumber(dtype, to, number);
    tenon_tensor stored = {};
    stored.data = to;
    stored.dtype = dtype;
    Number read = loadNumber(stored, 0);
    // Floats may be rounded, but not to infinity.
    bool same = isReal(dtype) || dtype.code == TENON_COMPLEX
                    ? isFinite(read.real) || !isFinite(number.real)
                : number.integer
                    ? read.size == number.size &&
                          (read.negative == number.negative || !read.size)
                    : read.real == number.real;
    if (!same && !cast)
      fail("'%.*s' is not a value of %s (--cast converts it)", int(end - at),
           at, dtypeName(dtype));
    at = end;
    if (out)
      out += dtypeBytes(dtype);
  }

  void readString() {
    tenon_string string;
    const char *problem = nullptr;
    at = stringFunctions()->readQuoted(at, string, problem);
    if (problem)
      wrong(problem);
    if (out) {
      *reinterpret_cast<tenon_string *>(out) = string;
      out += sizeof string;
    }
  }

  void readValue(int32_t depth) {
    blanks();
    if (*at != '[') {
      if (rank < 0)
        rank = depth;
      if (depth != rank)
        wrong("lists of different depth");
      if (dtype.code == TENON_STRING && stringFunctions())
        readString();
      else
        readNumber();
      return;
    }
    if (depth == maxRank || depth == rank)
      wrong(depth == rank ? "lists of different depth" : "too many brackets");
    const char *open = at++;
    int64_t length = 0;
    for (blanks(); *at != ']'; ++length) {
      if (length && *at++ != ',') {
        --at;
        wrong("expected ',' or ']'");
      }
      readValue(depth + 1);
      blanks();
    }
    const char *close = at + 1;
    at = open;
    if (!length && rank < 0)
      rank = depth + 1;
    if (!length && rank != depth + 1)
      wrong("lists of different depth");
    // Sizes are kept plus one, so that 0 means not known yet.
    if (shape[depth] && shape[depth] != length + 1)
      wrong("lists of different lengths");
    shape[depth] = length + 1;
    at = close;
  }

  void run() {
    at = start;
    readValue(0);
    blanks();
    if (*at)
      wrong("unexpected text");
  }
};

} // namespace

bool isLiteral(const char *text, tenon_dtype dtype) {
  while (*text == ' ')
    ++text;
  if (*text == '[')
    return true;
  Number number;
  const char *end =
      dtype.code == TENON_STRING ? nullptr : readReal(text, false, number);
  return end && (!*end || (dtype.code == TENON_COMPLEX && strchr("j+-", *end)));
}

tenon_tensor readLiteral(const char *text, tenon_dtype dtype, bool cast) {
  Parser parser{text, dtype, cast};
  parser.run();
  int64_t shape[maxRank];
  for (int32_t i = 0; i < parser.rank; ++i)
    shape[i] = parser.shape[i] - 1;
  tenon_tensor tensor = makeTensor(dtype, parser.rank, shape);
  parser.out = bytesOf(tensor);
  parser.run();
  return tensor;
}

} // namespace tenon
