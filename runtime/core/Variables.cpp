// Variables by name, for programs that embed a model.
#include "core/View.h"

#include <string.h>

namespace tenon {

namespace {

const VariableSpec *findVariable(Instance &instance, const char *name) {
  const Signature &signature = instance.signature;
  for (int32_t i = 0; i < signature.variableCount; ++i)
    if (!strcmp(signature.variables[i].name, name))
      return &signature.variables[i];
  instance.refuse(TENON_INVALID, "there is no variable '%s'", name);
  return nullptr;
}

// Whether its memory is what its type and shape say.
bool isPlain(const VariableSpec &variable) {
  int64_t elements =
      countElements(variable.rank, variable.shape, dtypeBytes(variable.dtype));
  return elements >= 0 && variable.dtype.code != TENON_STRING &&
         uint64_t(elements) * uint64_t(dtypeBytes(variable.dtype)) ==
             variable.bytes;
}

int32_t getVariable(Instance &instance, const char *name, tenon_tensor *value) {
  const VariableSpec *variable = findVariable(instance, name);
  if (!variable)
    return TENON_INVALID;
  if (!isPlain(*variable))
    return instance.refuse(TENON_INVALID, "variable '%s' is no plain tensor",
                           name);
  if (!instance.state[variable->flagOffset])
    return instance.refuse(TENON_FAILED, "variable '%s' is uninitialized",
                           name);
  *value = {};
  value->data = instance.state + variable->stateOffset;
  value->device = {TENON_CPU, 0};
  value->ndim = variable->rank;
  value->dtype = variable->dtype;
  value->shape = variable->shape;
  return TENON_OK;
}

int32_t setVariable(Instance &instance, const char *name,
                    const tenon_tensor *value) {
  const VariableSpec *variable = findVariable(instance, name);
  if (!variable)
    return TENON_INVALID;
  bool fits = isPlain(*variable) && value->data && !value->strides &&
              sameDtype(value->dtype, variable->dtype) &&
              value->ndim == variable->rank;
  for (int32_t i = 0; fits && i < variable->rank; ++i)
    fits = value->shape[i] == variable->shape[i];
  if (!fits) {
    char wanted[400];
    return instance.refuse(TENON_INVALID, "variable '%s': expected a dense %s",
                           name,
                           formatType(wanted, sizeof wanted, variable->dtype,
                                      variable->rank, variable->shape));
  }
  memcpy(instance.state + variable->stateOffset, firstElement(*value),
         variable->bytes);
  instance.state[variable->flagOffset] = 1;
  return TENON_OK;
}

} // namespace
} // namespace tenon

using namespace tenon;

// Unlike calls of entries, these leave the results of the last call alone.

int32_t tenon_get_variable(tenon_instance *handle, const char *name,
                           tenon_tensor *value) {
  Instance &instance = *static_cast<Instance *>(handle);
  instance.status = TENON_OK;
  return instance.finish(getVariable(instance, name, value));
}

int32_t tenon_set_variable(tenon_instance *handle, const char *name,
                           const tenon_tensor *value) {
  Instance &instance = *static_cast<Instance *>(handle);
  instance.status = TENON_OK;
  return instance.finish(setVariable(instance, name, value));
}
