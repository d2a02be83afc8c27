// Text that grows by doubling.
#include "io/Text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace tenon {

char *Text::grow(size_t bytes) {
  if (failed || bytes > size_t(-1) / 4 - size) {
    failed = true;
    return nullptr;
  }
  if (size + bytes > capacity) {
    size_t wanted = size + bytes + capacity;
    if (wanted < 256)
      wanted = 256;
    char *moved = static_cast<char *>(realloc(data, wanted));
    if (!moved) {
      failed = true;
      return nullptr;
    }
    data = moved;
    capacity = wanted;
  }
  return data + size;
}

void Text::add(const void *bytes, size_t count) {
  char *to = grow(count);
  if (!to || !count)
    return;
  memcpy(to, bytes, count);
  size += count;
}

void Text::add(const char *text) { add(text, strlen(text)); }

void Text::addJson(const char *text) {
  for (; *text; ++text) {
    if (*text == '"' || *text == '\\')
      print("\\%c", *text);
    else if ((unsigned char)*text < ' ')
      print("\\u%04x", *text);
    else
      add(text, 1);
  }
}

void Text::pad(char fill, int64_t count) {
  char *to = count > 0 ? grow(size_t(count)) : nullptr;
  if (!to)
    return;
  memset(to, fill, size_t(count));
  size += size_t(count);
}

void Text::print(const char *format, ...) {
  char *to = grow(512);
  for (size_t room = 512; to;) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(to, room, format, arguments);
    va_end(arguments);
    if (length < 0)
      return;
    if (size_t(length) < room) {
      size += size_t(length);
      return;
    }
    room = size_t(length) + 1;
    to = grow(room);
  }
}

void Text::release() {
  free(data);
  data = nullptr;
  size = capacity = 0;
}

} // namespace tenon
