// Strings: comparison, joining, parts, case.
#include "host/Host.h"
#include "host/Utf8.h"

#include <stdlib.h>

namespace tenon {

// A constant's strings, from its bytes and where each one ends; one string
// stands for all.
TENON_HOST(strings) {
  const char *bytes = call.in(0);
  const int64_t *ends = call.in<int64_t>(1);
  int64_t given = call.inSize(1), count = call.outSize(0);
  tenon_string *to = call.out<tenon_string>(0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t at = given == 1 ? 0 : i;
    int64_t start = at ? ends[at - 1] : 0;
    to[i] = {bytes + start, size_t(ends[at] - start)};
  }
  return true;
}

static bool broadcastInto(HostCall &call, Broadcast &broadcast,
                          int32_t operands) {
  const tenon_tensor *tensors[] = {&call.inputs[0], &call.inputs[1]};
  if (!broadcast.init(tensors, operands))
    return call.fail("shapes of the operands do not fit each other");
  for (int32_t i = 0; i < broadcast.rank; ++i)
    call.outputs[0].shape[i] = broadcast.shape[i];
  return call.allocate(0);
}

TENON_HOST(string_compare) {
  Broadcast broadcast;
  if (!broadcastInto(call, broadcast, 2))
    return false;
  const tenon_string *a = call.strings(0), *b = call.strings(1);
  bool negate = call.flag("negate");
  for (int64_t i = 0, count = broadcast.size(); i < count; ++i)
    call.out<bool>(0)[i] =
        equal(a[broadcast.source(0, i)], b[broadcast.source(1, i)]) != negate;
  return true;
}

TENON_HOST(string_join) {
  StringWriter writer(call, 0);
  tenon_string separator = call.text("separator");
  int64_t count = call.outSize(0);
  for (int32_t t = 0; t < call.inputCount; ++t)
    if (call.inputs[t].ndim && call.inSize(t) != count)
      return call.fail("inputs have %lld and %lld elements", (long long)count,
                       (long long)call.inSize(t));
  for (int64_t i = 0; i < count; ++i) {
    for (int32_t t = 0; t < call.inputCount; ++t) {
      if (t)
        writer.add(separator);
      writer.add(call.strings(t)[call.inputs[t].ndim ? i : 0]);
    }
    writer.end();
  }
  return writer.finish();
}

TENON_HOST(reduce_join) {
  const tenon_tensor &input = call.inputs[0];
  if (input.ndim > 32)
    return call.fail("the input has %d dimensions, at most 32 are supported",
                     input.ndim);
  int64_t steps[32], step = 1;
  bool reduced[32] = {};
  for (int32_t i = input.ndim; i--; step *= input.shape[i])
    steps[i] = step;
  int64_t axes = call.size("axes"), parts = 1;
  for (int64_t i = 0; i < axes; ++i) {
    reduced[call.integer("axes", i)] = true;
    parts *= input.shape[call.integer("axes", i)];
  }
  StringWriter writer(call, 0);
  tenon_string separator = call.text("separator");
  for (int64_t i = 0, count = call.outSize(0); i < count; ++i) {
    int64_t base = 0, rest = i;
    for (int32_t d = input.ndim; d--;)
      if (!reduced[d]) {
        base += rest % input.shape[d] * steps[d];
        rest /= input.shape[d];
      }
    for (int64_t part = 0; part < parts; ++part) {
      int64_t at = base, within = part;
      for (int64_t a = 0; a < axes; ++a) { // the first one runs fastest
        int64_t axis = call.integer("axes", a);
        at += within % input.shape[axis] * steps[axis];
        within /= input.shape[axis];
      }
      if (part)
        writer.add(separator);
      writer.add(call.strings(0)[at]);
    }
    writer.end();
  }
  return writer.finish();
}

TENON_HOST(string_length) {
  bool utf8 = call.flag("utf8");
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i) {
    tenon_string text = call.strings(0)[i];
    call.out<int32_t>(0)[i] =
        utf8 ? int32_t(countCharacters(text)) : int32_t(text.size);
  }
  return true;
}

// Letters beyond ASCII that have another case, as ranges of equal distance.
struct CaseRange {
  uint16_t first, last;
  int16_t toLower; // of upper-case letters
  uint8_t step;
};
static const CaseRange caseRanges[] = {
    {0xc0, 0xd6, 32, 1},     {0xd8, 0xde, 32, 1},    {0x100, 0x12e, 1, 2},
    {0x132, 0x136, 1, 2},    {0x139, 0x147, 1, 2},   {0x14a, 0x176, 1, 2},
    {0x178, 0x178, -121, 1}, {0x179, 0x17d, 1, 2},   {0x386, 0x386, 38, 1},
    {0x388, 0x38a, 37, 1},   {0x38c, 0x38c, 64, 1},  {0x38e, 0x38f, 63, 1},
    {0x391, 0x3a1, 32, 1},   {0x3a3, 0x3ab, 32, 1},  {0x400, 0x40f, 80, 1},
    {0x410, 0x42f, 32, 1},   {0x460, 0x480, 1, 2},   {0x48a, 0x4be, 1, 2},
    {0x4d0, 0x52e, 1, 2},    {0x531, 0x556, 48, 1},  {0x1e00, 0x1e94, 1, 2},
    {0x1ea0, 0x1efe, 1, 2},  {0x2c60, 0x2c60, 1, 1}, {0x24b6, 0x24cf, 26, 1},
    {0xff21, 0xff3a, 32, 1},
};

static uint32_t otherCase(uint32_t c, bool upper) {
  if (c < 128) {
    bool letter = upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
    return letter ? c ^ 32 : c;
  }
  for (const CaseRange &range : caseRanges) {
    uint32_t from = upper ? c - uint32_t(range.toLower) : c;
    if (from >= range.first && from <= range.last &&
        (from - range.first) % range.step == 0)
      return upper ? from : c + uint32_t(range.toLower);
  }
  return c;
}

TENON_HOST(string_case) {
  bool upper = call.flag("upper"), utf8 = call.flag("utf8");
  StringWriter writer(call, 0);
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i) {
    tenon_string text = call.strings(0)[i];
    for (size_t at = 0; at < text.size;) {
      uint32_t c = uint8_t(text.data[at]);
      if (!utf8 || c < 128) {
        writer.add(char(c < 128 ? otherCase(c, upper) : c));
        ++at;
        continue;
      }
      char bytes[4];
      writer.add(bytes,
                 encodeUtf8(otherCase(decodeUtf8(text, at), upper), bytes));
    }
    writer.end();
  }
  return writer.finish();
}

static bool isSpace(char c) { return c == ' ' || (c >= 9 && c <= 13); }

TENON_HOST(string_strip) {
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i) {
    tenon_string text = call.strings(0)[i];
    while (text.size && isSpace(text.data[0])) {
      ++text.data;
      --text.size;
    }
    while (text.size && isSpace(text.data[text.size - 1]))
      --text.size;
    call.out<tenon_string>(0)[i] = text;
  }
  return true;
}

static int64_t loadIndex(const tenon_tensor &tensor, int64_t i) {
  return tensor.dtype.bits == 64 ? static_cast<const int64_t *>(tensor.data)[i]
                                 : static_cast<const int32_t *>(tensor.data)[i];
}

TENON_HOST(substr) {
  Broadcast broadcast;
  if (!broadcastInto(call, broadcast, 2))
    return false;
  if (call.inSize(1) != call.inSize(2))
    return call.fail("position has %lld elements, length %lld",
                     (long long)call.inSize(1), (long long)call.inSize(2));
  bool utf8 = call.flag("utf8");
  for (int64_t i = 0, count = broadcast.size(); i < count; ++i) {
    tenon_string text = call.strings(0)[broadcast.source(0, i)];
    int64_t which = broadcast.source(1, i);
    int64_t position = loadIndex(call.inputs[1], which),
            length = loadIndex(call.inputs[2], which);
    int64_t size = utf8 ? countCharacters(text) : int64_t(text.size);
    if (position > size || position < -size)
      return call.fail("pos %lld out of range for string at index %lld",
                       (long long)position, (long long)i);
    int64_t start = position < 0 ? size + position : position;
    int64_t end = length < 0 || length > size - start ? size : start + length;
    if (utf8) {
      start = int64_t(characterOffset(text, start));
      end = int64_t(characterOffset(text, end));
    }
    call.out<tenon_string>(0)[i] = {text.data + start, size_t(end - start)};
  }
  return true;
}

// Base 64 of the web: '-' and '_'.
static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

TENON_HOST(encode_base64) {
  StringWriter writer(call, 0);
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i) {
    tenon_string text = call.strings(0)[i];
    for (size_t at = 0; at < text.size; at += 3) {
      uint32_t left = uint32_t(text.size - at), bits = 0;
      for (uint32_t k = 0; k < 3; ++k)
        bits = bits << 8 | (k < left ? uint8_t(text.data[at + k]) : 0);
      for (uint32_t k = 0; k < 4; ++k)
        if (k <= left)
          writer.add(digits[bits >> (18 - 6 * k) & 63]);
        else if (call.flag("pad"))
          writer.add('=');
    }
    writer.end();
  }
  return writer.finish();
}

TENON_HOST(decode_base64) {
  StringWriter writer(call, 0);
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i) {
    tenon_string text = call.strings(0)[i];
    while (text.size && text.data[text.size - 1] == '=')
      --text.size;
    uint32_t bits = 0, held = 0;
    for (size_t at = 0; at < text.size; ++at) {
      const char *digit =
          text.data[at] ? strchr(digits, text.data[at]) : nullptr;
      if (!digit || text.size % 4 == 1)
        return call.fail("string %lld is not web-safe base 64", (long long)i);
      bits = bits << 6 | uint32_t(digit - digits);
      held += 6;
      if (held >= 8) {
        held -= 8;
        writer.add(char(bits >> held));
      }
    }
    writer.end();
  }
  return writer.finish();
}

TENON_HOST(decode_raw) {
  tenon_dtype dtype = call.outputs[0].dtype;
  int64_t unit = dtypeBytes(dtype), count = call.inSize(0), length = 0;
  for (int64_t i = 0; i < count; ++i) {
    int64_t size = int64_t(call.strings(0)[i].size);
    if (i && size != length)
      return call.fail("element %lld has %lld bytes, the ones before have %lld",
                       (long long)i, (long long)size, (long long)length);
    length = size;
  }
  if (length % unit)
    return call.fail("input has %lld bytes, which is no multiple of the %lld "
                     "of an element",
                     (long long)length, (long long)unit);
  tenon_tensor &result = call.outputs[0];
  for (int32_t d = 0; d < call.inputs[0].ndim; ++d)
    result.shape[d] = call.inputs[0].shape[d];
  result.shape[result.ndim - 1] = length / unit;
  if (!call.allocate(0))
    return false;
  char *to = call.out(0);
  int64_t part = dtype.code == TENON_COMPLEX ? unit / 2 : unit;
  for (int64_t i = 0; i < count; ++i, to += length) {
    const char *from = call.strings(0)[i].data;
    if (length)
      memcpy(to, from, size_t(length));
    if (call.flag("big_endian"))
      for (int64_t k = 0; k < length; ++k)
        to[k] = from[k / part * part + part - 1 - k % part];
    if (dtype.code == TENON_BOOL)
      for (int64_t k = 0; k < length; ++k)
        to[k] = to[k] != 0;
  }
  return true;
}

} // namespace tenon
