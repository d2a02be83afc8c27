// A text (or any bytes) that grows.
#ifndef TENON_RUNTIME_IO_TEXT_H
#define TENON_RUNTIME_IO_TEXT_H

#include <stddef.h>
#include <stdint.h>

namespace [[gnu::visibility("hidden")]] tenon {

struct Text {
  char *data = nullptr;
  size_t size = 0, capacity = 0;

  // Room for `bytes` more behind `size`.
  char *grow(size_t bytes);
  void add(const void *bytes, size_t count);
  void add(const char *text);
  // Adds the text as it stands inside a JSON string.
  void addJson(const char *text);
  void pad(char fill, int64_t count);
  [[gnu::format(printf, 2, 3)]] void print(const char *format, ...);
  // The text with a zero behind it.
  const char *terminated();
};

// What follows `prefix` at the start of `text`, or NULL.
const char *behind(const char *text, const char *prefix);
// The last `mark` in `text`, or NULL.
const char *lastOf(const char *text, char mark);

} // namespace tenon

#endif // TENON_RUNTIME_IO_TEXT_H
