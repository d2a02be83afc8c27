// Measuring an entry.
#ifndef TENON_RUNTIME_MAIN_BENCH_H
#define TENON_RUNTIME_MAIN_BENCH_H

#include "core/Instance.h"
#include "io/Text.h"
#include "main/Inputs.h"

namespace tenon {

// Calls an entry for options.benchSeconds and prints what it took. Inputs
// that are not given get random values, always the same ones.
bool runBench(Instance &instance, int32_t entry, Inputs &inputs,
              const Options &options, Text &out, Message &message);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_BENCH_H
