// Code points of strings, and back.
#include "host/Element.h"
#include "host/Host.h"
#include "host/Utf8.h"

namespace tenon {

namespace {

enum Encoding { Utf8, Utf16, Utf32, Unknown };

Encoding encodingOf(HostCall &call) {
  tenon_string name = call.text("encoding");
  Encoding found = equal(name, "UTF-8") || equal(name, "utf-8") ? Utf8
                   : equal(name, "UTF-16-BE")                   ? Utf16
                   : equal(name, "UTF-32-BE")                   ? Utf32
                                                                : Unknown;
  if (found == Unknown)
    call.fail("encoding '%.*s' is not supported", int(name.size), name.data);
  return found;
}

uint32_t big(const char *at, int bytes) {
  uint32_t value = 0;
  for (int i = 0; i < bytes; ++i)
    value = value << 8 | uint8_t(at[i]);
  return value;
}

// The character at `at`, which moves behind it.
uint32_t decode(Encoding encoding, tenon_string text, size_t &at) {
  if (encoding == Utf8)
    return decodeUtf8(text, at);
  size_t unit = encoding == Utf16 ? 2 : 4;
  if (text.size - at < unit) {
    at = text.size;
    return badCharacter;
  }
  uint32_t c = big(text.data + at, int(unit));
  at += unit;
  if (encoding == Utf16 && c >= 0xd800 && c < 0xdc00 && text.size - at >= 2) {
    uint32_t low = big(text.data + at, 2);
    if (low >= 0xdc00 && low < 0xe000) {
      at += 2;
      return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
  }
  return c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? badCharacter : c;
}

// What to do with what is no character.
struct Errors {
  bool strict, ignore, control;
  uint32_t replacement;

  explicit Errors(HostCall &call)
      : strict(equal(call.text("errors"), "strict")),
        ignore(equal(call.text("errors"), "ignore")),
        control(call.flag("replace_control")),
        replacement(uint32_t(call.integer("replacement"))) {}
};

} // namespace

TENON_HOST(unicode_decode) {
  Encoding encoding = encodingOf(call);
  if (encoding == Unknown)
    return false;
  Errors errors(call);
  tenon_tensor &splits = call.outputs[0];
  int64_t rows = call.inSize(0), total = 0;
  int32_t *values = nullptr;
  int64_t *offsets = nullptr;
  // Counts, then fills.
  for (int pass = 0; pass < 2; ++pass) {
    int64_t done = 0;
    for (int64_t row = 0; row <= rows; ++row) {
      if (splits.dtype.bits == 64)
        call.out<int64_t>(0)[row] = done;
      else
        call.out<int32_t>(0)[row] = int32_t(done);
      tenon_string text = row < rows ? call.strings(0)[row] : tenon_string{};
      for (size_t at = 0; at < text.size;) {
        size_t start = at;
        uint32_t c = decode(encoding, text, at);
        if (c == badCharacter && errors.strict)
          return call.fail("invalid formatting on input string %lld",
                           (long long)row);
        if (c == badCharacter || (errors.control && (c < 32 || c == 127))) {
          if (errors.ignore)
            continue;
          c = errors.replacement;
        }
        if (pass) {
          values[done] = int32_t(c);
          offsets[done] = int64_t(start);
        }
        ++done;
      }
    }
    total = done;
    if (pass == 0) {
      if (!call.allocate(1, total) || !call.allocate(2, total))
        return false;
      values = call.out<int32_t>(1);
      offsets = call.out<int64_t>(2);
    }
  }
  return true;
}

TENON_HOST(unicode_encode) {
  Encoding encoding = encodingOf(call);
  if (encoding == Unknown)
    return false;
  Errors errors(call);
  int64_t rows = call.inSize(1) - 1, count = call.inSize(0), previous = 0;
  if (rows < 0)
    return call.fail("splits is empty");
  for (int64_t row = 0; row <= rows; ++row) {
    int64_t split = integerAt(call.inputs[1], row);
    if (split < previous || split > count || (!row && split))
      return call.fail("splits is not ascending from 0 to %lld: element %lld "
                       "is %lld",
                       (long long)count, (long long)row, (long long)split);
    previous = split;
  }
  if (previous != count)
    return call.fail("splits ends with %lld, expected %lld",
                     (long long)previous, (long long)count);
  if (!call.allocate(0, rows))
    return false;
  StringWriter writer(call, 0);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = integerAt(call.inputs[1], row);
         i < integerAt(call.inputs[1], row + 1); ++i) {
      uint32_t c = uint32_t(call.in<int32_t>(0)[i]);
      if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        if (errors.strict)
          return call.fail("code point is out of range for Unicode, or a "
                           "noncharacter: %d",
                           int32_t(c));
        if (errors.ignore)
          continue;
        c = errors.replacement;
      }
      char bytes[4];
      if (encoding == Utf8) {
        writer.add(bytes, encodeUtf8(c, bytes));
        continue;
      }
      auto add = [&](uint32_t value, int size) {
        for (int k = size; k--;)
          writer.add(char(value >> (8 * k)));
      };
      if (encoding == Utf32) {
        add(c, 4);
      } else if (c >= 0x10000) {
        add(0xd800 + ((c - 0x10000) >> 10), 2);
        add(0xdc00 + (c & 0x3ff), 2);
      } else {
        add(c, 2);
      }
    }
    writer.end();
  }
  return writer.finish();
}

} // namespace tenon
