//===- Rows.h - reductions and elementwise ops row by row -----------------===//

#ifndef TENON_DIALECTS_KERNEL_ROWS_H
#define TENON_DIALECTS_KERNEL_ROWS_H

#include "dialects/kernel/Kernel.h"

#define GET_OP_CLASSES
#include "dialects/kernel/Rows.h.inc"

namespace tenon::kernel {
void registerRowsOp(KernelDialect &dialect);
} // namespace tenon::kernel

#endif // TENON_DIALECTS_KERNEL_ROWS_H
