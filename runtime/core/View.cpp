#include "core/View.h"

#include <string.h>

namespace tenon {

namespace {

// The distances between elements along each dimension, in bytes.
struct Steps {
  int64_t steps[maxRank];
  bool dense = true; // and row-major

  explicit Steps(const tenon_tensor &tensor) {
    int64_t bytes = dtypeBytes(tensor.dtype), step = bytes;
    for (int32_t i = tensor.ndim; i--;) {
      steps[i] = tensor.strides ? tensor.strides[i] * bytes : step;
      dense &= steps[i] == step || tensor.shape[i] == 1;
      step *= tensor.shape[i];
    }
  }
};

bool isDense(const tenon_tensor &tensor) { return Steps(tensor).dense; }

bool isUsable(const tenon_tensor &tensor) {
  // Complex numbers and strings are aligned as their halves are.
  int code = tensor.dtype.code;
  uint64_t alignment = uint64_t(dtypeBytes(tensor.dtype)) >>
                       (code == TENON_COMPLEX || code == TENON_STRING);
  return isDense(tensor) &&
         !(reinterpret_cast<uint64_t>(firstElement(tensor)) % alignment);
}

char *copyView(Instance &instance, const tenon_tensor &tensor,
               int64_t elements) {
  size_t bytes = size_t(dtypeBytes(tensor.dtype));
  char *copy =
      static_cast<char *>(tenon_alloc(&instance, elements * int64_t(bytes)));
  const char *from = firstElement(tensor);
  int64_t index[maxRank] = {};
  Steps steps(tensor);
  for (char *to = copy; to && elements; --elements, to += bytes) {
    memcpy(to, from, bytes);
    for (int32_t i = tensor.ndim; i--;) {
      int64_t step = steps.steps[i];
      from += step;
      if (++index[i] < tensor.shape[i])
        break;
      from -= step * tensor.shape[i];
      index[i] = 0;
    }
  }
  return copy;
}

} // namespace
} // namespace tenon

const tenon_view_functions tenon_views = {tenon::isDense, tenon::isUsable,
                                          tenon::copyView};
