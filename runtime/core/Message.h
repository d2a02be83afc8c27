// The text of a failure, and the few text helpers that all of the runtime
// shares.
#ifndef TENON_RUNTIME_CORE_MESSAGE_H
#define TENON_RUNTIME_CORE_MESSAGE_H

#include "tenon/abi.h"

namespace [[gnu::visibility("hidden")]] tenon {

// A failure's text; what does not fit is cut.
struct Message {
  char text[1024];

  // Sets the text as printf would, and returns false, so that a function can
  // end with `return message.fail(...)`.
  __attribute__((format(printf, 2, 3))) bool fail(const char *format, ...);
};

// NumPy's name of an element type ("float32"), "string", or "?" when there is
// no such type here.
const char *dtypeName(tenon_dtype dtype);

// Bytes of one element, 0 for types that are not known.
inline int dtypeBytes(tenon_dtype dtype) { return dtype.bits / 8; }

inline bool sameDtype(tenon_dtype a, tenon_dtype b) {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

// Writes "float32[?x64]" into `out`: "?" stands for symbols (negative sizes).
// Returns `out`.
const char *formatType(char *out, size_t room, tenon_dtype dtype, int32_t rank,
                       const int64_t *shape);

} // namespace tenon

#endif // TENON_RUNTIME_CORE_MESSAGE_H
