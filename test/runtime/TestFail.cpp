#include "TestFail.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

tenon::FailContext tenon::failContext;

void tenon::fail(const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  throw Failure{text};
}

void *tenon::allocate(size_t bytes) {
  void *memory = calloc(1, bytes + 1);
  if (!memory)
    fail("no memory for %zu bytes", bytes);
  return memory;
}

void *tenon::resize(void *memory, size_t bytes) {
  memory = realloc(memory, bytes);
  if (!memory)
    fail("no memory for %zu bytes", bytes);
  return memory;
}
