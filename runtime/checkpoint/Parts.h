// What tables of checkpoints say about tensors, and about parts of them.
#ifndef TENON_RUNTIME_CHECKPOINT_PARTS_H
#define TENON_RUNTIME_CHECKPOINT_PARTS_H

#include "checkpoint/Format.h"

namespace tenon {
namespace [[gnu::visibility("hidden")]] checkpoint {

// A part of a tensor: where it begins and how long it is, by dimension.
struct Slice {
  int32_t rank = 0;
  int64_t begin[maxRank], length[maxRank];
  bool all[maxRank]; // the whole dimension

  // Reads a TensorSliceProto of a tensor of that shape, and fails when it lies
  // outside.
  Slice(Bytes message, int32_t shapeRank, const int64_t *shape);

  // The key of the part of tensor `name` in tables.
  Text key(const char *name) const;

  int64_t elements() const { return countElements(rank, length, 1); }

  // Whether it begins before another part of the tensor, in row-major order.
  bool isBefore(const Slice &other) const;

  // Puts the part's elements, of so many bytes, to their places in the tensor.
  void place(char *to, const int64_t *shape, const char *from,
             size_t bytes) const;
};

// What a tensor is, and where: TensorFlow's BundleEntryProto of the second
// format, or its SavedSliceMeta of the first one.
struct Entry {
  uint64_t type = 0;
  int32_t rank = 0;
  int64_t shape[maxRank];
  uint64_t shard = 0, offset = 0, size = 0, crc = 0;
  bool parts = false; // there are fields of that number, with its parts
  uint32_t partsField;

  Entry(Bytes message, bool first);

  // Fails unless the variable has this type and shape.
  void check(const tenon_tensor &wanted) const;

private:
  void readShape(Bytes message);
};

} // namespace checkpoint
} // namespace tenon

#endif // TENON_RUNTIME_CHECKPOINT_PARTS_H
