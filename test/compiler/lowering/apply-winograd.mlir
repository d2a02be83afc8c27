// RUN: %tenon-opt %s --split-input-file --apply-winograd --canonicalize --mlir-elide-resource-strings-if-larger=64 | FileCheck %s

#constant = dense<1.0> : tensor<3x3x64x64xf32>

module attributes {tenon.fast_math} {
  // A constant filter is transformed now.
  // CHECK-LABEL: func.func @constant
  // CHECK: %[[U:.*]] = arith.constant dense_resource<winograd> : tensor<6x6x64x64xf32>
  // CHECK: %[[P:.*]] = kernel.pack ins(%[[U]] : tensor<6x6x64x64xf32>) outs({{.*}} : tensor<1x4x6x6x64x16xf32>) {spatial = 2 : i64}
  // CHECK: kernel.contract ins(%{{.*}}, %[[P]]
  // CHECK-SAME: winograd = 4 : i64
  func.func @constant(%x: tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32> {
    %w = arith.constant #constant
    %0 = tensor.empty() : tensor<1x4x3x3x64x16xf32>
    %p = kernel.pack ins(%w : tensor<3x3x64x64xf32>) outs(%0 : tensor<1x4x3x3x64x16xf32>) {spatial = 2 : i64}
        -> tensor<1x4x3x3x64x16xf32>
    %1 = tensor.empty() : tensor<1x56x56x64xf32>
    %r = kernel.contract ins(%x, %p : tensor<1x56x56x64xf32>, tensor<1x4x3x3x64x16xf32>)
        outs(%1 : tensor<1x56x56x64xf32>) attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
        padding = array<i64: 1, 1>, input_dilation = array<i64: 1, 1>} -> tensor<1x56x56x64xf32> {
    ^bb0(%sum: f32):
      kernel.yield %sum : f32
    }
    return %r : tensor<1x56x56x64xf32>
  }

  // A variable's is transformed at run time, by a product; backwards where the
  // window ran backwards.
  // CHECK-LABEL: func.func @variable
  // CHECK-SAME: %[[W:[a-z0-9]+]]: tensor<3x3x64x32xf32>
  // CHECK: %[[R:.*]] = tensor.collapse_shape %[[W]] {{\[}}[0, 1], [2, 3]] : tensor<3x3x64x32xf32> into tensor<9x2048xf32>
  // CHECK: %[[M:.*]] = kernel.contract ins(%{{.*}}, %[[R]] : tensor<36x9xf32>, tensor<9x2048xf32>)
  // CHECK-SAME: b_order = array<i64: 0, 1>
  // CHECK: %[[E:.*]] = tensor.expand_shape %[[M]]
  // CHECK: kernel.pack ins(%[[E]] : tensor<6x6x64x32xf32>)
  // CHECK-SAME: {spatial = 2 : i64, transpose_b}
  // CHECK: winograd = 4 : i64
  func.func @variable(%x: tensor<?x32x32x32xf32>, %w: tensor<3x3x64x32xf32>, %n: index) -> tensor<?x32x32x64xf32> {
    %0 = tensor.empty() : tensor<1x4x3x3x32x16xf32>
    %p = kernel.pack ins(%w : tensor<3x3x64x32xf32>) outs(%0 : tensor<1x4x3x3x32x16xf32>)
        {reverse, spatial = 2 : i64, transpose_b} -> tensor<1x4x3x3x32x16xf32>
    %1 = tensor.empty(%n) : tensor<?x32x32x64xf32>
    %r = kernel.contract ins(%x, %p : tensor<?x32x32x32xf32>, tensor<1x4x3x3x32x16xf32>)
        outs(%1 : tensor<?x32x32x64xf32>) attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
        padding = array<i64: 1, 1>, input_dilation = array<i64: 1, 1>} -> tensor<?x32x32x64xf32> {
    ^bb0(%sum: f32):
      kernel.yield %sum : f32
    }
    return %r : tensor<?x32x32x64xf32>
  }

  // Strides leave nothing to gain.
  // CHECK-LABEL: func.func @strided
  // CHECK-NOT: winograd =
  func.func @strided(%x: tensor<1x56x56x64xf32>) -> tensor<1x28x28x64xf32> {
    %w = arith.constant #constant
    %0 = tensor.empty() : tensor<1x4x3x3x64x16xf32>
    %p = kernel.pack ins(%w : tensor<3x3x64x64xf32>) outs(%0 : tensor<1x4x3x3x64x16xf32>) {spatial = 2 : i64}
        -> tensor<1x4x3x3x64x16xf32>
    %1 = tensor.empty() : tensor<1x28x28x64xf32>
    %r = kernel.contract ins(%x, %p : tensor<1x56x56x64xf32>, tensor<1x4x3x3x64x16xf32>)
        outs(%1 : tensor<1x28x28x64xf32>) attributes {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0>, input_dilation = array<i64: 1, 1>} -> tensor<1x28x28x64xf32> {
    ^bb0(%sum: f32):
      kernel.yield %sum : f32
    }
    return %r : tensor<1x28x28x64xf32>
  }
}

// -----

// Nobody said that NaN and Inf do not matter.
// CHECK-LABEL: func.func @exact
// CHECK-NOT: winograd =
func.func @exact(%x: tensor<1x56x56x64xf32>, %w: tensor<3x3x64x64xf32>) -> tensor<1x56x56x64xf32> {
  %0 = tensor.empty() : tensor<1x4x3x3x64x16xf32>
  %p = kernel.pack ins(%w : tensor<3x3x64x64xf32>) outs(%0 : tensor<1x4x3x3x64x16xf32>) {spatial = 2 : i64}
      -> tensor<1x4x3x3x64x16xf32>
  %1 = tensor.empty() : tensor<1x56x56x64xf32>
  %r = kernel.contract ins(%x, %p : tensor<1x56x56x64xf32>, tensor<1x4x3x3x64x16xf32>)
      outs(%1 : tensor<1x56x56x64xf32>) attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      padding = array<i64: 1, 1>, input_dilation = array<i64: 1, 1>} -> tensor<1x56x56x64xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return %r : tensor<1x56x56x64xf32>
}
