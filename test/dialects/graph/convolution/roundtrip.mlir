// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @conv
// CHECK: graph.conv %{{.*}} {padding = "SAME", strides = array<i64: 2, 2>} :
func.func @conv(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x16xf32>) -> (tensor<1x4x4x16xf32>) {
  %r = graph.conv %x, %w {strides = array<i64: 2, 2>, padding = "SAME"} : (tensor<1x8x8x3xf32>, tensor<3x3x3x16xf32>) -> tensor<1x4x4x16xf32>
  return %r : tensor<1x4x4x16xf32>
}

// CHECK-LABEL: func.func @depthwise_conv
// CHECK: graph.depthwise_conv %{{.*}} {padding = "SAME"} :
func.func @depthwise_conv(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x2xf32>) -> (tensor<1x8x8x6xf32>) {
  %r = graph.depthwise_conv %x, %w {padding = "SAME"} : (tensor<1x8x8x3xf32>, tensor<3x3x3x2xf32>) -> tensor<1x8x8x6xf32>
  return %r : tensor<1x8x8x6xf32>
}

// CHECK-LABEL: func.func @conv_transpose
// CHECK: graph.conv_transpose %{{.*}} {padding = "SAME", strides = array<i64: 2, 2>} :
func.func @conv_transpose(%x: tensor<1x4x4x16xf32>, %w: tensor<3x3x3x16xf32>) -> (tensor<1x8x8x3xf32>) {
  %s = graph.constant dense<[1, 8, 8, 3]> : tensor<4xi32>
  %r = graph.conv_transpose %x, %w, %s {strides = array<i64: 2, 2>, padding = "SAME"} : (tensor<1x4x4x16xf32>, tensor<3x3x3x16xf32>, tensor<4xi32>) -> tensor<1x8x8x3xf32>
  return %r : tensor<1x8x8x3xf32>
}
