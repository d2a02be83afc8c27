// The text of --help.
#ifndef TENON_RUNTIME_MAIN_HELP_H
#define TENON_RUNTIME_MAIN_HELP_H

#include "core/Signature.h"
#include "io/Text.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Adds usage, options and all entries with their inputs and results. `entry`
// is the default entry, or -1.
void printHelp(Text &out, const char *program, const Signature &signature,
               int32_t entry);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_HELP_H
