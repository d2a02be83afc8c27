// RUN: %tenon-opt %s --pack-in-place | FileCheck %s

// CHECK-LABEL: func.func @filter
// CHECK-NOT: linalg.transpose
// CHECK: %[[V:.*]] = memref.reinterpret_cast %{{.*}} sizes: [4, 5, %{{.*}}, 3], strides: [15, 3, 60, 1]
// CHECK: kernel.pack ins(%[[V]] :
func.func @filter(%x: memref<?x4x5x3xf32>, %n: index) -> memref<1x1x4x5x?x16xf32> {
  %t = memref.alloc(%n) : memref<4x5x?x3xf32>
  linalg.transpose ins(%x : memref<?x4x5x3xf32>) outs(%t : memref<4x5x?x3xf32>) permutation = [1, 2, 0, 3]
  %p = memref.alloc(%n) : memref<1x1x4x5x?x16xf32>
  kernel.pack ins(%t : memref<4x5x?x3xf32>) outs(%p : memref<1x1x4x5x?x16xf32>) {spatial = 2 : i64}
  return %p : memref<1x1x4x5x?x16xf32>
}

// What is transposed changes before it is packed.
// CHECK-LABEL: func.func @changed
// CHECK: linalg.transpose
func.func @changed(%x: memref<2x4x5x3xf32>, %zero: f32) -> memref<1x1x4x5x2x16xf32> {
  %t = memref.alloc() : memref<4x5x2x3xf32>
  linalg.transpose ins(%x : memref<2x4x5x3xf32>) outs(%t : memref<4x5x2x3xf32>) permutation = [1, 2, 0, 3]
  linalg.fill ins(%zero : f32) outs(%x : memref<2x4x5x3xf32>)
  %p = memref.alloc() : memref<1x1x4x5x2x16xf32>
  kernel.pack ins(%t : memref<4x5x2x3xf32>) outs(%p : memref<1x1x4x5x2x16xf32>) {spatial = 2 : i64}
  return %p : memref<1x1x4x5x2x16xf32>
}
