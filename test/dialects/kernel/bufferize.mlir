// RUN: %tenon-opt %s --bufferize-entries | FileCheck %s

// The destination is written and never read: its old contents need no copy, and
// an epilogue operand never becomes the destination.

// CHECK-LABEL: func @in_place
// CHECK: %[[X:.*]] = bufferization.to_buffer %arg2
// CHECK: %[[C:.*]] = memref.alloc() {{.*}} : memref<8x20xf32>
// CHECK-NOT: memref.copy
// CHECK: kernel.contract {{.*}} epilogue(%[[X]] : {{.*}}) outs(%[[C]] : memref<8x20xf32>)
// CHECK: %[[D:.*]] = memref.alloc()
// CHECK-NOT: memref.copy
// CHECK: kernel.contract {{.*}} epilogue(%[[C]] : {{.*}}) outs(%[[D]] : memref<8x20xf32>)
func.func @in_place(%a: tensor<8x32xf32>, %b: tensor<1x2x32x16xf32>, %x: tensor<8x20xf32>) -> tensor<8x20xf32> {
  %e = tensor.empty() : tensor<8x20xf32>
  %0 = kernel.contract ins(%a, %b : tensor<8x32xf32>, tensor<1x2x32x16xf32>)
      epilogue(%x : tensor<8x20xf32>) outs(%e : tensor<8x20xf32>)
      attributes {epilogue_maps = [affine_map<(m, n) -> (m, n)>]} -> tensor<8x20xf32> {
  ^bb0(%sum: f32, %v: f32):
    %s = arith.addf %sum, %v : f32
    kernel.yield %s : f32
  }
  %1 = kernel.contract ins(%a, %b : tensor<8x32xf32>, tensor<1x2x32x16xf32>)
      epilogue(%0 : tensor<8x20xf32>) outs(%0 : tensor<8x20xf32>)
      attributes {epilogue_maps = [affine_map<(m, n) -> (m, n)>]} -> tensor<8x20xf32> {
  ^bb0(%sum: f32, %v: f32):
    %s = arith.addf %sum, %v : f32
    kernel.yield %s : f32
  }
  return %1 : tensor<8x20xf32>
}

// CHECK-LABEL: func @pack
// CHECK: kernel.pack ins(%{{.*}} : memref<?x?xf32>) outs(%{{.*}} : memref<1x?x?x16xf32>) {transpose_b}
func.func @pack(%w: tensor<?x?xf32>, %p: tensor<1x?x?x16xf32>) -> tensor<1x?x?x16xf32> {
  %r = kernel.pack ins(%w : tensor<?x?xf32>) outs(%p : tensor<1x?x?x16xf32>)
      {transpose_b} -> tensor<1x?x?x16xf32>
  return %r : tensor<1x?x?x16xf32>
}
