// The command line of a generated executable.
#ifndef TENON_RUNTIME_MAIN_OPTIONS_H
#define TENON_RUNTIME_MAIN_OPTIONS_H

#include <stdint.h>

namespace [[gnu::visibility("hidden")]] tenon {

// A list of words of the command line.
struct Words {
  const char **list;
  int32_t count;
};

// One call of an entry: the words from its --run to the next one.
struct RunRequest {
  const char *entry; // NULL: the default entry
  int32_t number;    // of the entry, once it is found
  Words inputs;      // NAME=VALUE, FILE
};

struct Options {
  RunRequest *runs;
  int32_t runCount;
  Words outputs, shapes; // the words after -o, and after --shape
  const char *entry, *device, *threads, *cpu, *bench, *profile;
  const char *save, *restore, *restorePartial, *logdir;
  const char *full, *cast, *json, *checkNumerics, *help;
};

// Reads the words. Ends the process with status 2 when they make no sense.
// Options without a value are "" when they are there.
void parseOptions(int argc, char **argv, Options &options);

// The number that an option's value is, at least `lowest`.
double optionNumber(const char *name, const char *value, double lowest);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_OPTIONS_H
