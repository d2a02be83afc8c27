// How reading, writing and the command line fail. In a generated executable a
// failure ends the process: one line on stderr and an exit status. So nothing
// here returns errors, and memory that lives as long as the process is not
// given back. Operations of a model that read and write files do so in
// libraries, too: they stand in a scope (host/Guard.h), which failures leave
// and which gives all memory back.
#ifndef TENON_RUNTIME_IO_FAIL_H
#define TENON_RUNTIME_IO_FAIL_H

#include <stddef.h>

namespace [[gnu::visibility("hidden")]] tenon {

struct FailScope {
  // Does not return.
  void (*leave)(FailScope &scope, const char *text);
  // realloc and what zeroes new memory, for memory that ends with the scope.
  void *(*resize)(FailScope &scope, void *memory, size_t bytes);
  // Undoes the mapping of a file at the end.
  void (*keepMapped)(FailScope &scope, void *memory, size_t bytes);
};

// What a failure's line begins with, and what else it needs. Set these before
// calling what may fail; NULL leaves a part out.
struct FailContext {
  const char *program;
  const char *entry, *input; // "entry 'main', input 'x': "
  const char *variable;      // "variable 'w': "
  const char *file;          // "image.npy: "
  const char *temporary;     // an unfinished file, to be removed
  int status;
  int output;       // descriptor of the unfinished file, and 1
  FailScope *scope; // NULL: failures end the process
};
extern FailContext failContext;

// Ends the process: "program: error: entry 'main', input 'x': image.npy: ...".
// (Tests have their own version, which throws.)
[[noreturn, gnu::cold, gnu::format(printf, 1, 2)]] void fail(const char *format,
                                                             ...);

// Zeroed memory; fails when there is none.
void *allocate(size_t bytes);
// As realloc; fails when there is no memory.
void *resize(void *memory, size_t bytes);

} // namespace tenon

#endif // TENON_RUNTIME_IO_FAIL_H
