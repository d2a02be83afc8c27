// The command lines of fit and evaluate.
#ifndef TENON_RUNTIME_TRAIN_OPTIONS_H
#define TENON_RUNTIME_TRAIN_OPTIONS_H

#include "main/Options.h"

namespace tenon {
namespace [[gnu::visibility("hidden")]] train {

struct TrainOptions {
  Options common; // those that every program has
  enum Command : uint8_t {
    Fit = 1,
    Evaluate = 2,
    Export = 4,
    Predict = 8
  } command;
  Words data, validation;
  const char *epochs, *batch, *seed, *shuffle, *noShuffle, *classWeight;
  const char *checkpoint, *resume, *keep, *checkpointSteps;
  const char *history, *earlyStopping, *plateau, *saveBest, *exportTo;
};

// Reads the words behind the command. Ends the process with status 2 when they
// make no sense.
void parseTrainOptions(int argc, char **argv, TrainOptions &options);

// The whole number that an option's value is, at least `lowest`; `absent`
// without a value.
int64_t wholeOption(const char *name, const char *value, int64_t lowest,
                    int64_t absent);

// A list like "monitor=val_loss,patience=3": steps to the next pair. False at
// the end of the list.
struct Pairs {
  const char *option, *at;
  char name[64], value[256];

  bool next();
  // The value as a number, or as one of true and false.
  double number() const;
  bool flag() const;
  bool is(const char *wanted) const;
};

} // namespace train
} // namespace tenon

#endif // TENON_RUNTIME_TRAIN_OPTIONS_H
