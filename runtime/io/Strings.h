// What reading and writing does for strings: linked into executables whose
// model has tensors of them, and into tests.
#ifndef TENON_RUNTIME_IO_STRINGS_H
#define TENON_RUNTIME_IO_STRINGS_H

#include "io/Tensor.h"
#include "io/Text.h"

namespace [[gnu::visibility("hidden")]] tenon {
struct Instance;
} // namespace tenon

struct tenon_string_functions {
  // Adds Python's repr() of bytes.
  void (*print)(tenon::Text &out, const tenon_string &string);
  // Reads a quoted string as JSON has it and returns what follows. When it is
  // malformed: says how in `wrong`, and returns the place.
  const char *(*readQuoted)(const char *at, tenon_string &string,
                            const char *&wrong);
  // Elements from rows of `width` bytes, without the zeros at their ends.
  void (*fromRows)(const tenon_tensor &tensor, char *rows, size_t width);
  // Elements as rows of one width.
  char *(*toRows)(const tenon_tensor &tensor, size_t &width);
  // Gives each element bytes of its own.
  void (*copy)(const tenon_tensor &tensor);
  // See main/Events.h.
  void (*log)(const tenon::Instance &instance, const char *folder, int32_t run,
              const tenon_tensor *results, int32_t count);
  const char *help; // the line about that option
};

// NULL when the model has no strings.
inline const tenon_string_functions *stringFunctions() {
  extern const tenon_string_functions tenon_strings
      [[gnu::weak, gnu::visibility("hidden")]];
  return &tenon_strings;
}

#endif // TENON_RUNTIME_IO_STRINGS_H
