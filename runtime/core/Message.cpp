// Failure texts and names of types.
#include "core/Message.h"

#include <stdarg.h>
#include <stdio.h>

namespace tenon {

// Nobody passes floating-point numbers, so their registers need no saving.
[[gnu::target("general-regs-only")]]
bool Message::fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return false;
}

namespace {
struct NamedType {
  char name[11];
  uint8_t code, bits;
};
// Characters inside the table: pointers would need relocations at start.
const NamedType namedTypes[] = {
    {"float32", TENON_FLOAT, 32},
    {"float64", TENON_FLOAT, 64},
    {"float16", TENON_FLOAT, 16},
    {"bfloat16", TENON_BFLOAT, 16},
    {"bool", TENON_BOOL, 8},
    {"int8", TENON_INT, 8},
    {"int16", TENON_INT, 16},
    {"int32", TENON_INT, 32},
    {"int64", TENON_INT, 64},
    {"uint8", TENON_UINT, 8},
    {"uint16", TENON_UINT, 16},
    {"uint32", TENON_UINT, 32},
    {"uint64", TENON_UINT, 64},
    {"complex64", TENON_COMPLEX, 64},
    {"complex128", TENON_COMPLEX, 128},
    {"string", TENON_STRING, 128},
};
} // namespace

const char *dtypeName(tenon_dtype dtype) {
  if (dtype.lanes == 1)
    for (const NamedType &type : namedTypes)
      if (type.code == dtype.code && type.bits == dtype.bits)
        return type.name;
  return "?";
}

const char *formatType(char *out, size_t room, tenon_dtype dtype, int32_t rank,
                       const int64_t *shape) {
  int used = snprintf(out, room, "%s[", dtypeName(dtype));
  for (int32_t i = 0; i < rank && size_t(used) + 32 < room; ++i)
    used += shape[i] < 0
                ? snprintf(out + used, room - size_t(used), i ? "x?" : "?")
                : snprintf(out + used, room - size_t(used), "%s%lld",
                           i ? "x" : "", (long long)shape[i]);
  snprintf(out + used, room - size_t(used), "]");
  return out;
}

} // namespace tenon
