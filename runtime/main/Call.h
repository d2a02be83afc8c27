// Checked calls from the command line.
#ifndef TENON_RUNTIME_MAIN_CALL_H
#define TENON_RUNTIME_MAIN_CALL_H

#include "core/Instance.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Calls an entry; inputs without data are left out. Returns the results, in
// memory of the instance. Fails when the call does.
tenon_tensor *callEntry(Instance &instance, int32_t entry,
                        tenon_tensor *inputs);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_CALL_H
