// The end of a process that cannot go on.
#include "io/Fail.h"
#include "core/System.h"
#include "io/Text.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

namespace tenon {

FailContext failContext;

void fail(const char *format, ...) {
  const FailContext &context = failContext;
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (context.temporary)
    systemCall(SYS_unlinkat, AT_FDCWD, context.temporary, 0);
  if (context.scope)
    context.scope->leave(*context.scope, text);
  Text line;
  line.print("%s: error: ", context.program);
  if (context.input)
    line.print("entry '%s', input '%s': ", context.entry, context.input);
  if (context.variable)
    line.print("variable '%s': ", context.variable);
  if (context.file)
    line.print("%s: ", context.file);
  line.add(text);
  for (size_t i = 0; i < line.size; ++i)
    if ((unsigned char)line.data[i] < ' ')
      line.data[i] = '?'; // names may hold anything; the line is one
  line.add("\n");
  systemCall(SYS_write, STDERR_FILENO, line.data, line.size);
  exitProcess(context.status);
}

static void *checked(void *memory, size_t bytes) {
  if (!memory)
    fail("no memory for %zu bytes", bytes);
  return memory;
}

void *allocate(size_t bytes) {
  FailScope *scope = failContext.scope;
  return checked(scope ? scope->resize(*scope, nullptr, bytes + 1)
                       : calloc(1, bytes + 1),
                 bytes);
}

void *resize(void *memory, size_t bytes) {
  FailScope *scope = failContext.scope;
  return checked(scope ? scope->resize(*scope, memory, bytes)
                       : realloc(memory, bytes),
                 bytes);
}

} // namespace tenon
