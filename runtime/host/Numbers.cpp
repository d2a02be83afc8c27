// Numbers as texts and back.
#include "host/Element.h"
#include "host/Host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

namespace tenon {

namespace {

// What %d, %f and so on are called with, and what stands before the letter.
struct Format {
  char text[64];
  char *end;

  Format(HostCall &call) : end(text) {
    *end++ = '%';
    tenon_string fill = call.text("fill");
    int64_t width = call.integer("width"),
            precision = call.integer("precision");
    if (fill.size && width > -1)
      *end++ = *fill.data;
    if (width > -1)
      end += snprintf(end, 16, "%d", int(width));
    if (precision > -1)
      end += snprintf(end, 16, ".%d", int(precision));
  }

  const char *with(const char *letters) {
    strcpy(end, letters);
    return text;
  }
};

} // namespace

TENON_HOST(as_string) {
  const tenon_tensor &input = call.inputs[0];
  Format format(call);
  const char *letter = call.flag("shortest")     ? "g"
                       : call.flag("scientific") ? "e"
                                                 : "f";
  StringWriter writer(call, 0);
  tenon_string fill = call.text("fill");
  if (fill.size && !strchr(" +-0#", *fill.data))
    return call.fail("fill '%c' is not one of ' ', '+', '-', '0', '#'",
                     *fill.data);
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i) {
    switch (input.dtype.code) {
    case TENON_BOOL:
      writer.add(call.in<bool>(0)[i] ? "true" : "false");
      break;
    case TENON_STRING:
      writer.add(call.strings(0)[i]);
      break;
    case TENON_INT:
      writer.print(format.with("lld"), (long long)integerAt(input, i));
      break;
    case TENON_UINT:
      writer.print(format.with("llu"), (unsigned long long)integerAt(input, i));
      break;
    case TENON_COMPLEX:
      writer.add('(');
      writer.print(format.with(letter), realAt(input, 2 * i));
      writer.add(',');
      writer.print(format.with(letter), realAt(input, 2 * i + 1));
      writer.add(')');
      break;
    default:
      writer.print(format.with(letter), realAt(input, i));
    }
    writer.end();
  }
#pragma clang diagnostic pop
  return writer.finish();
}

static bool isSpace(char c) { return c == ' ' || (c >= 9 && c <= 13); }

bool parseNumber(tenon_string text, tenon_dtype dtype, char *to) {
  while (text.size && isSpace(text.data[0])) {
    ++text.data;
    --text.size;
  }
  while (text.size && isSpace(text.data[text.size - 1]))
    --text.size;
  char word[512], *end;
  if (!text.size || text.size >= sizeof word || memchr(text.data, 0, text.size))
    return false;
  memcpy(word, text.data, text.size);
  word[text.size] = 0;
  errno = 0;
  if (dtype.code == TENON_INT || dtype.code == TENON_UINT) {
    const char *digits = word;
    if (*digits == '-' || (*digits == '+' && dtype.code == TENON_INT))
      ++digits;
    if (*digits < '0' || *digits > '9')
      return false;
    int64_t value = dtype.code == TENON_INT ? strtoll(word, &end, 10)
                                            : int64_t(strtoull(word, &end, 10));
    if (*end || errno || (dtype.code == TENON_UINT && *word == '-'))
      return false;
    int unused = 64 - dtype.bits;
    int64_t kept = dtype.code == TENON_INT
                       ? int64_t(uint64_t(value) << unused) >> unused
                       : int64_t(uint64_t(value) << unused >> unused);
    if (kept != value)
      return false;
    memcpy(to, &value, size_t(dtype.bits / 8));
    return true;
  }
  // What strtod takes beyond numbers.
  const char *digits = word + (*word == '-' || *word == '+');
  if (strpbrk(word, "()") || !strchr("0123456789.nNiI", *digits))
    return false;
  if (dtype.bits == 32) {
    float value = strtof(word, &end);
    memcpy(to, &value, 4);
  } else {
    double value = strtod(word, &end);
    memcpy(to, &value, 8);
  }
  return !*end;
}

TENON_HOST(string_to_number) {
  tenon_dtype dtype = call.outputs[0].dtype;
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i) {
    tenon_string text = call.strings(0)[i];
    if (!parseNumber(text, dtype, call.out(0) + i * (dtype.bits / 8)))
      return call.fail("string '%.*s' at index %lld is no %s",
                       int(text.size < 100 ? text.size : 100), text.data,
                       (long long)i, dtypeName(dtype));
  }
  return true;
}

} // namespace tenon
