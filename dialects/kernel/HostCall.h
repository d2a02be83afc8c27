//===- HostCall.h - calls of the runtime library --------------------------===//

#ifndef TENON_DIALECTS_KERNEL_HOSTCALL_H
#define TENON_DIALECTS_KERNEL_HOSTCALL_H

#include "dialects/kernel/Kernel.h"

#define GET_OP_CLASSES
#include "dialects/kernel/HostCall.h.inc"

namespace tenon::kernel {
void registerHostCallOp(KernelDialect &dialect);
} // namespace tenon::kernel

#endif // TENON_DIALECTS_KERNEL_HOSTCALL_H
