#include "train/Options.h"
#include "io/Fail.h"
#include "train/Export.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

namespace tenon::train {

namespace {

// What may stand behind an option: nothing, something after '=', a word, or a
// word each time.
enum Kind : uint8_t { Flag, Maybe, Word, List };
enum Commands : uint8_t {
  Fit = TrainOptions::Fit,
  Evaluate = TrainOptions::Evaluate,
  Both = Fit | Evaluate,
  Data = Both | TrainOptions::Predict,
  All = Data | TrainOptions::Export,
  Outputs = All & ~Fit
};

// All options: name, kind, the commands that have it, field of TrainOptions.
#define TENON_OPTIONS(X)                                                       \
  X("--validation", List, Fit, validation)                                     \
  X("--epochs", Word, Fit, epochs)                                             \
  X("--batch", Word, Data, batch)                                              \
  X("--seed", Word, Fit, seed)                                                 \
  X("--shuffle", Word, Fit, shuffle)                                           \
  X("--no-shuffle", Flag, Fit, noShuffle)                                      \
  X("--class-weight", Word, Fit, classWeight)                                  \
  X("--checkpoint", Word, Fit, checkpoint)                                     \
  X("--resume", Flag, Fit, resume)                                             \
  X("--keep", Word, Fit, keep)                                                 \
  X("--checkpoint-steps", Word, Fit, checkpointSteps)                          \
  X("--history", Word, Fit, history)                                           \
  X("--early-stopping", Maybe, Fit, earlyStopping)                             \
  X("--reduce-lr-on-plateau", Maybe, Fit, plateau)                             \
  X("--save-best", Word, Fit, saveBest)                                        \
  X("--export", Word, Fit, exportTo)                                           \
  X("--logdir", Word, Fit, common.logdir)                                      \
  X("--bench", Maybe, Fit, common.bench)                                       \
  X("--restore", Word, All, common.restore)                                    \
  X("-o", List, Outputs, common.outputs)                                       \
  X("--json", Flag, Both, common.json)                                         \
  X("--cast", Flag, Data, common.cast)                                         \
  X("--threads", Word, Data, common.threads)                                   \
  X("--device", Word, Data, common.device)                                     \
  X("--cpu", Word, All, common.cpu)                                            \
  X("--profile", Maybe, Both, common.profile)                                  \
  X("--check-numerics", Flag, Both, common.checkNumerics)                      \
  X("--help", Flag, All, common.help)                                          \
  X("-h", Flag, All, common.help)

struct Spec {
  Kind kind;
  Commands commands;
  uint16_t field; // its place in TrainOptions
};
#define TENON_SPEC(name, kind, commands, field)                                \
  {kind, commands, offsetof(TrainOptions, field)},
const Spec specs[] = {TENON_OPTIONS(TENON_SPEC)};

// The names, one after the other: pointers would need relocations.
#define TENON_NAME(name, kind, commands, field) name "\0"
const char names[] = TENON_OPTIONS(TENON_NAME);

const char *nameOf(TrainOptions::Command command) {
  return command == TrainOptions::Fit        ? "fit"
         : command == TrainOptions::Evaluate ? "evaluate"
         : command == TrainOptions::Export   ? "export"
                                             : "predict";
}

const Spec &findOption(const char *word, size_t length,
                       TrainOptions::Command command, const char *&name) {
  name = names;
  for (const Spec &spec : specs) {
    if (strlen(name) == length && !memcmp(word, name, length)) {
      if (!(uint8_t(spec.commands) & command))
        fail("%s does not belong to %s", name, nameOf(command));
      return spec;
    }
    name += strlen(name) + 1;
  }
  fail("unknown option '%.*s' (%s --help lists all)", int(length), word,
       nameOf(command));
}

bool endsWith(const char *text, const char *end) {
  size_t length = strlen(text), size = strlen(end);
  return length > size && !strcmp(text + length - size, end);
}

} // namespace

void parseTrainOptions(int argc, char **argv, TrainOptions &options) {
  auto list = [&] {
    return static_cast<const char **>(
        allocate((size_t(argc) + 1) * sizeof(char *)));
  };
  options.data.list = list();
  options.validation.list = list();
  options.common.outputs.list = list();
  for (char **at = argv; at < argv + argc; ++at) {
    const char *word = *at;
    if (word[0] != '-') {
      options.data.list[options.data.count++] = word;
      continue;
    }
    size_t length = word[1] == '-' ? strcspn(word, "=") : strlen(word);
    const char *name;
    const Spec &spec = findOption(word, length, options.command, name);
    const char *value = word[length] ? word + length + 1 : nullptr;
    if (spec.kind == Flag && value)
      fail("%s takes no value", name);
    if (spec.kind >= Word && !value) {
      value = *++at;
      if (!value || at >= argv + argc)
        fail("%s needs a value", word);
    }
    void *field = reinterpret_cast<char *>(&options) + spec.field;
    if (spec.kind == List) {
      Words *words = static_cast<Words *>(field);
      words->list[words->count++] = value;
    } else {
      *static_cast<const char **>(field) = value ? value : "";
    }
  }
  if (options.common.help)
    return;
  if (options.command == TrainOptions::Export) {
    // Files may stand alone or behind -o.
    Words &files = options.common.outputs;
    for (int32_t i = 0; i < options.data.count; ++i)
      files.list[files.count++] = options.data.list[i];
    if (!files.count)
      fail("export needs a file to write: FILE.keras, FILE.weights.h5 or "
           "FILE.npz");
    for (int32_t i = 0; i < files.count; ++i)
      checkExport("export", files.list[i]);
    return;
  }
  if (!options.data.count)
    fail("%s needs data: .npz, .npy, CSV, TFRecord files or a folder of "
         "images",
         nameOf(options.command));
  bool isFit = options.command == TrainOptions::Fit;
  if (isFit && options.common.json && !options.common.bench)
    fail("--json belongs to --bench");
  if (!options.checkpoint &&
      (options.resume || options.keep || options.checkpointSteps))
    fail("%s belongs to --checkpoint DIR", options.resume ? "--resume"
                                           : options.keep
                                               ? "--keep"
                                               : "--checkpoint-steps");
  if (options.shuffle && options.noShuffle)
    fail("--shuffle and --no-shuffle exclude each other");
  if (options.exportTo)
    checkExport("--export", options.exportTo);
  for (int32_t i = 0; i < options.common.outputs.count; ++i) {
    const char *word = options.common.outputs.list[i];
    if (options.command == TrainOptions::Evaluate && strcmp(word, "-") &&
        !endsWith(word, ".npz"))
      fail("-o: expected FILE.npz or -, got '%s'", word);
  }
}

int64_t wholeOption(const char *name, const char *value, int64_t lowest,
                    int64_t absent) {
  if (!value)
    return absent;
  char *end;
  errno = 0;
  long long number = strtoll(value, &end, 10);
  if (end == value || *end || errno || number < lowest)
    fail("%s: expected a whole number from %lld, got '%s'", name,
         (long long)lowest, value);
  return number;
}

bool Pairs::next() {
  while (*at == ',' || *at == ' ')
    ++at;
  if (!*at)
    return false;
  size_t length = strcspn(at, "=,"), size = 0;
  const char *text = at + length;
  if (*text == '=')
    size = strcspn(++text, ",");
  while (length && at[length - 1] == ' ')
    --length;
  if (!length || length >= sizeof name || size >= sizeof value)
    fail("%s: expected NAME=VALUE,..., got '%s'", option, at);
  memcpy(name, at, length);
  name[length] = 0;
  memcpy(value, text, size);
  value[size] = 0;
  at = text + size;
  return true;
}

double Pairs::number() const {
  char *end;
  double result = strtod(value, &end);
  if (end == value || *end)
    fail("%s: %s: expected a number, got '%s'", option, name, value);
  return result;
}

bool Pairs::flag() const {
  bool yes = !*value || !strcmp(value, "true") || !strcmp(value, "True") ||
             !strcmp(value, "1");
  if (!yes && strcmp(value, "false") && strcmp(value, "False") &&
      strcmp(value, "0"))
    fail("%s: %s: expected true or false, got '%s'", option, name, value);
  return yes;
}

bool Pairs::is(const char *wanted) const {
  // Keras's names, with either kind of dash.
  size_t i = 0;
  for (; wanted[i] && (name[i] == '-' ? '_' : name[i]) == wanted[i]; ++i) {
  }
  return !wanted[i] && !name[i];
}

} // namespace tenon::train
