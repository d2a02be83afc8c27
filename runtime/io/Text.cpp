// Text that grows by doubling.
#include "io/Text.h"
#include "io/Fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace tenon {

char *Text::grow(size_t bytes) {
  if (bytes > size_t(-1) / 4 - size)
    fail("no memory");
  if (size + bytes > capacity) {
    capacity = size + bytes + capacity + 256;
    data = static_cast<char *>(resize(data, capacity));
  }
  return data + size;
}

void Text::add(const void *bytes, size_t count) {
  char *to = grow(count);
  size += count;
  while (count--)
    to[count] = static_cast<const char *>(bytes)[count];
}

void Text::add(const char *text) {
  while (*text)
    add(text++, 1);
}

void Text::addJson(const char *text) {
  for (; *text; ++text) {
    if (*text == '"' || *text == '\\')
      add("\\", 1);
    if ((unsigned char)*text < ' ')
      print("\\u%04x", *text);
    else
      add(text, 1);
  }
}

void Text::pad(char fill, int64_t count) {
  while (count-- > 0)
    add(&fill, 1);
}

void Text::print(const char *format, ...) {
  for (int length = 80;;) {
    size_t room = size_t(length) + 1;
    char *to = grow(room);
    va_list arguments;
    va_start(arguments, format);
    length = vsnprintf(to, room, format, arguments);
    va_end(arguments);
    if (size_t(length) < room) {
      size += size_t(length);
      return;
    }
  }
}

const char *Text::terminated() {
  *grow(1) = 0;
  return data;
}

// Both are shorter than what a program needs for the C library's.
const char *lastOf(const char *text, char mark) {
  const char *found = nullptr;
  for (; *text; ++text)
    if (*text == mark)
      found = text;
  return found;
}

const char *behind(const char *text, const char *prefix) {
  while (*prefix)
    if (*text++ != *prefix++)
      return nullptr;
  return text;
}

} // namespace tenon
