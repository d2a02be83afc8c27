// Sparse tensors: indices [n, rank], values [n], shape [rank].
#include "host/Element.h"
#include "host/Host.h"

#include <math.h>

namespace tenon {

// The product of sizes; -1 when one is negative or it does not fit.
static int64_t productOf(const int64_t *sizes, int64_t count) {
  int64_t total = 1;
  for (int64_t i = 0; i < count; ++i)
    if (sizes[i] < 0 || __builtin_mul_overflow(total, sizes[i], &total))
      return -1;
  return total;
}

TENON_HOST(sparse_reshape) {
  int64_t rank = call.inputs[0].shape[1], count = call.inputs[0].shape[0],
          wanted = call.inSize(2);
  const int64_t *indices = call.in<int64_t>(0), *shape = call.in<int64_t>(1),
                *given = call.in<int64_t>(2);
  int64_t *to = call.out<int64_t>(0), *full = call.out<int64_t>(1);
  if (call.inSize(1) != rank)
    return call.fail("indices have %lld columns, the shape has %lld sizes",
                     (long long)rank, (long long)call.inSize(1));
  int64_t total = productOf(shape, rank), known = 1, open = -1;
  if (total < 0)
    return call.fail("the input's shape is too large or negative");
  for (int64_t i = 0; i < wanted; ++i) {
    full[i] = given[i];
    if (given[i] == -1 && open < 0)
      open = i;
    else if (given[i] < 0)
      return call.fail("size %lld is %lld; only one may be -1", (long long)i,
                       (long long)given[i]);
    else if (__builtin_mul_overflow(known, given[i], &known))
      return call.fail("the new shape is too large");
  }
  if (open >= 0) {
    if (known == 0 || total % known)
      return call.fail("a tensor of %lld elements cannot have a new shape of "
                       "multiples of %lld",
                       (long long)total, (long long)known);
    full[open] = total / known;
  } else if (known != total) {
    return call.fail("a tensor of %lld elements cannot have a shape of %lld",
                     (long long)total, (long long)known);
  }
  for (int64_t i = 0; i < count; ++i) {
    uint64_t place = 0;
    for (int64_t d = 0; d < rank; ++d)
      place = place * uint64_t(shape[d]) + uint64_t(indices[i * rank + d]);
    for (int64_t d = wanted; d--;) {
      uint64_t size = full[d] > 0 ? uint64_t(full[d]) : 1;
      to[i * wanted + d] = int64_t(place % size);
      place /= size;
    }
  }
  return true;
}

TENON_HOST(sparse_fill_empty_rows) {
  const tenon_tensor &values = call.inputs[1];
  int64_t count = call.inputs[0].shape[0], rank = call.inputs[0].shape[1];
  const int64_t *indices = call.in<int64_t>(0);
  int64_t bytes = values.dtype.bits / 8;
  if (call.inSize(1) != count || call.inSize(2) != rank || rank < 1)
    return call.fail("indices, values and shape do not fit each other");
  int64_t rows = call.in<int64_t>(2)[0];
  if (rows < 0 || (rows == 0 && count))
    return call.fail("the shape has %lld rows, there are %lld values",
                     (long long)rows, (long long)count);
  if (!call.outputs[2].device.type ? !call.allocate(2, rows)
                                   : call.outputs[2].shape[0] != rows)
    return false;
  bool *empty = call.out<bool>(2);
  int64_t *starts = call.array<int64_t>(rows + 1);
  if (!starts)
    return false;
  memset(starts, 0, size_t(rows + 1) * sizeof *starts);
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = indices[i * rank];
    if (row < 0 || row >= rows)
      return call.fail("indices(%lld, 0) is invalid: %lld is outside of "
                       "[0, %lld)",
                       (long long)i, (long long)row, (long long)rows);
    ++starts[row + 1];
  }
  int64_t total = 0;
  for (int64_t row = 0; row < rows; ++row) {
    int64_t own = starts[row + 1];
    empty[row] = !own;
    starts[row] = total;
    total += own ? own : 1;
  }
  if (!call.allocate(0, total, rank) || !call.allocate(1, total))
    return false;
  int64_t *to = call.out<int64_t>(0);
  for (int64_t row = 0; row < rows; ++row) {
    if (!empty[row])
      continue;
    memset(to + starts[row] * rank, 0, size_t(rank) * sizeof *to);
    to[starts[row] * rank] = row;
    memcpy(call.out(1) + starts[row] * bytes, call.in(3), size_t(bytes));
  }
  for (int64_t i = 0; i < count; ++i) {
    int64_t place = starts[indices[i * rank]]++;
    memcpy(to + place * rank, indices + i * rank, size_t(rank) * sizeof *to);
    memcpy(call.out(1) + place * bytes, call.in(1) + i * bytes, size_t(bytes));
    call.out<int64_t>(3)[i] = place;
  }
  return true;
}

namespace {
template <typename T> struct Rows {
  HostCall &call;
  int64_t inner;

  void run(int64_t rows, bool mean, bool sqrtn) {
    const T *data = call.in<T>(0);
    T *to = call.out<T>(0);
    for (int64_t i = 0; i < rows * inner; ++i)
      to[i] = 0;
    int64_t count = call.inSize(1);
    for (int64_t i = 0; i < count;) {
      int64_t segment = integerAt(call.inputs[2], i), own = 0;
      for (; i < count && integerAt(call.inputs[2], i) == segment; ++i, ++own) {
        const T *from = data + integerAt(call.inputs[1], i) * inner;
        for (int64_t k = 0; k < inner; ++k)
          to[segment * inner + k] += from[k];
      }
      T by = mean ? T(own) : sqrtn ? T(sqrt(double(own))) : T(1);
      for (int64_t k = 0; k < inner && (mean || sqrtn); ++k)
        to[segment * inner + k] /= by;
    }
  }
};
} // namespace

TENON_HOST(sparse_segment) {
  const tenon_tensor &data = call.inputs[0];
  int64_t count = call.inSize(1), last = -1;
  if (call.inSize(2) != count)
    return call.fail("%lld indices have %lld segments", (long long)count,
                     (long long)call.inSize(2));
  for (int64_t i = 0; i < count; ++i) {
    int64_t index = integerAt(call.inputs[1], i),
            segment = integerAt(call.inputs[2], i);
    if (index < 0 || index >= data.shape[0])
      return call.fail("indices[%lld] = %lld is outside of [0, %lld)",
                       (long long)i, (long long)index,
                       (long long)data.shape[0]);
    if (segment < last || segment < 0)
      return call.fail("segment ids are not increasing: %lld after %lld",
                       (long long)segment, (long long)last);
    last = segment;
  }
  int64_t rows = last + 1;
  if (call.inputCount > 3) {
    int64_t given = integerAt(call.inputs[3], 0);
    if (given < rows)
      return call.fail("segment id %lld is outside of [0, %lld)",
                       (long long)last, (long long)given);
    rows = given;
  }
  tenon_tensor &result = call.outputs[0];
  int64_t inner = 1;
  for (int32_t d = 1; d < data.ndim; ++d) {
    inner *= data.shape[d];
    result.shape[d] = data.shape[d];
  }
  if (!result.device.type)
    result.shape[0] = rows;
  if (!call.allocate(0))
    return false;
  tenon_string mode = call.text("mode");
  bool mean = equal(mode, "mean"), sqrtn = equal(mode, "sqrtn");
  if (data.dtype.code == TENON_FLOAT && data.dtype.bits == 32)
    Rows<float>{call, inner}.run(rows, mean, sqrtn);
  else if (data.dtype.code == TENON_FLOAT && data.dtype.bits == 64)
    Rows<double>{call, inner}.run(rows, mean, sqrtn);
  else if (data.dtype.code == TENON_INT && data.dtype.bits == 32)
    Rows<int32_t>{call, inner}.run(rows, mean, sqrtn);
  else if (data.dtype.code == TENON_INT && data.dtype.bits == 64)
    Rows<int64_t>{call, inner}.run(rows, mean, sqrtn);
  else
    return call.fail("elements of type %s are not supported",
                     dtypeName(data.dtype));
  return true;
}

TENON_HOST(sparse_to_dense) {
  const tenon_tensor &indices = call.inputs[0];
  tenon_tensor &result = call.outputs[0];
  int64_t rank = result.ndim;
  for (int64_t d = 0; d < rank; ++d) {
    int64_t size = integerAt(call.inputs[1], d);
    if (size < 0)
      return call.fail("size %lld of the shape is %lld", (long long)d,
                       (long long)size);
    result.shape[d] = size;
  }
  if (!call.allocate(0))
    return false;
  int64_t count = indices.ndim ? indices.shape[0] : 1,
          columns = indices.ndim == 2 ? indices.shape[1] : 1;
  if (columns != rank)
    return call.fail("indices have %lld columns, the shape has %lld sizes",
                     (long long)columns, (long long)rank);
  bool single = call.inSize(2) == 1 && !call.inputs[2].ndim;
  if (!single && call.inSize(2) != count)
    return call.fail("%lld indices have %lld values", (long long)count,
                     (long long)call.inSize(2));
  int64_t bytes = result.dtype.bits / 8, total = call.outSize(0), previous = -1;
  for (int64_t i = 0; i < total; ++i)
    memcpy(call.out(0) + i * bytes, call.in(3), size_t(bytes));
  for (int64_t i = 0; i < count; ++i) {
    int64_t place = 0;
    for (int64_t d = 0; d < rank; ++d) {
      int64_t index = integerAt(indices, i * columns + d);
      if (index < 0 || index >= result.shape[d])
        return call.fail("indices[%lld] is out of bounds: %lld is outside of "
                         "[0, %lld)",
                         (long long)i, (long long)index,
                         (long long)result.shape[d]);
      place = place * result.shape[d] + index;
    }
    if (call.flag("validate") && place <= previous)
      return call.fail("indices[%lld] is %s", (long long)i,
                       place == previous ? "repeated" : "out of order");
    previous = place;
    memcpy(call.out(0) + place * bytes, call.in(2) + (single ? 0 : i) * bytes,
           size_t(bytes));
  }
  return true;
}

namespace {
template <typename T>
void multiplyAdd(HostCall &call, const int64_t *places, bool adjoint,
                 int64_t inner) {
  const T *values = call.in<T>(1), *dense = call.in<T>(3);
  T *to = call.out<T>(0);
  int64_t count = call.inSize(1), columns = call.outputs[0].shape[1];
  for (int64_t i = 0, size = call.outSize(0); i < size; ++i)
    to[i] = 0;
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = places[2 * i], column = places[2 * i + 1];
    for (int64_t k = 0; k < columns; ++k)
      to[row * columns + k] +=
          values[i] *
          dense[adjoint ? k * inner + column : column * columns + k];
  }
}
} // namespace

TENON_HOST(sparse_matmul) {
  bool adjointA = call.flag("adjoint_a"), adjointB = call.flag("adjoint_b");
  const tenon_tensor &dense = call.inputs[3];
  int64_t count = call.inSize(1);
  if (call.inputs[0].shape[0] != count || call.inputs[0].shape[1] != 2 ||
      call.inSize(2) != 2)
    return call.fail("the sparse operand is no matrix");
  int64_t rows = call.in<int64_t>(2)[adjointA],
          inner = call.in<int64_t>(2)[!adjointA];
  if (dense.shape[adjointB] != inner)
    return call.fail("a matrix of %lld columns cannot be multiplied by one of "
                     "%lld rows",
                     (long long)inner, (long long)dense.shape[adjointB]);
  tenon_tensor &result = call.outputs[0];
  if (!result.device.type) {
    result.shape[0] = rows;
    result.shape[1] = dense.shape[!adjointB];
  }
  int64_t *places = call.array<int64_t>(2 * count);
  if (!call.allocate(0) || !places)
    return false;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t d = 0; d < 2; ++d) {
      int64_t index = integerAt(call.inputs[0], 2 * i + (adjointA ? 1 - d : d));
      if (index < 0 || index >= (d ? inner : rows))
        return call.fail("index %lld of element %lld is outside of [0, %lld)",
                         (long long)index, (long long)i,
                         (long long)(d ? inner : rows));
      places[2 * i + d] = index;
    }
  tenon_dtype dtype = result.dtype;
  if (dtype.code == TENON_FLOAT && dtype.bits == 32)
    multiplyAdd<float>(call, places, adjointB, inner);
  else if (dtype.code == TENON_FLOAT && dtype.bits == 64)
    multiplyAdd<double>(call, places, adjointB, inner);
  else if (dtype.code == TENON_INT && dtype.bits == 32)
    multiplyAdd<int32_t>(call, places, adjointB, inner);
  else
    return call.fail("elements of type %s are not supported", dtypeName(dtype));
  return true;
}

TENON_HOST(sparse_concat) {
  int32_t parts = call.inputCount / 3;
  int64_t axis = call.integer("axis"), rank = call.inSize(2 * parts);
  if (axis < -rank || axis >= rank)
    return call.fail("axis %lld is outside of %lld dimensions", (long long)axis,
                     (long long)rank);
  axis += axis < 0 ? rank : 0;
  for (int32_t p = 0; p < parts; ++p)
    if (call.inSize(2 * parts + p) != rank ||
        call.inSize(p) != call.inSize(parts + p) * rank)
      return call.fail("the parts of tensor %d do not fit each other", p);
  int64_t *shape = call.out<int64_t>(2);
  for (int64_t d = 0; d < rank; ++d)
    shape[d] = call.in<int64_t>(2 * parts)[d];
  for (int32_t p = 1; p < parts; ++p)
    for (int64_t d = 0; d < rank; ++d) {
      int64_t size = call.in<int64_t>(2 * parts + p)[d];
      if (d == axis)
        shape[d] += size;
      else if (shape[d] != size)
        return call.fail("input shapes should match: expected %lld, got %lld "
                         "at dimension %lld",
                         (long long)shape[d], (long long)size, (long long)d);
    }
  // All elements, shifted along the axis, then in row-major order.
  int64_t total = call.outputs[0].shape[0], done = 0, offset = 0;
  int64_t bytes = call.outputs[1].dtype.bits / 8;
  struct Element {
    const int64_t *index;
    const char *value;
    int64_t offset;
  };
  Element *elements = call.array<Element>(2 * total);
  if (!elements)
    return false;
  for (int32_t p = 0; p < parts; ++p) {
    for (int64_t i = 0, count = call.inSize(parts + p);
         i < count && done < total; ++i)
      elements[done++] = {call.in<int64_t>(p) + i * rank,
                          call.in(parts + p) + i * bytes, offset};
    offset += call.in<int64_t>(2 * parts + p)[axis];
  }
  auto before = [&](const Element &a, const Element &b) {
    for (int64_t d = 0; d < rank; ++d) {
      int64_t x = a.index[d] + (d == axis ? a.offset : 0),
              y = b.index[d] + (d == axis ? b.offset : 0);
      if (x != y)
        return x < y;
    }
    return false;
  };
  // Merge sort keeps the order of equal ones.
  Element *from = elements, *into = elements + total;
  for (int64_t width = 1; width < done; width *= 2) {
    for (int64_t low = 0; low < done; low += 2 * width) {
      int64_t middle = low + width < done ? low + width : done,
              high = low + 2 * width < done ? low + 2 * width : done;
      int64_t a = low, b = middle;
      for (int64_t i = low; i < high; ++i)
        into[i] = b == high || (a < middle && !before(from[b], from[a]))
                      ? from[a++]
                      : from[b++];
    }
    Element *swapped = from;
    from = into;
    into = swapped;
  }
  for (int64_t i = 0; i < done; ++i) {
    for (int64_t d = 0; d < rank; ++d)
      call.out<int64_t>(0)[i * rank + d] =
          from[i].index[d] + (d == axis ? from[i].offset : 0);
    memcpy(call.out(1) + i * bytes, from[i].value, size_t(bytes));
  }
  return true;
}

// The number of changes that make `count` elements `otherCount` other ones,
// where `same` compares; `row` has room for one more than otherCount numbers.
template <typename Same>
static int64_t editDistance(int64_t count, int64_t otherCount, int64_t *row,
                            Same same) {
  for (int64_t j = 0; j <= otherCount; ++j)
    row[j] = j;
  for (int64_t i = 0; i < count; ++i) {
    int64_t before = row[0];
    row[0] = i + 1;
    for (int64_t j = 0; j < otherCount; ++j) {
      int64_t best = before + !same(i, j);
      before = row[j + 1];
      best = row[j] + 1 < best ? row[j] + 1 : best;
      row[j + 1] = before + 1 < best ? before + 1 : best;
    }
  }
  return row[otherCount];
}

TENON_HOST(edit_distance) {
  int64_t rank = call.inSize(2), total = 1;
  if (call.inSize(5) != rank || call.inSize(0) != call.inSize(1) * rank ||
      call.inSize(3) != call.inSize(4) * rank)
    return call.fail("the parts of the sequences do not fit each other");
  const int64_t *sizes[] = {call.in<int64_t>(2), call.in<int64_t>(5)};
  tenon_tensor &result = call.outputs[0];
  for (int64_t d = 0; d + 1 < rank; ++d) {
    int64_t size = sizes[0][d] > sizes[1][d] ? sizes[0][d] : sizes[1][d];
    result.shape[d] = size > 0 ? size : 0;
    if (__builtin_mul_overflow(total, result.shape[d], &total))
      return call.fail("the sequences' shape is too large");
  }
  if (!call.allocate(0))
    return false;
  // Where each sequence begins.
  int64_t *starts[] = {call.array<int64_t>(total + 1),
                       call.array<int64_t>(total + 1)};
  int64_t *row = call.array<int64_t>(call.inSize(4) + 1);
  if (!starts[0] || !starts[1] || !row)
    return false;
  for (int side = 0; side < 2; ++side) {
    const int64_t *indices = call.in<int64_t>(3 * side);
    memset(starts[side], 0, size_t(total + 1) * sizeof(int64_t));
    int64_t previous = 0;
    for (int64_t i = 0, count = call.inSize(3 * side + 1); i < count; ++i) {
      int64_t place = 0;
      for (int64_t d = 0; d + 1 < rank; ++d) {
        int64_t index = indices[i * rank + d];
        if (index < 0 || index >= result.shape[d])
          return call.fail("index %lld of element %lld is outside of [0, %lld)",
                           (long long)index, (long long)i,
                           (long long)result.shape[d]);
        place = place * result.shape[d] + index;
      }
      if (place < previous)
        return call.fail("element %lld is out of order", (long long)i);
      previous = place;
      ++starts[side][place + 1];
    }
    for (int64_t i = 0; i < total; ++i)
      starts[side][i + 1] += starts[side][i];
  }
  tenon_dtype dtype = call.inputs[1].dtype;
  int64_t bytes = dtype.bits / 8;
  bool texts = bytes == sizeof(tenon_string) && dtype.code == TENON_STRING;
  for (int64_t place = 0; place < total; ++place) {
    int64_t first = starts[0][place], other = starts[1][place];
    int64_t count = starts[0][place + 1] - first,
            otherCount = starts[1][place + 1] - other;
    int64_t changes =
        editDistance(count, otherCount, row, [&](int64_t i, int64_t j) {
          return texts
                     ? equal(call.strings(1)[first + i],
                             call.strings(4)[other + j])
                     : !memcmp(call.in(1) + (first + i) * bytes,
                               call.in(4) + (other + j) * bytes, size_t(bytes));
        });
    float distance = float(changes);
    if (call.flag("normalize"))
      distance = otherCount ? distance / float(otherCount)
                 : count    ? __builtin_inff()
                            : 0;
    call.out<float>(0)[place] = distance;
  }
  return true;
}

} // namespace tenon
