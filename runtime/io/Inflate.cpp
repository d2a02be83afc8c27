#include "io/Inflate.h"
#include "io/Fail.h"

#include <dlfcn.h>

namespace tenon {

namespace {

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
};

enum { Ok = 0, StreamEnd = 1, BufferError = -5 };

unsigned chunk(size_t left) {
  return left < 1 << 30 ? unsigned(left) : 1 << 30;
}

} // namespace

bool inflateAll(Wrapping wrapping, const char *what, const char *from,
                size_t size, char *to, size_t room,
                void (*take)(void *context, const char *bytes, size_t count),
                void *context) {
  void *library = dlopen("libz.so.1", RTLD_NOW);
  if (!library)
    fail("%s need libz.so.1: install the package zlib1g", what);
  auto init = reinterpret_cast<int (*)(ZStream *, int, const char *, int)>(
      dlsym(library, "inflateInit2_"));
  auto inflate =
      reinterpret_cast<int (*)(ZStream *, int)>(dlsym(library, "inflate"));
  auto reset =
      reinterpret_cast<int (*)(ZStream *)>(dlsym(library, "inflateReset"));
  ZStream stream = {};
  const char *end = from + size;
  stream.in = from;
  stream.out = to;
  int status = init && inflate && reset
                   ? init(&stream, wrapping, "1", sizeof stream)
                   : BufferError;
  while (!status) {
    // Its counters have 32 bits.
    stream.inLeft = chunk(size_t(end - stream.in));
    stream.outLeft = chunk(size_t(to + room - stream.out));
    status = inflate(&stream, 0);
    if (stream.out == to + room || status == StreamEnd) {
      take(context, to, size_t(stream.out - to));
      stream.out = to;
    }
    if (status == StreamEnd && wrapping != RawDeflate && stream.in != end)
      status = reset(&stream);
  }
  return status == StreamEnd;
}

} // namespace tenon
