// Parsing of the command line.
#include "main/Options.h"
#include "io/Fail.h"
#include "io/Text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

// What may stand behind an option.
enum Kind : uint8_t { Flag, Maybe, Partial, Word, List, Run };

// All options: name, kind, field of Options.
#define TENON_OPTIONS(X)                                                       \
  X("--entry", Word, entry)                                                    \
  X("--run", Run, entry)                                                       \
  X("-o", List, outputs)                                                       \
  X("--shape", List, shapes)                                                   \
  X("--threads", Word, threads)                                                \
  X("--device", Word, device)                                                  \
  X("--cpu", Word, cpu)                                                        \
  X("--bench", Maybe, bench)                                                   \
  X("--profile", Maybe, profile)                                               \
  X("--save", Word, save)                                                      \
  X("--restore", Word, restore)                                                \
  X("--restore-partial", Partial, restorePartial)                              \
  X("--logdir", Word, logdir)                                                  \
  X("--full", Flag, full)                                                      \
  X("--cast", Flag, cast)                                                      \
  X("--json", Flag, json)                                                      \
  X("--check-numerics", Flag, checkNumerics)                                   \
  X("--help", Flag, help)                                                      \
  X("-h", Flag, help)

struct Spec {
  Kind kind;
  uint8_t field; // its place in Options
};
#define TENON_SPEC(name, kind, field) {kind, offsetof(Options, field)},
const Spec specs[] = {TENON_OPTIONS(TENON_SPEC)};

// The names, one after the other: pointers would need relocations.
#define TENON_NAME(name, kind, field) name "\0"
const char names[] = TENON_OPTIONS(TENON_NAME);

// `name` becomes the option's name, which ends in a zero.
const Spec &findOption(const char *word, size_t length, const char *&name) {
  name = names;
  for (const Spec &spec : specs) {
    if (behind(word, name) == word + length)
      return spec;
    name += strlen(name) + 1;
  }
  fail("unknown option '%.*s' (--help lists all)", int(length), word);
}

} // namespace

void parseOptions(int argc, char **argv, Options &options) {
  size_t words = size_t(argc) + 1;
  auto list = [&] {
    return static_cast<const char **>(allocate(words * sizeof(char *)));
  };
  options.runs =
      static_cast<RunRequest *>(allocate(words * sizeof(RunRequest)));
  options.outputs.list = list();
  options.shapes.list = list();
  RunRequest *run = options.runs;
  run->inputs.list = list();
  for (char **at = argv + 1; at < argv + argc; ++at) {
    const char *word = *at;
    // Negative numbers are inputs.
    if (word[0] != '-' || (word[1] != '-' && word[1] <= '9')) {
      run->inputs.list[run->inputs.count++] = word;
      continue;
    }
    size_t length = word[1] == '-' ? strcspn(word, "=") : strlen(word);
    const char *name;
    const Spec &spec = findOption(word, length, name);
    const char *value = word[length] ? word + length + 1 : nullptr;
    if (spec.kind == Flag && value)
      fail("%s takes no value", name);
    // A path may follow, when --restore has not given one.
    bool path =
        spec.kind == Partial && !options.restore && at[1] && *at[1] != '-';
    if ((spec.kind >= Word || path) && !value) {
      value = *++at;
      if (!value)
        fail("%s needs a value", word);
    }
    void *field = reinterpret_cast<char *>(&options) + spec.field;
    if (spec.kind == List) {
      Words *words = static_cast<Words *>(field);
      words->list[words->count++] = value;
    } else if (spec.kind == Run) {
      if (!options.runCount++ && run->inputs.count)
        fail("'%s' stands before the first --run: inputs follow their --run",
             run->inputs.list[0]);
      if (options.runCount > 1) {
        run[1].inputs.list = run->inputs.list + run->inputs.count;
        ++run;
      }
      run->entry = value;
    } else {
      *static_cast<const char **>(field) = value ? value : "";
    }
  }
  if (options.runCount && options.entry)
    fail("--entry names the only call; use --run for several");
  if (!options.bench && (options.json || options.shapes.count))
    fail("--json and --shape belong to --bench");
  if (options.restorePartial && !options.restore) {
    options.restore = options.restorePartial;
    if (!*options.restore)
      fail("--restore-partial belongs to --restore PATH");
  }
  if (!options.runCount) {
    options.runCount = 1;
    run->entry = options.entry;
  }
  for (int32_t i = 0; i < options.outputs.count; ++i) {
    const char *word = options.outputs.list[i];
    size_t length = strlen(word);
    if (strcmp(word, "-") &&
        (length < 5 || (strcmp(word + length - 4, ".npz") &&
                        strcmp(word + length - 4, ".npy"))))
      fail("-o: expected FILE.npz, NAME=FILE.npy or -, got '%s'", word);
  }
}

double optionNumber(const char *name, const char *value, double lowest) {
  char *end;
  double number = strtod(value, &end);
  if (end == value || *end || !(number >= lowest && number < 1e6))
    fail("%s: expected a number from %g, got '%s'", name, lowest, value);
  return number;
}

} // namespace tenon
