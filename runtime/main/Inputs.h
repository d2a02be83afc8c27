// Inputs of a call from the words of the command line.
#ifndef TENON_RUNTIME_MAIN_INPUTS_H
#define TENON_RUNTIME_MAIN_INPUTS_H

#include "io/Tensor.h"
#include "main/Options.h"

namespace [[gnu::visibility("hidden")]] tenon {

// The tensors for an entry's inputs, in the signature's order: from literals
// and files. Where nothing was given, `data` is NULL.
tenon_tensor *readInputs(const EntrySpec &entry, const Words &words, bool cast);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_INPUTS_H
