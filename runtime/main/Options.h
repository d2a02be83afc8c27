// The command line of a generated executable.
#ifndef TENON_RUNTIME_MAIN_OPTIONS_H
#define TENON_RUNTIME_MAIN_OPTIONS_H

#include "core/Message.h"

namespace tenon {

// One call of an entry: the words from its --run to the next one.
struct RunRequest {
  const char *entry;      // NULL: the default entry
  const char **arguments; // NAME=VALUE, FILE
  int32_t argumentCount;
};

struct Options {
  const char *program; // argv[0] without its folder
  RunRequest *runs;
  int32_t runCount;
  bool explicitRuns;    // --run was used
  const char **outputs; // the words after -o
  int32_t outputCount;
  const char **shapes; // the words after --shape
  int32_t shapeCount;
  int32_t threads, cpuLevel;
  const char *device;
  double benchSeconds; // 0: no --bench
  const char *profileFile;
  bool profile, full, cast, json, checkNumerics, help;
};

// Reads the words. False with the text when they make no sense (status 2).
// The lists live as long as the process.
bool parseOptions(int argc, char **argv, Options &options, Message &message);

} // namespace tenon

#endif // TENON_RUNTIME_MAIN_OPTIONS_H
