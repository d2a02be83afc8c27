// RUN: %tenon-opt %s --lay-out-data | FileCheck %s

// A constant without elements is nowhere: with nothing else, the artifact has no weights that a pointer could lead to.
// CHECK: tenon.weights_bytes = 0
// CHECK-NOT: m__weights_base()
// CHECK-LABEL: func.func @main
// CHECK: llvm.mlir.zero : !llvm.ptr
// CHECK-NOT: llvm.mlir.addressof
module attributes {tenon.weights_symbol = "m__weights_base"} {
  memref.global "private" constant @none : memref<0x2xf64> = dense<>
  func.func @main(%instance: !llvm.ptr) -> index {
    %0 = memref.get_global @none : memref<0x2xf64>
    %1 = memref.extract_aligned_pointer_as_index %0 : memref<0x2xf64> -> index
    return %1 : index
  }
}
