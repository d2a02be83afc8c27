// Failures of an instance: the first one of a call is kept.
#include "core/Instance.h"

#include <stdarg.h>
#include <stdio.h>

namespace tenon {

// Nobody passes floating-point numbers, so their registers need no saving.
[[gnu::target("general-regs-only")]]
int32_t Instance::refuse(int32_t code, const char *format, ...) {
  int32_t none = TENON_OK;
  // Kernels of several threads may fail at once; one of them writes the text.
  if (!__atomic_compare_exchange_n(&status, &none, code, false,
                                   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    return none;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message.text, sizeof message.text, format, arguments);
  va_end(arguments);
  return code;
}

void Instance::report(int32_t result) {
  if (!status) // an entry that returns a status without a text
    refuse(result, "model '%s' failed with status %d", signature.name, result);
  if (options.on_error)
    options.on_error(options.error_context, message.text);
}

} // namespace tenon

using namespace tenon;

int32_t tenon_fail(tenon_instance *handle, int32_t site, int64_t a, int64_t b) {
  Instance &instance = *static_cast<Instance *>(handle);
  const Signature &signature = instance.signature;
  const char *from = site >= 0 && site < signature.failureCount
                         ? signature.failures[site]
                         : "failure %a";
  char text[sizeof instance.message.text];
  size_t used = 0;
  while (*from && used + 32 < sizeof text) {
    char mark = *from == '%' ? from[1] : 0;
    if (mark == 'a' || mark == 'b')
      used += size_t(snprintf(text + used, sizeof text - used, "%lld",
                              (long long)(mark == 'a' ? a : b)));
    else
      text[used++] = *from;
    from += mark == 'a' || mark == 'b' || mark == '%' ? 2 : 1;
  }
  text[used] = 0;
  return instance.refuse(TENON_FAILED, "%s", text);
}
