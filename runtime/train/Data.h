// Sets of data: rows of what a training step takes, from files of any kind.
#ifndef TENON_RUNTIME_TRAIN_DATA_H
#define TENON_RUNTIME_TRAIN_DATA_H

#include "core/Signature.h"
#include "io/Text.h"
#include "main/Options.h"

namespace tenon {
namespace [[gnu::visibility("hidden")]] train {

enum Role : uint8_t { Input, Target, Weight };

// One array of a batch. Its sizes are those of one row, without the batch's.
struct Field {
  const TensorSpec *spec;
  Role role;
  bool present; // the data has it; only weights may be left out
  int32_t rank;
  int64_t *shape;
  int64_t elements;
  size_t bytes;
};

// Where rows come from. `fetch` may be called by another thread than the one
// that opened the source, but by one at a time; it ends the process when data
// turns out to be bad.
struct Source {
  int64_t rows;
  bool isStream; // shuffled by a buffer unless something else is asked for
  bool isCostly; // decodes: worth a thread of its own
  // Writes `count` rows of each field that is present to buffers[field]:
  // order[0], order[1], ..., or those from `first` on when there is no order.
  void (*fetch)(Source &source, const uint32_t *order, int64_t first,
                int64_t count, char *const *buffers);
};

struct DataSet {
  const char *label; // for messages: the first file
  Field *fields;
  int32_t fieldCount;
  Source *source;
};

// What opening needs to know.
struct DataSpec {
  const Field *fields; // without sizes
  int32_t fieldCount;
  int32_t targets;
  bool cast;
};

// Opens the files of a set: FILE, NAME=FILE, a folder. The first dimension of
// every array is the row.
DataSet openData(const DataSpec &spec, const Words &words);

// ---- kinds of data; each sets sizes and presence of fields and returns the
// source.

Source *openArrays(const DataSpec &spec, Field *fields, const Words &words);
Source *openCsv(const DataSpec &spec, Field *fields, const char *path);
Source *openRecords(const DataSpec &spec, Field *fields, const Words &words);
Source *openImages(const DataSpec &spec, Field *fields, const char *folder);

// ---- shared by them

// A file's bytes, mapped for good.
struct Bytes {
  const char *data;
  size_t size;
};
Bytes mapData(const char *path);

// Fixes the sizes of a row. Unknown ones are those of `shape`, or 1 when there
// is none. False when they disagree with what is known.
bool setRowShape(Field &field, int32_t rank, const int64_t *shape);

// "float32[?x784]", as messages have it; `room` bytes.
const char *describeField(const Field &field, char *out, size_t room);

// Whether elements may become another type: exactly, or as Keras does it
// (floats rounded, integers when their value has a number there).
bool canConvert(tenon_dtype from, tenon_dtype to, bool cast);

// Converts elements, which may be unaligned. Returns how many: less than
// `count` when the next one has no value of the type, unless `cast`.
int64_t convertElements(tenon_dtype from, const char *source, tenon_dtype to,
                        char *target, int64_t count, bool cast);

// Stores a number as the field's element `index`; false when its type has no
// such value.
bool storeElement(const Field &field, char *row, int64_t index, double value);

} // namespace train
} // namespace tenon

#endif // TENON_RUNTIME_TRAIN_DATA_H
