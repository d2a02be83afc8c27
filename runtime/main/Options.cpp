// Parsing of the command line.
#include "main/Options.h"
#include "io/Fail.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

// What may stand behind an option.
enum Kind : uint8_t { Flag, Maybe, Partial, Word, List, Run };

struct Spec {
  char name[18]; // in place: pointers would need relocations
  Kind kind;
  uint8_t field; // of Options
};
#define FIELD(name) offsetof(Options, name)
const Spec specs[] = {
    {"--entry", Word, FIELD(entry)},
    {"--run", Run, 0},
    {"-o", List, FIELD(outputs)},
    {"--shape", List, FIELD(shapes)},
    {"--threads", Word, FIELD(threads)},
    {"--device", Word, FIELD(device)},
    {"--cpu", Word, FIELD(cpu)},
    {"--bench", Maybe, FIELD(bench)},
    {"--profile", Maybe, FIELD(profile)},
    {"--save", Word, FIELD(save)},
    {"--restore", Word, FIELD(restore)},
    {"--restore-partial", Partial, FIELD(restorePartial)},
    {"--full", Flag, FIELD(full)},
    {"--cast", Flag, FIELD(cast)},
    {"--json", Flag, FIELD(json)},
    {"--check-numerics", Flag, FIELD(checkNumerics)},
    {"--help", Flag, FIELD(help)},
    {"-h", Flag, FIELD(help)},
};

const Spec &findOption(const char *word, size_t length) {
  for (const Spec &spec : specs)
    if (strlen(spec.name) == length && !memcmp(word, spec.name, length))
      return spec;
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
    const Spec &spec = findOption(word, length);
    const char *value = word[length] ? word + length + 1 : nullptr;
    if (spec.kind == Flag && value)
      fail("%s takes no value", spec.name);
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
        fail("'%s' stands before the first --run: inputs follow the --run that "
             "they belong to",
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
    fail("--entry names the only call: use --run NAME for each of several");
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
