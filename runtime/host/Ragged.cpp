// Ragged tensors: values, and how each dimension parts them into rows.
#include "host/Element.h"
#include "host/Host.h"

namespace tenon {

namespace {

// The row of each value, and how many rows there are, of one partition.
struct Partition {
  const tenon_tensor &tensor;
  bool splits; // else the rows' numbers
  int64_t rows, values;

  Partition(HostCall &call, int32_t operand, bool splits, int64_t rows)
      : tensor(call.inputs[operand]), splits(splits),
        rows(splits ? call.inSize(operand) - 1 : rows),
        values(splits ? (this->rows >= 0 ? integerAt(tensor, this->rows) : 0)
                      : call.inSize(operand)) {}

  bool check(HostCall &call) const {
    if (rows < 0)
      return call.fail("a partition of rows is empty");
    int64_t last = 0, count = splits ? rows + 1 : values;
    for (int64_t i = 0; i < count; ++i) {
      int64_t entry = integerAt(tensor, i);
      if (entry < last || (!splits && entry >= rows) || (splits && !i && entry))
        return call.fail("a partition of rows is out of order or range: "
                         "element %lld is %lld",
                         (long long)i, (long long)entry);
      last = entry;
    }
    return true;
  }

  // Calls `take` with each value's row and place in it.
  template <typename Take> void each(Take take) const {
    if (splits) {
      for (int64_t row = 0, value = 0; row < rows; ++row)
        for (int64_t end = integerAt(tensor, row + 1), column = 0; value < end;
             ++value)
          take(value, row, column++);
      return;
    }
    int64_t column = 0;
    for (int64_t value = 0; value < values; ++value) {
      int64_t row = integerAt(tensor, value);
      column = value && integerAt(tensor, value - 1) == row ? column + 1 : 0;
      take(value, row, column);
    }
  }
};

} // namespace

TENON_HOST(ragged_to_dense) {
  const tenon_tensor &shape = call.inputs[0], &values = call.inputs[1];
  tenon_tensor &result = call.outputs[0];
  int32_t kinds = int32_t(call.size("kinds")), level = 0;
  auto given = [&](int32_t d) {
    return shape.ndim && d < shape.shape[0] ? integerAt(shape, d) : -1;
  };
  bool first = equal(call.text("kinds"), "FIRST_DIM_SIZE");
  int64_t rows = first ? integerAt(call.inputs[3], 0) : call.inSize(3) - 1;
  if (rows < 0)
    return call.fail("a partition of rows is empty");
  auto partition = [&](int32_t i, int64_t above) {
    return Partition(call, 3 + i, equal(call.text("kinds", i), "ROW_SPLITS"),
                     above);
  };
  // Sizes first.
  int64_t above = rows;
  result.shape[0] = given(0) >= 0 ? given(0) : rows;
  for (int32_t i = first; i < kinds; ++i) {
    Partition parts = partition(i, above);
    if (!parts.check(call))
      return false;
    if (parts.rows != above)
      return call.fail("a partition has %lld rows, expected %lld",
                       (long long)parts.rows, (long long)above);
    int64_t most = 0;
    parts.each([&](int64_t, int64_t, int64_t column) {
      most = column + 1 > most ? column + 1 : most;
    });
    ++level;
    result.shape[level] = given(level) >= 0 ? given(level) : most;
    above = parts.values;
  }
  if (values.shape[0] != above)
    return call.fail("there are %lld values, the partitions have %lld",
                     (long long)values.shape[0], (long long)above);
  int64_t inner = result.dtype.bits / 8;
  for (int32_t d = 1; d < values.ndim; ++d) {
    result.shape[level + d] = values.shape[d];
    inner *= values.shape[d];
  }
  if (!call.allocate(0))
    return false;
  int64_t unit = result.dtype.bits / 8;
  for (int64_t i = 0, count = call.outSize(0); i < count; ++i)
    memcpy(call.out(0) + i * unit, call.in(2), size_t(unit));
  // Where each row of each level begins in the result, -1 for none.
  int64_t *places = call.array<int64_t>(rows);
  for (int64_t i = 0; places && i < rows; ++i)
    places[i] = i < result.shape[0] ? i : -1;
  above = rows;
  int32_t at = 0;
  for (int32_t i = first; i < kinds && places; ++i) {
    Partition parts = partition(i, above);
    int64_t size = result.shape[++at];
    int64_t *next = call.array<int64_t>(parts.values);
    if (!next)
      return false;
    parts.each([&](int64_t value, int64_t row, int64_t column) {
      next[value] =
          places[row] >= 0 && column < size ? places[row] * size + column : -1;
    });
    places = next;
    above = parts.values;
  }
  for (int64_t i = 0; places && i < above; ++i)
    if (places[i] >= 0 && inner)
      memcpy(call.out(0) + places[i] * inner, call.in(1) + i * inner,
             size_t(inner));
  return places != nullptr;
}

} // namespace tenon
