// Reading and writing files through the system's calls.
#include "io/File.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

bool readFile(const char *path, Text &out, Message &message) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return message.fail("%s: %s", path, strerror(errno));
  struct stat status;
  if (!fstat(file, &status) && S_ISREG(status.st_mode))
    out.grow(size_t(status.st_size) + 1);
  ssize_t count = 1;
  while (count > 0) {
    // One byte more than the size, so that its end shows without growing.
    size_t room = out.capacity - out.size;
    char *to = out.grow(room ? room : 65536);
    if (!to)
      break;
    do
      count = read(file, to, out.capacity - out.size);
    while (count < 0 && errno == EINTR);
    if (count > 0)
      out.size += size_t(count);
  }
  int error = errno;
  close(file);
  if (out.failed)
    return message.fail("%s: no memory for it", path);
  return count == 0 || message.fail("%s: %s", path, strerror(error));
}

bool writeAll(int descriptor, const void *bytes, size_t size) {
  const char *from = static_cast<const char *>(bytes);
  while (size) {
    ssize_t count = write(descriptor, from, size < 1 << 30 ? size : 1 << 30);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return false;
    from += count;
    size -= size_t(count);
  }
  return true;
}

bool OutputFile::open(const char *newPath, Message &message) {
  path = newPath;
  if (!strcmp(path, "-")) {
    descriptor = STDOUT_FILENO;
    return true;
  }
  struct stat status;
  bool direct = !stat(path, &status) && !S_ISREG(status.st_mode);
  if (!direct)
    temporary.print("%s.%d.tmp", path, int(getpid()));
  if (!direct && temporary.failed)
    return message.fail("%s: no memory", path);
  descriptor = ::open(direct ? path : temporary.data,
                      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor >= 0)
    return true;
  temporary.release();
  return message.fail("cannot write %s: %s", path, strerror(errno));
}

bool OutputFile::close(bool good, Message &message) {
  if (descriptor != STDOUT_FILENO && ::close(descriptor) && good)
    good = false;
  if (good && temporary.data && rename(temporary.data, path))
    good = false;
  int error = errno;
  if (!good && temporary.data)
    unlink(temporary.data);
  temporary.release();
  return good || message.fail("cannot write %s: %s", path, strerror(error));
}

} // namespace tenon
