// zlib, loaded when it is needed.
#ifndef TENON_RUNTIME_IO_INFLATE_H
#define TENON_RUNTIME_IO_INFLATE_H

#include <stddef.h>

namespace [[gnu::visibility("hidden")]] tenon {

// What data is wrapped in, as zlib's windowBits.
enum Wrapping { RawDeflate = -15, ZlibOrGzip = 47 };

// Inflates all of `from` and hands the bytes to `take` piece by piece, each
// `room` bytes at `to` at most. Gzip's members may follow one another. False
// when the bytes are damaged. Fails with "`what` need libz..." when there is no
// such library.
bool inflateAll(Wrapping wrapping, const char *what, const char *from,
                size_t size, char *to, size_t room,
                void (*take)(void *context, const char *bytes, size_t count),
                void *context);

} // namespace tenon

#endif // TENON_RUNTIME_IO_INFLATE_H
