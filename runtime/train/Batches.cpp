#include "train/Batches.h"
#include "io/Fail.h"
#include "io/Tensor.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

namespace tenon::train {

uint64_t mix(uint64_t seed, uint64_t counter) {
  // SplitMix64's finalizer, over both.
  uint64_t value = seed + (counter + 1) * 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

namespace {

// Numbers below a bound, without bias.
struct Random {
  uint64_t seed, counter = 0;

  uint32_t below(uint32_t bound) {
    for (;;) {
      uint64_t product = (mix(seed, counter++) >> 32) * bound;
      // Of 2^32 numbers, 2^32 % bound are too many.
      if (uint32_t(product) >= -bound % bound)
        return uint32_t(product >> 32);
    }
  }
};

} // namespace

void shuffleRows(uint32_t *order, uint32_t rows, uint32_t buffer,
                 uint64_t seed) {
  Random random{seed};
  for (uint32_t i = 0; i < rows; ++i)
    order[i] = i;
  // order[i] to order[i + buffer - 1] are what the buffer holds: the one that
  // is drawn changes places with the first one.
  for (uint32_t i = 0; i < rows; ++i) {
    uint32_t left = rows - i;
    uint32_t drawn = i + random.below(left < buffer ? left : buffer);
    uint32_t row = order[drawn];
    order[drawn] = order[i];
    order[i] = row;
  }
}

void Batches::open(const DataSet &set, int64_t newSize,
                   const ClassWeights *weights, bool threads) {
  data = &set;
  size = newSize;
  classWeights = weights;
  // Rows that are copied from memory are there before a thread would wake.
  isThreaded = threads && (set.source->isCostly);
  for (int32_t i = 0; i < (isThreaded ? slotCount : 1); ++i) {
    Batch &slot = slots[i];
    slot.buffers =
        static_cast<char **>(allocate(size_t(set.fieldCount) * sizeof(char *)));
    for (int32_t k = 0; k < set.fieldCount; ++k) {
      const Field &field = set.fields[k];
      size_t bytes = (size_t(size) * field.bytes + 64) & ~size_t(63);
      char *buffer = slot.buffers[k] =
          static_cast<char *>(aligned_alloc(64, bytes));
      if (!buffer)
        fail("no memory for a batch of %lld rows of '%s'", (long long)size,
             field.spec->name);
      for (int64_t row = 0; !field.present && row < size; ++row)
        storeFloat(field.spec->dtype, buffer + size_t(row) * field.bytes, 1);
    }
  }
  if (!isThreaded)
    return;
  pthread_mutex_init(&mutex, nullptr);
  pthread_cond_init(&changed, nullptr);
  // Signals are for the thread that trains.
  sigset_t everything, before;
  memset(&everything, 255, sizeof everything);
  pthread_sigmask(SIG_SETMASK, &everything, &before);
  pthread_t thread;
  if (pthread_create(&thread, nullptr, run, this))
    isThreaded = false;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Batches::fill(Batch &batch, int64_t step) {
  Source &source = *data->source;
  int64_t first = step * size, left = source.rows - first;
  int64_t rows = batch.rows = left < size ? left : size;
  source.fetch(source, order ? order + first : nullptr, first, rows,
               batch.buffers);
  if (!classWeights)
    return;
  const Field &target = data->fields[classWeights->target];
  tenon_tensor classes = {}, weights = {};
  classes.dtype = target.spec->dtype;
  classes.data = batch.buffers[classWeights->target];
  for (int32_t i = 0; i < data->fieldCount; ++i) {
    const Field &field = data->fields[i];
    if (field.role != Weight)
      continue;
    weights.dtype = field.spec->dtype;
    weights.data = batch.buffers[i];
    for (int64_t row = 0; row < rows; ++row) {
      // A row of several numbers has its largest at the class.
      int64_t best = 0, start = row * target.elements;
      for (int64_t k = 1; k < target.elements; ++k)
        if (loadNumber(classes, start + k).real >
            loadNumber(classes, start + best).real)
          best = k;
      double label =
          target.elements > 1 ? double(best) : loadNumber(classes, start).real;
      double weight = 1;
      if (label >= 0 && label < double(classWeights->count) &&
          double(int64_t(label)) == label)
        weight = classWeights->weights[int64_t(label)];
      if (field.present)
        weight *= loadFloat(weights, row);
      storeFloat(weights.dtype, bytesOf(weights) + size_t(row) * field.bytes,
                 weight);
    }
  }
}

void Batches::start(const uint32_t *newOrder, int64_t step) {
  if (!isThreaded) {
    order = newOrder;
    position = step;
    return;
  }
  pthread_mutex_lock(&mutex);
  // The thread may still be at a batch that nobody wants.
  limit = filled;
  while (generation & 1)
    pthread_cond_wait(&changed, &mutex);
  order = newOrder;
  position = filled = step;
  int64_t all = steps();
  limit = step + slotCount - 1 < all ? step + slotCount - 1 : all;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

const Batch &Batches::next() {
  if (!isThreaded) {
    fill(slots[0], position++);
    return slots[0];
  }
  pthread_mutex_lock(&mutex);
  while (filled <= position)
    pthread_cond_wait(&changed, &mutex);
  const Batch &batch = slots[position++ % slotCount];
  // The batch before this one is free now.
  int64_t all = steps(), ahead = position + slotCount - 1;
  int64_t newLimit = ahead < all ? ahead : all;
  if (newLimit > limit) {
    limit = newLimit;
    pthread_cond_broadcast(&changed);
  }
  pthread_mutex_unlock(&mutex);
  return batch;
}

void Batches::prepare() {
  pthread_mutex_lock(&mutex);
  for (;;) {
    while (filled >= limit)
      pthread_cond_wait(&changed, &mutex);
    int64_t step = filled;
    ++generation; // odd: at work
    pthread_mutex_unlock(&mutex);
    fill(slots[step % slotCount], step);
    pthread_mutex_lock(&mutex);
    ++generation;
    if (filled == step)
      ++filled;
    pthread_cond_broadcast(&changed);
  }
}

void *Batches::run(void *batches) {
  static_cast<Batches *>(batches)->prepare();
  return nullptr;
}

} // namespace tenon::train
