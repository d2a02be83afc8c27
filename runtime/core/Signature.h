// A model's signature (signature.fbs) in a form that calls can check against
// quickly.
#ifndef TENON_RUNTIME_CORE_SIGNATURE_H
#define TENON_RUNTIME_CORE_SIGNATURE_H

#include "core/Message.h"

namespace [[gnu::visibility("hidden")]] tenon {

enum { maxRank = 64 };

// An input or output.
struct TensorSpec {
  const char *name;
  tenon_dtype dtype;
  int32_t rank;
  bool hasDefault;
  int64_t *shape;        // -1 - k: symbol k
  int64_t *defaultShape; // all sizes known; NULL without a default
  const void *defaultData;
};

struct EntrySpec {
  const char *name;
  TensorSpec *inputs, *outputs;
  int32_t inputCount, outputCount;
  int32_t dimCount; // of all inputs and outputs
};

// A first value that takes no place in the weights.
constexpr int64_t initialZeros = -2;

struct VariableSpec {
  const char *name;
  tenon_dtype dtype;
  int32_t rank;
  int64_t *shape;
  uint64_t stateOffset, bytes, flagOffset;
  int64_t initial; // offset in the weights, -1: none, or initialZeros
  bool generator;  // starts with random bytes when there is no first value
};

// Names, shapes and values stay in the table that the model carries.
struct Signature {
  const char *name;
  EntrySpec *entries;
  VariableSpec *variables;
  const char **symbols, **failures, **kernels;
  int32_t entryCount, variableCount, symbolCount, failureCount, kernelCount;
  uint64_t arenaBytes, stateBytes, zerosBytes;
  void *memory; // what is owned

  // Reads the model's table. On failure returns false with the text; the
  // object can (and must) be released all the same.
  bool read(const tenon_model &model, Message &message);
  void release();

  // Number of the entry of that name, -1 when there is none.
  int32_t find(const char *entry) const;
};

// What a file for Keras is made of (signature.fbs, Archive).
struct ArchiveSpec {
  const char *config, *metadata; // terminated
  const char *header;
  const int32_t *variables;
  int32_t configSize, metadataSize, headerSize, variableCount;

  // False when the model has none.
  bool read(const tenon_model &model);
};

// Elements of a shape of known sizes, -1 when the bytes would not fit into
// 63 bits or a size is negative.
int64_t countElements(int32_t rank, const int64_t *shape, int elementBytes);

} // namespace tenon

#endif // TENON_RUNTIME_CORE_SIGNATURE_H
