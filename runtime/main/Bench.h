// Measuring an entry.
#ifndef TENON_RUNTIME_MAIN_BENCH_H
#define TENON_RUNTIME_MAIN_BENCH_H

#include "core/Instance.h"
#include "io/Text.h"
#include "main/Options.h"

namespace [[gnu::visibility("hidden")]] tenon {

// Calls an entry for the seconds that --bench asks for, and prints what it
// took. Inputs that are not given get random values, always the same ones.
void runBench(Instance &instance, int32_t entry, tenon_tensor *inputs,
              const Options &options, Text &out);

// Times `call(context)`, which calls that entry, for as long, and prints the
// same.
void measureCalls(Instance &instance, int32_t number, const Options &options,
                  Text &out, void (*call)(void *), void *context);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_BENCH_H
