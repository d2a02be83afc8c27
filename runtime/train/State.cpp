#include "train/State.h"
#include "checkpoint/Checkpoint.h"
#include "io/Fail.h"
#include "io/File.h"
#include "io/Tensor.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon::train {

namespace {

const char loopName[] = "training/loop", monitorName[] = "training/monitors";
enum : int64_t {
  loopWords = sizeof(LoopState) / 8,
  monitorWords = sizeof(MonitorState) / 8
};

// A struct of 64-bit words as a tensor.
tenon_tensor viewWords(const void *words, const int64_t &count, uint8_t code) {
  tenon_tensor view = {};
  view.dtype = {code, 64, 1};
  view.ndim = 1;
  view.shape = const_cast<int64_t *>(&count);
  view.data = const_cast<void *>(words);
  return view;
}

bool startsWith(const char *text, const char *start) {
  return !strncmp(text, start, strlen(start));
}

bool endsWith(const char *text, const char *end) {
  size_t length = strlen(text), size = strlen(end);
  return length >= size && !strcmp(text + length - size, end);
}

} // namespace

bool isAuxiliary(const char *variable) {
  return startsWith(variable, "optimizer/") ||
         startsWith(variable, "metrics/") ||
         endsWith(variable, "seed_generator_state");
}

void writeTraining(Instance &instance, const char *prefix,
                   const LoopState &loop, const MonitorState &monitors) {
  const Signature &signature = instance.signature;
  const int64_t loopCount = loopWords, monitorCount = monitorWords;
  SavedTensor *list = static_cast<SavedTensor *>(
      allocate(size_t(signature.variableCount + 2) * sizeof(SavedTensor)));
  size_t count = 0;
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    const VariableSpec &variable = signature.variables[i];
    if (!instance.state[variable.flagOffset])
      fail("variable '%s' is uninitialized", variable.name);
    list[count++] = {variable.name, viewVariable(instance, variable)};
  }
  list[count++] = {loopName, viewWords(&loop, loopCount, TENON_INT)};
  list[count++] = {monitorName,
                   viewWords(&monitors, monitorCount, TENON_FLOAT)};
  writeCheckpoint(list, count, prefix);
  free(list);
}

const char *Folder::prefix(const char *name) const {
  Text text;
  text.print("%s/%s", path, name);
  return text.terminated();
}

void Folder::open(const char *folder, int64_t newKeep, bool resume) {
  keep = newKeep;
  Text text;
  size_t length = strlen(folder);
  while (length > 1 && folder[length - 1] == '/')
    --length;
  text.add(folder, length);
  path = text.terminated();
  for (char *at = text.data + 1; *at; ++at)
    if (*at == '/') { // folders above may be new
      *at = 0;
      mkdir(text.data, 0777);
      *at = '/';
    }
  if (!mkdir(path, 0777))
    return;
  if (errno != EEXIST)
    fail("--checkpoint %s: cannot make the folder: %s", folder,
         strerror(errno));
  if (!resume)
    fail("--checkpoint %s: the folder exists; --resume goes on with the run "
         "in it",
         folder);
  DIR *entries = opendir(path);
  if (!entries)
    fail("--checkpoint %s: %s", folder, strerror(errno));
  while (dirent *entry = readdir(entries))
    if (endsWith(entry->d_name, ".tmp"))
      unlinkat(dirfd(entries), entry->d_name, 0);
  closedir(entries);
}

void Folder::readNames() {
  Text file = readFile(prefix("checkpoint"));
  failContext.file = nullptr;
  const char key[] = "all_model_checkpoint_paths: \"";
  for (char *at = const_cast<char *>(file.terminated());
       (at = strstr(at, key));) {
    at += sizeof key - 1;
    char *end = strchr(at, '"');
    if (!end)
      break;
    *end = 0;
    names.add(&at, sizeof at);
    at = end + 1;
  }
}

// Removes what a killed run had written but not yet named, or no longer.
void Folder::removeStrays() {
  DIR *entries = opendir(path);
  while (dirent *entry = entries ? readdir(entries) : nullptr) {
    Text text;
    text.add(entry->d_name);
    char *name = const_cast<char *>(text.terminated());
    char *dot = strchr(name, '.');
    bool isOurs =
        dot && (startsWith(name, "epoch-") || startsWith(name, "step-") ||
                startsWith(name, "final-"));
    if (!isOurs)
      continue;
    *dot = 0;
    for (size_t i = 0; i < names.size / sizeof(char *); ++i)
      isOurs &=
          strcmp(reinterpret_cast<const char **>(names.data)[i], name) != 0;
    if (isOurs)
      unlinkat(dirfd(entries), entry->d_name, 0);
  }
  if (entries)
    closedir(entries);
}

bool Folder::restore(Instance &instance, LoopState &loop,
                     MonitorState &monitors) {
  if (access(prefix("checkpoint"), F_OK))
    return false;
  const char *latest = findLatest(path);
  const char *base = strrchr(latest, '/') + 1;
  readNames();
  removeStrays();
  if (startsWith(base, "final-")) {
    // The weights as training left them.
    Text text;
    text.print("epoch-%s", base + 6);
    latest = prefix(text.terminated());
  }
  const int64_t loopCount = loopWords, monitorCount = monitorWords;
  if (!readCheckpoint(latest, loopName,
                      viewWords(&loop, loopCount, TENON_INT)) ||
      !readCheckpoint(latest, monitorName,
                      viewWords(&monitors, monitorCount, TENON_FLOAT)) ||
      loop.version != 1)
    fail("--resume: %s is no checkpoint of a training run; --restore begins "
         "with its weights",
         latest);
  if (loop.epoch < 0 || loop.step < 0 || loop.steps < 0)
    fail("--resume: %s holds an impossible state", latest);
  restoreCheckpoint(instance, latest, false);
  const Signature &signature = instance.signature;
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    const VariableSpec &variable = signature.variables[i];
    bool isOwn = variable.generator || isAuxiliary(variable.name);
    if (!isOwn)
      continue;
    // Going on needs all of them.
    if (!readCheckpoint(latest, variable.name,
                        viewVariable(instance, variable)))
      fail("--resume: %s lacks the variable '%s'", latest, variable.name);
    instance.state[variable.flagOffset] = 1;
  }
  return true;
}

void Folder::removeCheckpoint(const char *name) {
  // Without an index there is no checkpoint, so that goes first.
  Text index, data;
  index.print("%s.index", prefix(name));
  data.print("%s.data-00000-of-00001", prefix(name));
  unlink(index.terminated());
  unlink(data.terminated());
}

void Folder::save(Instance &instance, const char *kind, int64_t number,
                  const LoopState &loop, const MonitorState &monitors) {
  Text text;
  text.print("%s-%lld", kind, (long long)number);
  const char *name = text.terminated();
  writeTraining(instance, prefix(name), loop, monitors);
  auto list = [&] { return reinterpret_cast<const char **>(names.data); };
  size_t count = names.size / sizeof(char *), left = 0;
  for (size_t i = 0; i < count; ++i) // written once more
    if (strcmp(list()[i], name))
      list()[left++] = list()[i];
  names.size = left * sizeof(char *);
  names.add(&name, sizeof name);
  count = left + 1;
  // The final weights come with the state that they were made of.
  size_t wanted = size_t(keep) + startsWith(name, "final-");
  size_t surplus = count > wanted ? count - wanted : 0;
  writeCheckpointState(prefix("checkpoint"), list() + surplus, count - surplus);
  for (size_t i = 0; i < surplus; ++i)
    removeCheckpoint(list()[i]);
  memmove(names.data, names.data + surplus * sizeof(char *),
          (count - surplus) * sizeof(char *));
  names.size = (count - surplus) * sizeof(char *);
}

} // namespace tenon::train
