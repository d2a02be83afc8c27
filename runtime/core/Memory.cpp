// Memory of an instance: the user's allocator or the system's, the arena of
// dynamic plans, and the cache behind tenon_alloc.
#include "core/Instance.h"
#include "core/System.h"

#include <stdlib.h>
#include <sys/mman.h>

namespace tenon {

namespace {

enum : uint64_t {
  alignment = 64,
  mapFrom = 1 << 20,  // from this size on memory comes from mmap
  hugeFrom = 4 << 20, // and from this one in huge pages where possible
  hugePage = 2 << 20,
  tooMuch = uint64_t(1) << 47,
};

size_t roundUp(uint64_t bytes, uint64_t unit) {
  return size_t((bytes + unit - 1) / unit * unit);
}

// Zeroed pages; large blocks start at a huge page.
char *mapPages(size_t bytes) {
  size_t slack = bytes >= hugeFrom ? hugePage : 0;
  long memory = systemCall(SYS_mmap, 0, bytes + slack, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory < 0)
    return nullptr;
  char *start = reinterpret_cast<char *>(memory);
  if (!slack)
    return start;
  char *aligned = reinterpret_cast<char *>(
      roundUp(reinterpret_cast<uint64_t>(start), slack));
  size_t before = size_t(aligned - start);
  if (before)
    systemCall(SYS_munmap, start, before);
  if (before != slack)
    systemCall(SYS_munmap, aligned + bytes, slack - before);
  systemCall(SYS_madvise, aligned, bytes, MADV_HUGEPAGE);
  return aligned;
}

} // namespace

Memory Instance::allocate(uint64_t bytes, const char *what) {
  Memory memory = {nullptr, roundUp(bytes ? bytes : 1, alignment)};
  if (bytes < tooMuch) {
    if (options.allocate) {
      memory.data = static_cast<char *>(
          options.allocate(options.allocator_context, memory.bytes, alignment));
    } else if (memory.bytes >= mapFrom) {
      memory.bytes = roundUp(memory.bytes, 4096);
      memory.data = mapPages(memory.bytes);
    } else {
      memory.data = static_cast<char *>(aligned_alloc(alignment, memory.bytes));
    }
  }
  if (!memory.data) {
    refuse(TENON_NO_MEMORY, "no memory for %s (%llu bytes)", what,
           (unsigned long long)bytes);
    return {nullptr, 0};
  }
  ++allocations;
  heldBytes += memory.bytes;
  return memory;
}

void Instance::release(Memory &memory) {
  if (memory.data) {
    heldBytes -= memory.bytes;
    if (options.allocate) {
      if (options.release)
        options.release(options.allocator_context, memory.data, memory.bytes);
    } else if (memory.bytes >= mapFrom) {
      systemCall(SYS_munmap, memory.data, memory.bytes);
    } else {
      free(memory.data);
    }
  }
  memory = {nullptr, 0};
}

// What stands before each block of tenon_alloc; as long as its alignment.
struct alignas(64) Block {
  Block *next, *previous;
  Memory memory;
  int32_t sizeClass;
};

namespace {

// The class of a size, and the size that all blocks of the class have: a power
// of two in quarters, so that at most a quarter is wasted.
int32_t classOf(uint64_t bytes, uint64_t &rounded) {
  uint64_t units = (bytes + alignment - 1) / alignment;
  if (units <= 4) {
    rounded = (units ? units : 1) * alignment;
    return int32_t(units ? units - 1 : 0);
  }
  int exponent = 63 - __builtin_clzll(units - 1); // 2^exponent < units
  uint64_t quarter = uint64_t(1) << (exponent - 2);
  uint64_t quarters = (units + quarter - 1) / quarter; // 5 to 8
  rounded = quarters * quarter * alignment;
  return int32_t(exponent * 4 + int(quarters) - 5);
}

} // namespace

void Instance::reclaim() {
  while (Block *block = live) {
    live = block->next;
    block->next = freeBlocks[block->sizeClass];
    freeBlocks[block->sizeClass] = block;
  }
}

void Instance::releaseBlocks() {
  reclaim();
  for (Block *&list : freeBlocks)
    while (Block *block = list) {
      list = block->next;
      Memory memory = block->memory;
      release(memory);
    }
}

} // namespace tenon

using namespace tenon;

char *tenon_reserve(tenon_instance *handle, int64_t bytes) {
  Instance &instance = *static_cast<Instance *>(handle);
  if (bytes >= 0 && uint64_t(bytes) <= instance.arenaMemory.bytes)
    return instance.arena;
  // The old arena stays until there is a new one: after a failure the entries
  // that need no more than it must still work. (It costs address space only,
  // nothing of the new one has been touched yet.)
  uint64_t wanted = bytes < 0 ? tooMuch : uint64_t(bytes);
  Memory grown = instance.allocate(wanted, "the call's scratch memory");
  if (!grown.data)
    return nullptr;
  instance.release(instance.arenaMemory);
  instance.arenaMemory = grown;
  return instance.arena = grown.data;
}

void *tenon_alloc(tenon_instance *handle, int64_t bytes) {
  Instance &instance = *static_cast<Instance *>(handle);
  if (bytes < 0 || uint64_t(bytes) > tooMuch) {
    // Generated code asks for -1 where the product of sizes has no number.
    instance.refuse(TENON_NO_MEMORY, "no machine has the memory for a result");
    return nullptr;
  }
  uint64_t rounded;
  int32_t sizeClass = classOf(uint64_t(bytes), rounded);
  Block *block = instance.freeBlocks[sizeClass];
  if (block) {
    instance.freeBlocks[sizeClass] = block->next;
  } else {
    Memory memory =
        instance.allocate(rounded + sizeof(Block), "a result of unknown size");
    if (!memory.data)
      return nullptr;
    block = reinterpret_cast<Block *>(memory.data);
    block->memory = memory;
    block->sizeClass = sizeClass;
  }
  block->previous = nullptr;
  block->next = instance.live;
  if (instance.live)
    instance.live->previous = block;
  instance.live = block;
  return block + 1;
}

void tenon_free(tenon_instance *handle, void *memory) {
  if (!memory)
    return;
  Instance &instance = *static_cast<Instance *>(handle);
  Block *block = static_cast<Block *>(memory) - 1;
  if (block->next)
    block->next->previous = block->previous;
  (block->previous ? block->previous->next : instance.live) = block->next;
  block->next = instance.freeBlocks[block->sizeClass];
  instance.freeBlocks[block->sizeClass] = block;
}
