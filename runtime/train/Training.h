// What an executable compiled with --train refers to, so that others do
// without: the commands fit and evaluate.
#ifndef TENON_RUNTIME_TRAIN_TRAINING_H
#define TENON_RUNTIME_TRAIN_TRAINING_H

struct tenon_training_functions {
  // Does what the words ask for and ends the process; returns when that is not
  // its business: "predict" becomes an ordinary call of that entry.
  void (*run)(int argc, char **argv);
  // Whether a variable is the training's own (of the optimizer, the metrics or
  // random layers): predicting needs no value of it.
  bool (*isAuxiliary)(const char *variable);
  const char *help; // the lines about commands
};

#endif // TENON_RUNTIME_TRAIN_TRAINING_H
