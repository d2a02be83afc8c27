// What calls gave, printed or written at the end.
#ifndef TENON_RUNTIME_MAIN_RESULTS_H
#define TENON_RUNTIME_MAIN_RESULTS_H

#include "io/Tensor.h"
#include "io/Text.h"
#include "main/Options.h"

namespace [[gnu::visibility("hidden")]] tenon {

struct Result {
  const char *name; // "probs", or "2/probs" with several runs
  tenon_tensor tensor;
};

struct Results {
  Result *list = nullptr;
  int32_t count = 0;
};

// Writes what the -o options ask for, or prints all to `out`.
void deliver(const Results &results, const Options &options, Text &out);

// Fails when a number of a floating type is not finite.
void checkFinite(const char *what, const char *name,
                 const tenon_tensor &tensor);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_RESULTS_H
