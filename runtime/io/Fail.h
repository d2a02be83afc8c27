// How reading, writing and the command line fail. They run in generated
// executables only, where a failure ends the process: one line on stderr and
// an exit status. So nothing here returns errors, and memory that lives as
// long as the process is not given back.
#ifndef TENON_RUNTIME_IO_FAIL_H
#define TENON_RUNTIME_IO_FAIL_H

#include <stddef.h>

namespace [[gnu::visibility("hidden")]] tenon {

// What a failure's line begins with, and what else it needs. Set these before
// calling what may fail; NULL leaves a part out.
struct FailContext {
  const char *program;
  const char *entry, *input; // "entry 'main', input 'x': "
  const char *variable;      // "variable 'w': "
  const char *file;          // "image.npy: "
  const char *temporary;     // an unfinished file, to be removed
  int status;
};
extern FailContext failContext;

// Ends the process: "program: error: entry 'main', input 'x': image.npy: ...".
// (Tests have their own version, which throws.)
[[noreturn, gnu::cold, gnu::format(printf, 1, 2)]] void fail(const char *format,
                                                             ...);

// Zeroed memory; fails when there is none.
void *allocate(size_t bytes);

} // namespace tenon

#endif // TENON_RUNTIME_IO_FAIL_H
