// Writes TensorFlow's V2 checkpoints: one file with the tensors' bytes, and a
// table that says where each one is.
#include "checkpoint/Checkpoint.h"
#include "checkpoint/Format.h"
#include "io/Fail.h"
#include "io/File.h"
#include "io/Tensor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

namespace tenon {

using namespace checkpoint;

tenon_tensor viewVariable(const Instance &instance,
                          const VariableSpec &variable) {
  tenon_tensor view = {};
  view.dtype = variable.dtype;
  view.ndim = variable.rank;
  view.shape = variable.shape;
  view.data = instance.state + variable.stateOffset;
  if (elementCount(view) < 0 || byteCount(view) != variable.bytes ||
      !typeNumber(variable.dtype))
    fail("variable '%s' has no form that checkpoints know", variable.name);
  return view;
}

namespace {

int compareNames(const void *a, const void *b) {
  return strcmp(static_cast<const SavedTensor *>(a)->name,
                static_cast<const SavedTensor *>(b)->name);
}

// Where a tensor is, as TensorFlow's BundleEntryProto.
Text describe(const tenon_tensor &tensor, uint64_t offset) {
  Text shape, entry;
  for (int32_t i = 0; i < tensor.ndim; ++i) {
    Text size;
    addField(size, 1, uint64_t(tensor.shape[i]));
    addField(shape, 2, size);
  }
  addField(entry, 1, uint64_t(typeNumber(tensor.dtype)));
  addField(entry, 2, shape);
  if (offset)
    addField(entry, 4, offset);
  addField(entry, 5, byteCount(tensor));
  uint32_t crc = maskedCrc(bytesOf(tensor), byteCount(tensor));
  addVarint(entry, 6 << 3 | Fixed32);
  entry.add(&crc, 4);
  return entry;
}

void writeFile(const char *path, const Text &text) {
  int file = openOutput(path);
  writeAll(file, text.data, text.size);
  closeOutput(file, path);
}

// Adds a quoted string as protocol buffers' text has it.
void addQuoted(Text &out, const char *text) {
  out.add("\"");
  for (; *text; ++text)
    if (*text == '"' || *text == '\\' || uint8_t(*text) < ' ')
      out.print("\\%03o", uint8_t(*text));
    else
      out.add(text, 1);
  out.add("\"\n");
}

} // namespace

void writeCheckpoint(SavedTensor *list, size_t count, const char *prefix) {
  // Keys of the table are in order.
  qsort(list, count, sizeof *list, compareNames);
  Text path, index;
  path.print("%s.data-00000-of-00001", prefix);
  int file = openOutput(path.terminated());
  TableWriter table;
  Text header; // one shard, little-endian, version 1
  header.add("\x08\1\x1a\2\x08\1", 6);
  table.add({"", 0}, header);
  uint64_t offset = 0;
  for (size_t i = 0; i < count; ++i) {
    const tenon_tensor &tensor = list[i].tensor;
    table.add({list[i].name, strlen(list[i].name)}, describe(tensor, offset));
    writeAll(file, tensor.data, byteCount(tensor));
    offset += byteCount(tensor);
  }
  closeOutput(file, path.terminated());

  index.print("%s.index", prefix);
  writeFile(index.terminated(), table.finish());
}

void writeCheckpointState(const char *path, const char *const *names,
                          size_t count) {
  Text state;
  state.add("model_checkpoint_path: ");
  addQuoted(state, names[count - 1]);
  for (size_t i = 0; i < count; ++i) {
    state.add("all_model_checkpoint_paths: ");
    addQuoted(state, names[i]);
  }
  writeFile(path, state);
}

void saveCheckpoint(const Instance &instance, const char *prefix) {
  const Signature &signature = instance.signature;
  SavedTensor *list = static_cast<SavedTensor *>(
      allocate(size_t(signature.variableCount) * sizeof(SavedTensor)));
  size_t count = 0;
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    const VariableSpec &variable = signature.variables[i];
    if (variable.generator)
      continue;
    if (!instance.state[variable.flagOffset])
      fail("variable '%s' is uninitialized", variable.name);
    list[count++] = {variable.name, viewVariable(instance, variable)};
  }

  const char *slash = strrchr(prefix, '/');
  const char *base = slash ? slash + 1 : prefix;
  Text folder;
  if (slash)
    folder.add(prefix, size_t(base - prefix));
  if (folder.size > 1 && mkdir(folder.terminated(), 0777) && errno != EEXIST)
    fail("--save %s: cannot make the folder: %s", prefix, strerror(errno));
  writeCheckpoint(list, count, prefix);
  folder.add("checkpoint");
  writeCheckpointState(folder.terminated(), &base, 1);
}

} // namespace tenon

const tenon_checkpoint_functions tenon_checkpoints = {
    tenon::saveCheckpoint, tenon::restoreCheckpoint,
    "  --save PREFIX       write the variables to a TensorFlow checkpoint\n"
    "  --restore PATH      first values: a checkpoint's prefix or folder, or "
    ".npz\n"
    "  --restore-partial   initialise variables that it lacks\n"};
