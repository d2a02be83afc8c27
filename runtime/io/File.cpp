// Reading and writing files through the system's calls.
#include "io/File.h"
#include "core/System.h"
#include "io/Fail.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenon {

Text readFile(const char *path) {
  failContext.file = path;
  long file = systemCall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  Text bytes;
  for (size_t room = 65536;; room = bytes.size / 2 + 65536) {
    char *to = bytes.grow(room);
    // Where there is no file there is a number to say why.
    long count = file < 0 ? file : systemCall(SYS_read, file, to, room);
    if (count < 0) {
      systemCall(SYS_close, file);
      fail("%s", strerror(int(-count)));
    }
    if (!count)
      break;
    bytes.size += size_t(count);
  }
  systemCall(SYS_close, file);
  return bytes;
}

[[noreturn]] static void failToWrite(long result) {
  fail("cannot write: %s", strerror(int(-result)));
}

void writeAll(int descriptor, const void *bytes, size_t size) {
  const char *from = static_cast<const char *>(bytes);
  while (size) {
    long count = systemCall(SYS_write, descriptor, from, size);
    if (count < 0)
      failToWrite(count);
    from += count;
    size -= size_t(count);
  }
}

int openOutput(const char *path) {
  failContext.file = path;
  if (!strcmp(path, "-"))
    return STDOUT_FILENO;
  struct stat status;
  if (systemCall(SYS_newfstatat, AT_FDCWD, path, &status, 0) ||
      S_ISREG(status.st_mode)) {
    Text name;
    name.print("%s.tmp", path);
    path = failContext.temporary = name.terminated();
  }
  long file = systemCall(SYS_openat, AT_FDCWD, path,
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0)
    failToWrite(file);
  failContext.output = int(file) + 1;
  return int(file);
}

void closeOutput(int descriptor, const char *path) {
  long result = 0;
  if (descriptor != STDOUT_FILENO)
    result = systemCall(SYS_close, descriptor);
  if (!result && failContext.temporary)
    result = systemCall(SYS_renameat, AT_FDCWD, failContext.temporary, AT_FDCWD,
                        path);
  if (result)
    failToWrite(result);
  failContext.temporary = nullptr;
  failContext.file = nullptr;
  failContext.output = 0;
}

} // namespace tenon
