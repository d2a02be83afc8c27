// External weights: a file beside the artifact, mapped and never copied.
#include "core/Instance.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

namespace {

// What a weights file begins with; the weights follow on the second page.
struct WeightsHeader {
  char magic[8];
  uint64_t bytes;
};
constexpr uint64_t kWeightsOffset = 4096;

// Puts `name` behind the folder part of `path` (behind nothing when it has
// none). False when it does not fit.
bool beside(char *out, size_t room, const char *path, const char *name) {
  const char *slash = strrchr(path, '/');
  int folder = slash ? int(slash - path) + 1 : 0;
  return snprintf(out, room, "%.*s%s", folder, path, name) < int(room);
}

// Opens the file in the folder of the executable or library that holds the
// model.
int openBesideArtifact(const tenon_model &model) {
  char artifact[4096], path[4096];
  Dl_info info;
  // The loader names the main program as it was called, perhaps without its
  // folder; /proc knows better.
  if (dladdr(&model, &info) && info.dli_fname && strchr(info.dli_fname, '/') &&
      beside(path, sizeof path, info.dli_fname, model.weights_file)) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0)
      return file;
  }
  ssize_t length = readlink("/proc/self/exe", artifact, sizeof artifact - 1);
  if (length > 0) {
    artifact[length] = 0;
    if (beside(path, sizeof path, artifact, model.weights_file))
      return open(path, O_RDONLY | O_CLOEXEC);
  }
  return -1;
}

} // namespace

} // namespace tenon

using namespace tenon;

char *tenon_map_weights(const tenon_model *model, const char *path, char *error,
                        size_t room) {
  uint64_t bytes = model->weights_bytes;
  int file =
      path ? open(path, O_RDONLY | O_CLOEXEC) : openBesideArtifact(*model);
  if (!path)
    path = model->weights_file;
  struct stat status;
  WeightsHeader header;
  void *data = MAP_FAILED;
  if (file >= 0 && !fstat(file, &status)) {
    errno = 0;
    if (uint64_t(status.st_size) == kWeightsOffset + bytes &&
        pread(file, &header, sizeof header, 0) == ssize_t(sizeof header) &&
        !memcmp(header.magic, "TNNWGT1", 8) && header.bytes == bytes)
      data = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file, kWeightsOffset);
    if (!errno && data == MAP_FAILED)
      snprintf(error, room,
               "weights file '%s' is not the %llu bytes of weights of this "
               "model",
               path, (unsigned long long)bytes);
  }
  if (data == MAP_FAILED && (file < 0 || errno))
    snprintf(error, room, "weights file '%s': %s", path, strerror(errno));
  if (file >= 0)
    close(file);
  return data == MAP_FAILED ? nullptr : static_cast<char *>(data);
}
