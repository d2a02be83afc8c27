// RUN: %tenon-opt %s --move-to-device | FileCheck %s

// A kernel moves and is launched by its number. One whose arguments do not fit
// the parameters of a GPU's kernel stays, and is called when all that was
// launched has ended; so is what the CPU reads.

// CHECK-LABEL: func.func @main
// CHECK: llvm.call @tenon_cuda_launch(%arg0, %{{.*}}, %arg1, %{{[^,]*}}, %{{[^,]*}}) :
// CHECK-NEXT: llvm.call @tenon_cuda_wait(%arg0)
// CHECK-NEXT: memref.load
// CHECK-NOT: tenon_cuda_wait
// CHECK: call @large(
// CHECK: func.func private @large
// CHECK: module @device
// CHECK: func.func @small
module {
  func.func @main(%instance: !llvm.ptr, %words: !llvm.ptr, %tensor: memref<4xf32>) -> f32 attributes {graph.entry} {
    %c0 = arith.constant 0 : index
    %id = llvm.mlir.constant(0 : i32) : i32
    %tasks = llvm.mlir.constant(4 : i64) : i64
    %0 = func.constant @small : (!llvm.ptr, index, index) -> ()
    %1 = builtin.unrealized_conversion_cast %0 : (!llvm.ptr, index, index) -> () to !llvm.ptr
    llvm.call @launch(%instance, %1, %words, %tasks, %id) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i32) -> ()
    %value = memref.load %tensor[%c0] : memref<4xf32>
    %2 = func.constant @large : (!llvm.ptr, index, index) -> ()
    %3 = builtin.unrealized_conversion_cast %2 : (!llvm.ptr, index, index) -> () to !llvm.ptr
    llvm.call @launch(%instance, %3, %words, %tasks, %id) : (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i32) -> ()
    return %value : f32
  }
  func.func private @small(%words: !llvm.ptr, %begin: index, %end: index) attributes {tenon.kernel, tenon.words = 2 : i64} {
    return
  }
  func.func private @large(%words: !llvm.ptr, %begin: index, %end: index) attributes {tenon.kernel, tenon.words = 512 : i64} {
    return
  }
  llvm.func internal @launch(!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i32) attributes {no_inline} {
  ^bb0(%0: !llvm.ptr, %1: !llvm.ptr, %2: !llvm.ptr, %3: i64, %4: i32):
    llvm.return
  }
}
