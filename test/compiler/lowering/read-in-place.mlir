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

// The gradient of a convolution's filter: images are read as they are.
// CHECK-LABEL: func.func @filter
// CHECK-SAME: %[[X:.*]]: tensor<?x8x8x4xf32>, %[[G:.*]]: tensor<?x8x8x16xf32>
// CHECK-NOT: linalg.transpose
// CHECK-NOT: kernel.pack
// CHECK: kernel.contract ins(%[[X]], %[[G]] : tensor<?x8x8x4xf32>, tensor<?x8x8x16xf32>)
// CHECK-SAME: a_order = array<i64: 3, 1, 2, 0>, b_order = array<i64: 1, 2, 0, 3>
func.func @filter(%x: tensor<?x8x8x4xf32>, %g: tensor<?x8x8x16xf32>, %n: index) -> tensor<4x3x3x16xf32> {
  %0 = tensor.empty(%n) : tensor<4x8x8x?xf32>
  %t = linalg.transpose ins(%x : tensor<?x8x8x4xf32>) outs(%0 : tensor<4x8x8x?xf32>) permutation = [3, 1, 2, 0]
  %1 = tensor.empty(%n) : tensor<8x8x?x16xf32>
  %u = linalg.transpose ins(%g : tensor<?x8x8x16xf32>) outs(%1 : tensor<8x8x?x16xf32>) permutation = [1, 2, 0, 3]
  %2 = tensor.empty(%n) : tensor<1x1x8x8x?x16xf32>
  %p = kernel.pack ins(%u : tensor<8x8x?x16xf32>) outs(%2 : tensor<1x1x8x8x?x16xf32>) {spatial = 2 : i64}
      -> tensor<1x1x8x8x?x16xf32>
  %3 = tensor.empty() : tensor<4x3x3x16xf32>
  %r = kernel.contract ins(%t, %p : tensor<4x8x8x?xf32>, tensor<1x1x8x8x?x16xf32>) outs(%3 : tensor<4x3x3x16xf32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1>,
      input_dilation = array<i64: 1, 1>} -> tensor<4x3x3x16xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return %r : tensor<4x3x3x16xf32>
}

// A convolution: its filter does not lie as the op reads it.
// CHECK-LABEL: func.func @convolution
// CHECK: kernel.pack
func.func @convolution(%x: tensor<2x8x8x4xf32>, %w: tensor<3x3x4x16xf32>) -> tensor<2x8x8x16xf32> {
  %2 = tensor.empty() : tensor<1x1x3x3x4x16xf32>
  %p = kernel.pack ins(%w : tensor<3x3x4x16xf32>) outs(%2 : tensor<1x1x3x3x4x16xf32>) {spatial = 2 : i64}
      -> tensor<1x1x3x3x4x16xf32>
  %3 = tensor.empty() : tensor<2x8x8x16xf32>
  %r = kernel.contract ins(%x, %p : tensor<2x8x8x4xf32>, tensor<1x1x3x3x4x16xf32>) outs(%3 : tensor<2x8x8x16xf32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = array<i64: 1, 1>,
      input_dilation = array<i64: 1, 1>} -> tensor<2x8x8x16xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return %r : tensor<2x8x8x16xf32>
}
