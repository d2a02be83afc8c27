#ifndef TENON_COMPILER_LOWERING_PASSES_H
#define TENON_COMPILER_LOWERING_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace tenon {

#define GEN_PASS_DECL
#include "compiler/lowering/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/lowering/Passes.h.inc"

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_PASSES_H
