// Parsing of the command line.
#include "main/Options.h"

#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

enum class Kind : uint8_t { Flag, Word, MaybeWord };

struct Spec {
  char name[17]; // in place: pointers would need relocations
  Kind kind;
};

const Spec specs[] = {
    {"--entry", Kind::Word},
    {"--run", Kind::Word},
    {"-o", Kind::Word},
    {"--shape", Kind::Word},
    {"--threads", Kind::Word},
    {"--device", Kind::Word},
    {"--cpu", Kind::Word},
    {"--bench", Kind::MaybeWord},
    {"--profile", Kind::MaybeWord},
    {"--full", Kind::Flag},
    {"--cast", Kind::Flag},
    {"--json", Kind::Flag},
    {"--check-numerics", Kind::Flag},
    {"--help", Kind::Flag},
    {"-h", Kind::Flag},
};
enum Index {
  Entry,
  Run,
  Output,
  Shape,
  Threads,
  Device,
  Cpu,
  Bench,
  ProfileOption,
  Full,
  Cast,
  Json,
  CheckNumerics,
  Help,
  ShortHelp,
  None
};

// Finds the option of a word; `value` is what stands behind its '='.
Index find(const char *word, const char *&value) {
  for (int i = 0; i < None; ++i) {
    size_t length = strlen(specs[i].name);
    if (strncmp(word, specs[i].name, length))
      continue;
    value = word[length] ? word + length + 1 : nullptr;
    if (!word[length] ||
        (word[length] == '=' && word[1] == '-' && specs[i].kind != Kind::Flag))
      return Index(i);
  }
  return None;
}

struct Parser {
  Options &options;
  Message &message;
  bool sawEntry = false;

  bool number(const char *text, double lowest, double &value) {
    char *end;
    value = strtod(text, &end);
    return end != text && !*end && value >= lowest && value < 1e9;
  }

  bool wrong(Index option, const char *value, const char *expected) {
    return message.fail("%s: expected %s, got '%s'", specs[option].name,
                        expected, value);
  }

  bool startRun(const char *entry, bool isRun) {
    if (isRun ? sawEntry : sawEntry || options.explicitRuns)
      return message.fail("--entry names the only call: use --run NAME for "
                          "each of several");
    RunRequest &first = options.runs[0];
    if (isRun && !options.explicitRuns && first.argumentCount)
      return message.fail("'%s' stands before the first --run: inputs follow "
                          "the --run that they belong to",
                          first.arguments[0]);
    if (isRun && options.explicitRuns) {
      RunRequest &last = options.runs[options.runCount - 1];
      options.runs[options.runCount++] = {
          entry, last.arguments + last.argumentCount, 0};
    } else {
      first.entry = entry;
    }
    (isRun ? options.explicitRuns : sawEntry) = true;
    return true;
  }

  bool apply(Index option, const char *value) {
    double amount;
    switch (option) {
    case Entry:
    case Run:
      return startRun(value, option == Run);
    case Output:
      options.outputs[options.outputCount++] = value;
      return true;
    case Shape:
      options.shapes[options.shapeCount++] = value;
      return true;
    case Threads:
      if (!number(value, 1, amount) || amount != int(amount) || amount > 4096)
        return wrong(option, value, "a number of threads from 1");
      options.threads = int32_t(amount);
      return true;
    case Device:
      options.device = value;
      return true;
    case Cpu:
      if (value[0] != 'v' || value[1] < '2' || value[1] > '4' || value[2])
        return wrong(option, value, "v2, v3 or v4");
      options.cpuLevel = value[1] - '0';
      return true;
    case Bench:
      options.benchSeconds = 1;
      if (value && (!number(value, 1e-3, options.benchSeconds)))
        return wrong(option, value, "a number of seconds");
      return true;
    case ProfileOption:
      options.profile = true;
      options.profileFile = value;
      return true;
    case Full:
      return options.full = true;
    case Cast:
      return options.cast = true;
    case Json:
      return options.json = true;
    case CheckNumerics:
      return options.checkNumerics = true;
    default:
      return options.help = true;
    }
  }
};

} // namespace

bool parseOptions(int argc, char **argv, Options &options, Message &message) {
  memset(static_cast<void *>(&options), 0, sizeof options);
  const char *slash = argc ? strrchr(argv[0], '/') : nullptr;
  options.program = slash ? slash + 1 : argc ? argv[0] : "model";
  size_t words = size_t(argc) + 1;
  options.runs = static_cast<RunRequest *>(
      calloc(words, sizeof(RunRequest) + 3 * sizeof(char *)));
  if (!options.runs)
    return message.fail("no memory");
  options.outputs = reinterpret_cast<const char **>(options.runs + words);
  options.shapes = options.outputs + words;
  options.runs[0].arguments = options.shapes + words;
  options.runCount = 1;

  Parser parser{options, message};
  bool onlyInputs = false; // after "--"
  for (int i = 1; i < argc; ++i) {
    const char *word = argv[i];
    bool input = onlyInputs || word[0] != '-' || !word[1] || word[1] == '.' ||
                 (word[1] >= '0' && word[1] <= '9');
    if (input) {
      RunRequest &run = options.runs[options.runCount - 1];
      run.arguments[run.argumentCount++] = word;
      continue;
    }
    if (!strcmp(word, "--")) {
      onlyInputs = true;
      continue;
    }
    const char *value;
    Index option = find(word, value);
    if (option == None)
      return message.fail("unknown option '%s' (--help lists all)", word);
    if (specs[option].kind == Kind::Word && !value) {
      if (i + 1 == argc)
        return message.fail("%s needs a value", word);
      value = argv[++i];
    }
    if (!parser.apply(option, value))
      return false;
  }
  return true;
}

} // namespace tenon
