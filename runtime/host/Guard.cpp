#include "host/Guard.h"
#include "io/Fail.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tenon {

namespace {

// In front of memory, or of nothing where a file is mapped.
struct alignas(16) Held {
  Held *previous, *next;
  void *mapped;
  size_t bytes; // behind this, or mapped
};

struct Scope : FailScope {
  HostCall *call;
  Held blocks; // a ring that begins and ends here
  jmp_buf place;
};

void link(Scope &scope, Held *block) {
  block->previous = &scope.blocks;
  block->next = scope.blocks.next;
  block->next->previous = block->previous->next = block;
}

void *resizeIn(FailScope &base, void *memory, size_t bytes) {
  Scope &scope = static_cast<Scope &>(base);
  if (bytes > size_t(-1) / 2)
    return nullptr;
  Held *block = nullptr;
  size_t before = 0;
  if (memory) {
    block = static_cast<Held *>(memory) - 1;
    before = block->bytes;
    block->previous->next = block->next;
    block->next->previous = block->previous;
  }
  auto *made = static_cast<Held *>(realloc(block, sizeof(Held) + bytes));
  if (!made) {
    if (block) // it stays as it was
      link(scope, block);
    return nullptr;
  }
  made->mapped = nullptr;
  made->bytes = bytes;
  link(scope, made);
  char *data = reinterpret_cast<char *>(made + 1);
  if (bytes > before)
    memset(data + before, 0, bytes - before);
  return data;
}

void keepMappedIn(FailScope &base, void *memory, size_t bytes) {
  auto *block = static_cast<Held *>(resizeIn(base, nullptr, 0));
  if (!block)
    return; // the mapping stays
  block[-1].mapped = memory;
  block[-1].bytes = bytes;
}

void leaveFrom(FailScope &base, const char *text) {
  Scope &scope = static_cast<Scope &>(base);
  const char *file = failContext.file;
  scope.call->fail("%s%s%s", file ? file : "", file ? ": " : "", text);
  if (failContext.output > STDERR_FILENO + 1)
    close(failContext.output - 1);
  longjmp(scope.place, 1);
}

} // namespace

bool guarded(HostCall &call, bool (*function)(HostCall &)) {
  static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&one);
  FailContext outer = failContext;
  Scope scope;
  scope.leave = leaveFrom;
  scope.resize = resizeIn;
  scope.keepMapped = keepMappedIn;
  scope.call = &call;
  scope.blocks = {&scope.blocks, &scope.blocks, nullptr, 0};
  failContext = {};
  failContext.scope = &scope;
  // What is changed behind it is in memory, so plain variables do.
  bool good = !_setjmp(scope.place) && function(call);
  failContext = outer;
  for (Held *block = scope.blocks.next; block != &scope.blocks;) {
    Held *next = block->next;
    if (block->mapped)
      munmap(block->mapped, block->bytes);
    free(block);
    block = next;
  }
  pthread_mutex_unlock(&one);
  return good;
}

} // namespace tenon
