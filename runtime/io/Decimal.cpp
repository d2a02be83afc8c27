// Shortest decimals by trial: C's correctly rounded printf and strtod decide.
// Slower than the tables of the fast algorithms, but small, and at most a few
// tries for each number.
#include "io/Print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

bool readsBack(const char *text, double value, int bits) {
  double read = strtod(text, nullptr);
  if (bits == 32)
    read = double(strtof(text, nullptr));
  if (bits == 16)
    read = fromHalf(toHalf(read));
  return read == value;
}

// Adds one to the last of the digits in "d.ddde[+-]xx". False when it carries
// out of the first digit.
bool increment(char *text, int digits) {
  for (int i = digits; i >= 0; --i) {
    if (text[i] == '.')
      continue;
    if (text[i] != '9') {
      ++text[i];
      return true;
    }
    text[i] = '0';
  }
  return false;
}

} // namespace

Decimal shortestDecimal(double value, int bits) {
  // Numbers with `safe` digits survive the way through the type and back, so
  // that the shortest decimal of at most that many digits is found by rounding
  // to `safe` and dropping zeros. Not so below the smallest normal number.
  int safe = bits == 64 ? 15 : bits == 32 ? 6 : 3;
  int most = bits == 64 ? 17 : bits == 32 ? 9 : 5;
  double normal = bits == 64 ? 0x1p-1022 : bits == 32 ? 0x1p-126 : 0x1p-14;
  // A power of two has a neighbour below at half the distance: the nearest
  // decimal may miss it on that side while the next one above does not.
  bool power =
      !(__builtin_bit_cast(uint64_t, value) & ((uint64_t(1) << 52) - 1));
  char text[40];
  int digits = value < normal ? 1 : safe;
  for (;; ++digits) {
    snprintf(text, sizeof text, "%.*e", digits - 1, value);
    if (digits >= most || readsBack(text, value, bits))
      break;
    if (power && increment(text, digits == 1 ? 0 : digits) &&
        readsBack(text, value, bits))
      break;
  }
  Decimal result;
  result.count = 0;
  const char *at = text;
  for (; *at != 'e'; ++at)
    if (*at != '.')
      result.digits[result.count++] = *at;
  while (result.count > 1 && result.digits[result.count - 1] == '0')
    --result.count;
  result.exponent = int(strtod(at + 1, nullptr));
  result.value = bits == 64 ? value : strtod(text, nullptr);
  return result;
}

} // namespace tenon
