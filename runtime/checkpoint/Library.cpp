// Checkpoints for programs that embed a model: failures are results.
#include "checkpoint/Checkpoint.h"
#include "host/Guard.h"

namespace tenon {

namespace {

struct CheckpointCall : HostCall {
  const char *path;
};

const char name[] = "checkpoint";

int32_t run(tenon_instance *handle, const char *path,
            bool (*function)(HostCall &)) {
  Instance &instance = *static_cast<Instance *>(handle);
  instance.status = TENON_OK;
  CheckpointCall call = {{instance, name, nullptr, nullptr, nullptr, 0, 0},
                         path};
  if (guarded(call, function))
    return TENON_OK;
  // "node 'checkpoint': ": it is none of the model's.
  char *text = instance.message.text;
  const char *rest = strstr(text, "': ");
  if (rest)
    memmove(text, rest + 3, strlen(rest + 3) + 1);
  return instance.finish(TENON_FAILED);
}

} // namespace
} // namespace tenon

using namespace tenon;

int32_t tenon_save(tenon_instance *instance, const char *prefix) {
  return run(instance, prefix, [](HostCall &call) {
    saveCheckpoint(call.instance, static_cast<CheckpointCall &>(call).path);
    return true;
  });
}

int32_t tenon_restore(tenon_instance *instance, const char *path) {
  return run(instance, path, [](HostCall &call) {
    restoreCheckpoint(call.instance, static_cast<CheckpointCall &>(call).path,
                      false);
    return true;
  });
}
