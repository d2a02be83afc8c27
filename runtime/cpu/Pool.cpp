// A job is cut into pieces; who is free takes the next one. One 64-bit word
// says how many pieces the job has and how many are taken, so that taking a
// piece is one atomic addition, and a thread that comes late (or is not
// scheduled at all) is never waited for: the caller returns when the pieces
// are done, not when the threads have reported.
//
// Why the job's description may be read without a lock: only the owner of a
// piece reads it, the piece's number and the number of pieces come from the
// same word, and the description does not change before all pieces are done.
#include "cpu/Pool.h"
#include "core/System.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

namespace tenon {

namespace {

// Turns of a waiting loop before a thread sleeps: some tens of microseconds.
enum { spinTurns = 1500, piecesPerThread = 4, stackBytes = 2 << 20 };

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

void sleepOn(uint32_t *word, uint32_t value) {
  systemCall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, nullptr);
}

void wake(uint32_t *word, int count) {
  systemCall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count);
}

} // namespace

struct Pool {
  // Pieces of the job in the upper half, pieces taken in the lower half.
  alignas(64) uint64_t work;
  alignas(64) uint32_t done; // pieces finished; the caller may sleep on it
  uint32_t callerSleeps;
  alignas(64) uint32_t signal; // changes when sleepers should look again
  uint32_t sleepers;
  bool stop;
  // The job; written only while no piece is open.
  alignas(64) tenon_kernel_fn kernel;
  const uint64_t *args;
  int64_t tasks;
  int32_t threads;      // started, without the caller
  pthread_t handles[1]; // as many as were asked for

  // Does pieces until none is left.
  void help() {
    for (;;) {
      uint64_t word = __atomic_load_n(&work, __ATOMIC_ACQUIRE);
      if (uint32_t(word) >= word >> 32)
        return;
      word = __atomic_fetch_add(&work, 1, __ATOMIC_ACQ_REL);
      int64_t piece = uint32_t(word), pieces = int64_t(word >> 32);
      if (piece >= pieces)
        return;
      // The first tasks % pieces pieces are one task longer.
      int64_t size = tasks / pieces, longer = tasks % pieces;
      int64_t begin = piece * size + (piece < longer ? piece : longer);
      kernel(args, begin, begin + size + (piece < longer));
      // Sequential consistency pairs with the caller's check before sleeping.
      __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
      if (__atomic_load_n(&callerSleeps, __ATOMIC_SEQ_CST))
        wake(&done, 1);
    }
  }

  bool idle() {
    uint64_t word = __atomic_load_n(&work, __ATOMIC_SEQ_CST);
    return uint32_t(word) >= word >> 32 &&
           !__atomic_load_n(&stop, __ATOMIC_SEQ_CST);
  }

  static void *thread(void *argument) {
    Pool &pool = *static_cast<Pool *>(argument);
    for (;;) {
      for (int turn = 0; turn < spinTurns && pool.idle(); ++turn)
        relax();
      if (pool.idle()) {
        uint32_t seen = __atomic_load_n(&pool.signal, __ATOMIC_SEQ_CST);
        __atomic_fetch_add(&pool.sleepers, 1, __ATOMIC_SEQ_CST);
        if (pool.idle())
          sleepOn(&pool.signal, seen);
        __atomic_fetch_sub(&pool.sleepers, 1, __ATOMIC_SEQ_CST);
      }
      if (__atomic_load_n(&pool.stop, __ATOMIC_ACQUIRE))
        return nullptr;
      pool.help();
    }
  }

  void wakeSleepers(int count) {
    if (!__atomic_load_n(&sleepers, __ATOMIC_SEQ_CST))
      return;
    __atomic_fetch_add(&signal, 1, __ATOMIC_SEQ_CST);
    wake(&signal, count);
  }
};

int32_t coreCount() {
  // Larger than any mask the kernel writes on machines of today.
  unsigned long mask[1024 / sizeof(long)] = {};
  int count = 0;
  if (systemCall(SYS_sched_getaffinity, 0, sizeof mask, mask) > 0)
    for (unsigned long word : mask)
      for (; word; word &= word - 1)
        ++count;
  return count > 0 ? count : 1;
}

Pool *startPool(int32_t threads) {
  if (threads < 2)
    return nullptr;
  size_t bytes = sizeof(Pool) + size_t(threads) * sizeof(pthread_t);
  bytes = (bytes + 63) & ~size_t(63);
  Pool *pool = static_cast<Pool *>(aligned_alloc(64, bytes));
  if (!pool)
    return nullptr;
  __builtin_memset(static_cast<void *>(pool), 0, bytes);

  // Signals are the program's business, not that of these threads.
  sigset_t everything, before;
  __builtin_memset(&everything, 255, sizeof everything);
  pthread_sigmask(SIG_SETMASK, &everything, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stackBytes);
  while (pool->threads < threads - 1 &&
         !pthread_create(&pool->handles[pool->threads], &attributes,
                         Pool::thread, pool))
    ++pool->threads;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);

  if (pool->threads)
    return pool;
  free(pool);
  return nullptr;
}

void stopPool(Pool *pool) {
  if (!pool)
    return;
  __atomic_store_n(&pool->stop, true, __ATOMIC_SEQ_CST);
  pool->wakeSleepers(INT_MAX);
  for (int32_t i = 0; i < pool->threads; ++i)
    pthread_join(pool->handles[i], nullptr);
  free(pool);
}

int32_t poolSize(const Pool *pool) { return pool ? pool->threads + 1 : 1; }

void runTasks(Pool *pool, tenon_kernel_fn kernel, const uint64_t *args,
              int64_t tasks) {
  int64_t pieces = int64_t(poolSize(pool)) * piecesPerThread;
  if (pieces > tasks)
    pieces = tasks;
  if (!pool || pieces < 2) {
    if (tasks > 0)
      kernel(args, 0, tasks);
    return;
  }
  pool->kernel = kernel;
  pool->args = args;
  pool->tasks = tasks;
  __atomic_store_n(&pool->done, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&pool->work, uint64_t(pieces) << 32, __ATOMIC_SEQ_CST);
  pool->wakeSleepers(int(pieces < INT_MAX ? pieces - 1 : INT_MAX));
  pool->help();

  uint32_t all = uint32_t(pieces);
  for (int turn = 0; turn < spinTurns; ++turn) {
    if (__atomic_load_n(&pool->done, __ATOMIC_ACQUIRE) == all)
      return;
    relax();
  }
  __atomic_store_n(&pool->callerSleeps, 1, __ATOMIC_SEQ_CST);
  for (;;) {
    uint32_t done = __atomic_load_n(&pool->done, __ATOMIC_SEQ_CST);
    if (done == all)
      break;
    sleepOn(&pool->done, done);
  }
  __atomic_store_n(&pool->callerSleeps, 0, __ATOMIC_SEQ_CST);
}

} // namespace tenon
