// The runtime's own view of an instance.
#ifndef TENON_RUNTIME_CORE_INSTANCE_H
#define TENON_RUNTIME_CORE_INSTANCE_H

#include "core/Signature.h"
#include "cpu/Pool.h"
#include "tenon/runtime.h"

namespace [[gnu::visibility("hidden")]] tenon {

struct Block;
struct Device;
struct Profile;
struct Resource;

// Blocks of tenon_alloc that are free, by size: four classes per doubling.
enum { blockClasses = 64 * 4 };

// Owned memory; `release` wants the size back.
struct Memory {
  char *data;
  size_t bytes;
};

struct Instance : tenon_instance {
  // What is near the start is reached by shorter code.
  const tenon_model *model;
  // Room for a call: pointers and sizes of its tensors, values of symbols.
  const void **inputs;
  void **outputs;
  int64_t *dims;
  int64_t *symbols;
  const char **symbolSource; // the input that fixed a symbol
  Pool *pool;
  Profile *profile; // NULL unless kernels are timed
  Device *device;   // NULL on the CPU
  Signature signature;
  Block *live;          // what tenon_alloc handed out
  uint64_t allocations; // how often memory was asked of the system
  uint64_t heldBytes;   // what is held now
  uint64_t calls;       // of entries, so far
  tenon_options options;
  Memory arenaMemory;                   // what `arena` points into
  Memory stateMemory;                   // variables, then the zeros
  Memory mappedWeights;                 // of an external file
  Resource *resources;                  // of host functions, see host/Host.h
  void (*releaseResources)(Instance &); // set with the first of them
  // Large fields stand last.
  Message message;
  Block *freeBlocks[blockClasses];

  // Memory of at least `bytes`, 64-byte aligned; data is NULL on failure,
  // which is recorded as "what (N bytes)".
  Memory allocate(uint64_t bytes, const char *what);
  void release(Memory &memory);

  // Takes back all that tenon_alloc handed out.
  void reclaim();
  // Gives all blocks of tenon_alloc back to the system.
  void releaseBlocks();

  // Forgets the last call's failure and memory.
  void begin() {
    status = TENON_OK;
    ++calls;
    if (live)
      reclaim();
  }

  // Ends a call: tells the user's callback about a failure.
  int32_t finish(int32_t result) {
    if (__builtin_expect(result != TENON_OK, 0))
      report(result);
    return result;
  }
  void report(int32_t result);

  // Records a failure that is not the model's; returns `code`.
  __attribute__((format(printf, 3, 4))) int32_t refuse(int32_t code,
                                                       const char *format, ...);
};

// The best variant of `model` for this machine that is not above `limit`
// (0: none), or NULL.
const tenon_variant *selectVariant(const tenon_model &model, int32_t limit);

// Lets kernels run on `threads` threads (0: one for each core) if the model
// ever has several tasks. They start at the first kernel that does, or at once.
inline void useThreads(Instance &instance, int32_t threads, bool atOnce);

} // namespace tenon

// What a model with kernels of several tasks refers to, so that others do
// without.
struct tenon_thread_functions {
  void (*use)(tenon::Instance &instance, int32_t threads, bool atOnce);
  void (*stop)(tenon::Pool *pool);
};

void tenon::useThreads(Instance &instance, int32_t threads, bool atOnce) {
  if (const tenon_thread_functions *functions =
          instance.model->thread_functions)
    functions->use(instance, threads, atOnce);
}

#endif // TENON_RUNTIME_CORE_INSTANCE_H
