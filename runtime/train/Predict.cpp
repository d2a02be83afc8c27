// The command predict over sets of data: batch by batch, so that memory does
// not grow with the rows. Literals and the options of single calls go the way
// of all entries.
#include "checkpoint/Checkpoint.h"
#include "io/Fail.h"
#include "io/File.h"
#include "io/Tensor.h"
#include "main/Results.h"
#include "train/Fit.h"
#include "train/Progress.h"
#include "train/Trainer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::train {

namespace {

bool endsWith(const char *text, const char *end) {
  size_t length = strlen(text), size = strlen(end);
  return length > size && !strcmp(text + length - size, end);
}

// Whether a word is a file that sets of data are read from.
bool isData(const char *word) {
  size_t length = strcspn(word, "=/");
  if (word[length] == '=')
    word += length + 1;
  if (*word == '@')
    ++word;
  struct stat status;
  return endsWith(word, ".npz") || endsWith(word, ".npy") ||
         endsWith(word, ".csv") || strstr(word, ".tfrec") ||
         (!stat(word, &status) && S_ISDIR(status.st_mode));
}

// Whether each tensor has the same dimension for rows.
bool haveRows(const TensorSpec *specs, int32_t count, int64_t rows) {
  for (int32_t i = 0; i < count; ++i)
    if (!specs[i].rank || specs[i].shape[0] != rows ||
        specs[i].dtype.code == TENON_STRING)
      return false;
  return count;
}

} // namespace

bool predictsRows(int argc, char **argv) {
  const char *const valued[] = {"--restore", "--batch",  "-o",
                                "--threads", "--device", "--cpu"};
  bool any = false;
  for (int i = 0; i < argc; ++i) {
    const char *word = argv[i];
    size_t length = word[1] == '-' ? strcspn(word, "=") : strlen(word);
    if (word[0] != '-') {
      if (!isData(word))
        return false;
      any = true;
      continue;
    }
    bool known = !strcmp(word, "--cast");
    for (const char *name : valued)
      if (strlen(name) == length && !memcmp(word, name, length)) {
        known = true;
        i += !word[length];
      }
    if (!known)
      return false;
  }
  Signature signature;
  Message message;
  int32_t number;
  if (!any || !signature.read(tenon_main_model, message) ||
      (number = signature.find("predict")) < 0)
    return false;
  const EntrySpec &entry = signature.entries[number];
  int64_t rows =
      entry.inputCount && entry.inputs[0].rank ? entry.inputs[0].shape[0] : 0;
  return haveRows(entry.inputs, entry.inputCount, rows) &&
         haveRows(entry.outputs, entry.outputCount, rows);
}

void predict(const TrainOptions &options, Instance &instance) {
  const Signature &signature = instance.signature;
  int32_t number = signature.find("predict");
  const EntrySpec &entry = signature.entries[number];
  DataSpec spec = readFields(signature);
  // Targets are of no use here.
  Field *fields =
      static_cast<Field *>(allocate(size_t(entry.inputCount) * sizeof(Field)));
  for (int32_t i = 0; i < entry.inputCount; ++i) {
    fields[i].spec = &entry.inputs[i];
    fields[i].role = Input;
  }
  spec.fields = fields;
  spec.fieldCount = entry.inputCount;
  spec.targets = 0;
  spec.cast = options.common.cast;
  int64_t size = chooseBatch(signature, options.batch);
  bool isFixed = entry.inputs[0].shape[0] >= 0;
  DataSet data = openData(spec, options.data);
  Batches batches = {};
  batches.open(data, size, nullptr, instance.threads > 1);

  Trainer trainer = {};
  trainer.open(instance);
  trainer.call("init");
  if (options.common.restore)
    restoreCheckpoint(instance, options.common.restore, false);

  int64_t rows = data.source->rows, steps = batches.steps();
  int64_t *dims = static_cast<int64_t *>(
      allocate((size_t(entry.dimCount) + 1) * sizeof(int64_t)));
  size_t outputs = size_t(entry.outputCount);
  void **values = static_cast<void **>(allocate(outputs * sizeof(void *)));
  size_t *rowBytes = static_cast<size_t *>(allocate(outputs * sizeof(size_t)));
  Results results;
  results.list = static_cast<Result *>(allocate(outputs * sizeof(Result)));
  bool toFiles = options.common.outputs.count;
  for (int32_t i = 0; i < options.common.outputs.count; ++i)
    toFiles &= strcmp(options.common.outputs.list[i], "-") != 0;
  const Metrics none = {};
  Progress progress = {};
  progress.start(steps, 0, size);
  batches.start(nullptr, 0);
  for (int64_t step = 0; step < steps; ++step) {
    const Batch &batch = batches.next();
    int64_t *at = dims;
    for (int32_t i = 0; i < entry.inputCount; ++i) {
      // The last rows of a batch of fixed size may be old ones.
      *at++ = isFixed ? size : batch.rows;
      for (int32_t k = 0; k < data.fields[i].rank; ++k)
        *at++ = data.fields[i].shape[k];
    }
    memset(values, 0, outputs * sizeof(void *));
    if (tenon_invoke(
            &instance, number,
            const_cast<const void **>(reinterpret_cast<void **>(batch.buffers)),
            values, dims))
      fail("%s", tenon_error(&instance));
    for (size_t i = 0; i < outputs; ++i) {
      const TensorSpec &output = entry.outputs[i];
      for (int32_t k = 0; k < output.rank; ++k) // calls give the others
        if (output.shape[k] >= 0)
          at[k] = output.shape[k];
      if (!step) {
        int64_t shape[maxRank];
        memcpy(shape, at, size_t(output.rank) * sizeof(int64_t));
        shape[0] = rows;
        tenon_tensor tensor = makeTensor(output.dtype, output.rank, shape);
        rowBytes[i] = size_t(byteCount(tensor)) / size_t(rows);
        results.list[results.count++] = {output.name, tensor};
      }
      const tenon_tensor &whole = results.list[i].tensor;
      for (int32_t k = 1; k < output.rank; ++k)
        if (at[k] != whole.shape[k])
          fail("result '%s' has rows of different sizes", output.name);
      if (batch.rows)
        memcpy(bytesOf(whole) + size_t(step * size) * rowBytes[i], values[i],
               size_t(batch.rows) * rowBytes[i]);
      at += output.rank;
    }
    if (toFiles && progress.isDue(step + 1))
      progress.show(step + 1, none);
  }
  if (toFiles && progress.isTerminal)
    progress.finish(none, nullptr, nullptr, 0);
  Text out;
  deliver(results, options.common, out);
  writeAll(STDOUT_FILENO, out.data, out.size);
}

} // namespace tenon::train
