// What calls gave, printed or written at the end.
#ifndef TENON_RUNTIME_MAIN_RESULTS_H
#define TENON_RUNTIME_MAIN_RESULTS_H

#include "io/Array.h"
#include "io/Text.h"
#include "main/Options.h"

namespace tenon {

struct Result {
  Text name; // "probs", or "2/probs" with several runs
  Array array;
};

struct Results {
  Text list = {}; // of Result

  Result *begin() const { return reinterpret_cast<Result *>(list.data); }
  Result *end() const {
    return reinterpret_cast<Result *>(list.data + list.size);
  }

  // Copies a result. `position` is the run's, or -1 for an only run.
  bool add(int32_t position, const char *name, const tenon_tensor &tensor,
           Message &message);
  // Writes what the -o options ask for, or prints all to `out`.
  bool deliver(const Options &options, Text &out, Message &message);
  void release();
};

// Whether every -o names a file kind that exists and a result that the runs
// will give. False with the text and the exit status.
bool checkOutputs(const Options &options, const Signature &signature,
                  const int32_t *entries, Message &message, int &status);

// False with the text when a floating result is not finite.
bool checkFinite(const char *what, const char *name, const Array &array,
                 Message &message);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_RESULTS_H
