// Files and time.
#include "host/Element.h"
#include "host/FileBytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace tenon {

const char *pathOf(HostCall &call, tenon_string path) {
  const char *scheme = "file://";
  if (path.size > 7 && !memcmp(path.data, scheme, 7))
    path = {path.data + 7, path.size - 7};
  if (path.size && memchr(path.data, 0, path.size)) {
    call.fail("a path holds a zero byte");
    return nullptr;
  }
  char *text = call.memory(int64_t(path.size) + 1);
  if (!text)
    return nullptr;
  if (path.size)
    memcpy(text, path.data, path.size);
  text[path.size] = 0;
  return text;
}

bool readWholeFile(HostCall &call, tenon_string path, Bytes &into) {
  // What a model brought along: "asset://", its name, a zero, its contents.
  const char *mark = "asset://";
  if (path.size > 8 && !memcmp(path.data, mark, 8))
    if (auto *zero =
            static_cast<const char *>(memchr(path.data, 0, path.size))) {
      into.add(zero + 1, path.data + path.size - zero - 1);
      return !into.failed;
    }
  const char *name = pathOf(call, path);
  if (!name)
    return false;
  int file = open(name, O_RDONLY | O_CLOEXEC);
  ssize_t count = -1;
  if (file >= 0)
    for (;;) {
      char *to = into.grow(1 << 16);
      count = to ? read(file, to, 1 << 16) : 0;
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        break;
      into.size += count;
    }
  int error = errno;
  if (file >= 0)
    close(file);
  if (count < 0)
    return call.fail("%s: %s", name, strerror(error));
  return !into.failed;
}

TENON_HOST(read_file) {
  Bytes bytes(call);
  if (!readWholeFile(call, *call.strings(0), bytes))
    return false;
  *call.out<tenon_string>(0) = {bytes.data ? bytes.data : "",
                                size_t(bytes.size)};
  return true;
}

TENON_HOST(write_file) {
  const char *path = pathOf(call, *call.strings(0));
  char *folder = const_cast<char *>(path);
  if (!path)
    return false;
  for (char *at = folder + 1; *folder && *at; ++at)
    if (*at == '/') {
      *at = 0;
      mkdir(folder, 0777); // a folder that cannot be made fails below
      *at = '/';
    }
  tenon_string contents = *call.strings(1);
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0)
    return call.fail("%s: %s", path, strerror(errno));
  size_t done = 0;
  while (done < contents.size) {
    ssize_t count = write(file, contents.data + done, contents.size - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      break;
    done += size_t(count);
  }
  int error = errno;
  bool closed = !close(file);
  if (done < contents.size || !closed)
    return call.fail("%s: %s", path,
                     strerror(done < contents.size ? error : errno));
  return true;
}

TENON_HOST(sharded_filename) {
  StringWriter writer(call, 0);
  writer.add(*call.strings(0));
  if (call.flag("any"))
    writer.print("-\?\?\?\?\?-of-%05d", int(integerAt(call.inputs[2], 0)));
  else
    writer.print("-%05d-of-%05d", int(integerAt(call.inputs[1], 0)),
                 int(integerAt(call.inputs[2], 0)));
  writer.end();
  return writer.finish();
}

TENON_HOST(timestamp) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  // As TensorFlow's: whole microseconds.
  int64_t micros = int64_t(now.tv_sec) * 1000000 + now.tv_nsec / 1000;
  *call.out<double>(0) = double(micros) / 1e6;
  return true;
}

} // namespace tenon
