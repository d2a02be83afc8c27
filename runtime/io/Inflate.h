// What is needed of zlib, which is loaded when a file is compressed.
#ifndef TENON_RUNTIME_IO_INFLATE_H
#define TENON_RUNTIME_IO_INFLATE_H

#include <stddef.h>

namespace [[gnu::visibility("hidden")]] tenon {

// The part of zlib's interface that is needed; its layout has been stable
// since 1995.
struct ZStream {
  const char *in;
  unsigned inLeft;
  unsigned long inTotal;
  char *out;
  unsigned outLeft;
  unsigned long outTotal;
  const char *text;
  void *state, *allocate, *release, *opaque;
  int dataType;
  unsigned long adler, reserved;

  // Its counters have 32 bits.
  static unsigned chunk(size_t left) {
    return left < 1 << 30 ? unsigned(left) : 1 << 30;
  }
};

// The results of its functions.
enum ZStatus { ZGood = 0, ZEnd = 1, ZError = -1 };

// What data is wrapped in, as zlib's windowBits.
enum ZWrapping { RawDeflate = -15, ZlibOrGzip = 47 };

} // namespace tenon

#endif // TENON_RUNTIME_IO_INFLATE_H
