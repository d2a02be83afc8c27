// Checked calls from the command line.
#ifndef TENON_RUNTIME_MAIN_CALL_H
#define TENON_RUNTIME_MAIN_CALL_H

#include "core/Instance.h"
#include "main/Options.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Calls an entry; inputs without data are left out. Returns the results, in
// memory of the instance. Fails when the call does.
tenon_tensor *callEntry(Instance &instance, int32_t entry,
                        tenon_tensor *inputs);

// The instance that the options ask for.
Instance &createInstance(const Options &options);

// Prints times by kernel, and writes a trace where --profile names a file.
void writeProfile(Instance &instance, const Options &options);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_CALL_H
