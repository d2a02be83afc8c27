// RUN: %tenon-opt %s --read-in-place --canonicalize | FileCheck %s

// The gradient of weights, x^T g: neither is rearranged first.
// CHECK-LABEL: func.func @gradient
// CHECK-SAME: %[[X:.*]]: tensor<64x32xf32>, %[[G:.*]]: tensor<64x48xf32>
// CHECK-NOT: linalg.transpose
// CHECK-NOT: kernel.pack
// CHECK: kernel.contract ins(%[[X]], %[[G]] : tensor<64x32xf32>, tensor<64x48xf32>)
// CHECK-SAME: a_order = array<i64: 1, 0>, b_order = array<i64: 0, 1>
func.func @gradient(%x: tensor<64x32xf32>, %g: tensor<64x48xf32>) -> tensor<32x48xf32> {
  %0 = tensor.empty() : tensor<32x64xf32>
  %t = linalg.transpose ins(%x : tensor<64x32xf32>) outs(%0 : tensor<32x64xf32>) permutation = [1, 0]
  %1 = tensor.empty() : tensor<1x3x64x16xf32>
  %p = kernel.pack ins(%g : tensor<64x48xf32>) outs(%1 : tensor<1x3x64x16xf32>) -> tensor<1x3x64x16xf32>
  %2 = tensor.empty() : tensor<32x48xf32>
  %r = kernel.contract ins(%t, %p : tensor<32x64xf32>, tensor<1x3x64x16xf32>) outs(%2 : tensor<32x48xf32>)
      -> tensor<32x48xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return %r : tensor<32x48xf32>
}

// One row: packing costs as much as the product, and is shared.
// CHECK-LABEL: func.func @row
// CHECK: kernel.pack
func.func @row(%x: tensor<1x64xf32>, %w: tensor<48x64xf32>) -> tensor<1x48xf32> {
  %1 = tensor.empty() : tensor<1x3x64x16xf32>
  %p = kernel.pack ins(%w : tensor<48x64xf32>) outs(%1 : tensor<1x3x64x16xf32>) {transpose_b} -> tensor<1x3x64x16xf32>
  %2 = tensor.empty() : tensor<1x48xf32>
  %r = kernel.contract ins(%x, %p : tensor<1x64xf32>, tensor<1x3x64x16xf32>) outs(%2 : tensor<1x48xf32>)
      -> tensor<1x48xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return %r : tensor<1x48xf32>
}
