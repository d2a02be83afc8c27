// Inputs of a call from the words of the command line.
#ifndef TENON_RUNTIME_MAIN_INPUTS_H
#define TENON_RUNTIME_MAIN_INPUTS_H

#include "io/Array.h"
#include "main/Options.h"

namespace tenon {

// The arrays for an entry's inputs, in the signature's order; where nothing
// was given, `data` is NULL. The owner calls release().
struct Inputs {
  Array *arrays = nullptr;
  int32_t count = 0;

  // Reads literals and files. False with the text.
  bool read(const EntrySpec &entry, const RunRequest &run, bool cast,
            Message &message);
  void release();
};

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_INPUTS_H
