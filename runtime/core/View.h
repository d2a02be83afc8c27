// Tensors that are views: with strides, or aligned to less than an element.
#ifndef TENON_RUNTIME_CORE_VIEW_H
#define TENON_RUNTIME_CORE_VIEW_H

#include "core/Instance.h"

namespace [[gnu::visibility("hidden")]] tenon {

inline char *firstElement(const tenon_tensor &tensor) {
  return static_cast<char *>(tensor.data) + tensor.byte_offset;
}

} // namespace tenon

// Programs that call a model may pass views; the command line has none, so that
// executables do without.
struct tenon_view_functions {
  // Whether the elements lie row-major and dense.
  bool (*isDense)(const tenon_tensor &tensor);
  // Whether they are aligned too.
  bool (*isUsable)(const tenon_tensor &tensor);
  // The elements in memory of the call; NULL after a failure.
  char *(*copy)(tenon::Instance &instance, const tenon_tensor &tensor,
                int64_t elements);
};

#endif // TENON_RUNTIME_CORE_VIEW_H
