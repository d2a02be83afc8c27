// RUN: %python %S/Inputs/products.py 500 > %t.mlir
// RUN: %tenon-opt %t.mlir --graph-to-linalg --canonicalize --cse --bufferize-entries --canonicalize --cse --lower-checks --plan-memory --lay-out-data --split-entries --mlir-print-local-scope -o %t.split.mlir
// RUN: FileCheck %s < %t.split.mlir
// RUN: FileCheck %s --check-prefix=SHARED < %t.split.mlir
// RUN: %tenon-opt %t.split.mlir --outline-kernels | FileCheck %s --check-prefix=KERNELS

// 500 products of small matrices, each some 17 operations: parts of 2,000.
// CHECK-LABEL: func.func @main
// CHECK: %[[FRAME:.*]] = llvm.alloca
// CHECK-COUNT-4: call @main_part{{.*}}(%arg0, %arg1, %arg2, %arg3, %[[FRAME]])
// CHECK-NOT: call @main_part
// CHECK: return

// Code for one CPU does for all; no part is inlined again.
// SHARED-COUNT-4: func.func private @main_part{{.*}} attributes {passthrough = ["noinline"], tenon.first_call = {{[0-9]+}} : i64, tenon.light, tenon.part, tenon.shared}

// Equal products are one kernel and one packing of the matrix, both light.
// KERNELS: func.func private @kernel_{{.*}} attributes {tenon.kernel, tenon.light}
// KERNELS: func.func private @kernel_{{.*}} attributes {tenon.kernel, tenon.light}
// KERNELS-NOT: func.func private @kernel_
