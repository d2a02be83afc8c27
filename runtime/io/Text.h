// A text (or any bytes) that grows.
#ifndef TENON_RUNTIME_IO_TEXT_H
#define TENON_RUNTIME_IO_TEXT_H

#include <stddef.h>
#include <stdint.h>

namespace tenon {

// Once memory runs out, `failed` is set and nothing more is added. The owner
// calls release().
struct Text {
  char *data = nullptr;
  size_t size = 0, capacity = 0;
  bool failed = false;

  // Room for `bytes` more behind `size`, or NULL.
  char *grow(size_t bytes);
  void add(const void *bytes, size_t count);
  void add(const char *text);
  // Adds the text as it stands inside a JSON string.
  void addJson(const char *text);
  void pad(char fill, int64_t count);
  __attribute__((format(printf, 2, 3))) void print(const char *format, ...);
  void release();
};

} // namespace tenon

#endif // TENON_RUNTIME_IO_TEXT_H
