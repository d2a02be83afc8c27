// Reading and writing files through the system's calls.
#include "io/File.h"
#include "io/Fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

Text readFile(const char *path) {
  failContext.file = path;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    fail("%s", strerror(errno));
  Text bytes;
  for (size_t room = 65536;; room = bytes.size / 2 + 65536) {
    char *to = bytes.grow(room);
    ssize_t count = read(file, to, room);
    if (count < 0)
      fail("%s", strerror(errno));
    if (!count)
      break;
    bytes.size += size_t(count);
  }
  close(file);
  return bytes;
}

void writeAll(int descriptor, const void *bytes, size_t size) {
  const char *from = static_cast<const char *>(bytes);
  while (size) {
    ssize_t count = write(descriptor, from, size);
    if (count <= 0)
      fail("cannot write: %s", strerror(errno));
    from += count;
    size -= size_t(count);
  }
}

int openOutput(const char *path) {
  failContext.file = path;
  if (!strcmp(path, "-"))
    return STDOUT_FILENO;
  struct stat status;
  if (stat(path, &status) || S_ISREG(status.st_mode)) {
    Text name;
    name.print("%s.tmp", path);
    path = failContext.temporary = name.terminated();
  }
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0)
    fail("cannot write: %s", strerror(errno));
  return file;
}

void closeOutput(int descriptor, const char *path) {
  if (descriptor != STDOUT_FILENO &&
      (close(descriptor) ||
       (failContext.temporary && rename(failContext.temporary, path))))
    fail("cannot write: %s", strerror(errno));
  failContext.temporary = nullptr;
  failContext.file = nullptr;
}

} // namespace tenon
