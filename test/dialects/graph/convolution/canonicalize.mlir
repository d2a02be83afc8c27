// RUN: %tenon-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @joined
// CHECK-NOT: graph.pad
// CHECK: graph.conv %{{.*}} {explicit_padding = array<i64: 3, 2, 3, 3>, padding = "EXPLICIT", strides = array<i64: 2, 2>}
func.func @joined(%x: tensor<1x8x8x3xf32>, %w: tensor<7x7x3x4xf32>) -> tensor<1x4x4x4xf32> {
  %p = graph.constant dense<[[0, 0], [3, 2], [3, 3], [0, 0]]> : tensor<4x2xi32>
  %z = graph.constant dense<0.0> : tensor<f32>
  %0 = graph.pad %x, %p, %z : (tensor<1x8x8x3xf32>, tensor<4x2xi32>, tensor<f32>) -> tensor<1x13x14x3xf32>
  %1 = graph.conv %0, %w {padding = "VALID", strides = array<i64: 2, 2>} : (tensor<1x13x14x3xf32>, tensor<7x7x3x4xf32>) -> tensor<1x4x4x4xf32>
  return %1 : tensor<1x4x4x4xf32>
}

// Other values, and borders around channels, stay.
// CHECK-LABEL: func.func @kept
// CHECK-COUNT-2: graph.pad
func.func @kept(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x1xf32>, %u: tensor<3x3x4x1xf32>)
    -> (tensor<1x8x8x3xf32>, tensor<1x6x6x4xf32>) {
  %p = graph.constant dense<[[0, 0], [1, 1], [1, 1], [0, 0]]> : tensor<4x2xi32>
  %q = graph.constant dense<[[0, 0], [0, 0], [0, 0], [0, 1]]> : tensor<4x2xi32>
  %z = graph.constant dense<0.0> : tensor<f32>
  %o = graph.constant dense<1.0> : tensor<f32>
  %0 = graph.pad %x, %p, %o : (tensor<1x8x8x3xf32>, tensor<4x2xi32>, tensor<f32>) -> tensor<1x10x10x3xf32>
  %1 = graph.depthwise_conv %0, %w {padding = "VALID"} : (tensor<1x10x10x3xf32>, tensor<3x3x3x1xf32>) -> tensor<1x8x8x3xf32>
  %2 = graph.pad %x, %q, %z : (tensor<1x8x8x3xf32>, tensor<4x2xi32>, tensor<f32>) -> tensor<1x8x8x4xf32>
  %3 = graph.depthwise_conv %2, %u {padding = "VALID"} : (tensor<1x8x8x4xf32>, tensor<3x3x4x1xf32>) -> tensor<1x6x6x4xf32>
  return %1, %3 : tensor<1x8x8x3xf32>, tensor<1x6x6x4xf32>
}
