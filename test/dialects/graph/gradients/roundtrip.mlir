// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @conv_filter_grad
// CHECK: graph.conv_filter_grad %{{.*}}, %{{.*}}, %{{.*}} {padding = "SAME", strides = array<i64: 2, 2>} :
func.func @conv_filter_grad(%x: tensor<1x8x8x3xf32>, %dy: tensor<1x4x4x16xf32>) -> (tensor<3x3x3x16xf32>) {
  %s = graph.constant dense<[3, 3, 3, 16]> : tensor<4xi32>
  %r = graph.conv_filter_grad %x, %dy, %s {strides = array<i64: 2, 2>, padding = "SAME"} : (tensor<1x8x8x3xf32>, tensor<1x4x4x16xf32>, tensor<4xi32>) -> tensor<3x3x3x16xf32>
  return %r : tensor<3x3x3x16xf32>
}

// CHECK-LABEL: func.func @depthwise
// CHECK: graph.depthwise_conv_filter_grad
// CHECK: graph.depthwise_conv_transpose
func.func @depthwise(%x: tensor<1x8x8x3xf32>, %dy: tensor<1x8x8x6xf32>, %w: tensor<3x3x3x2xf32>) -> (tensor<3x3x3x2xf32>, tensor<1x8x8x3xf32>) {
  %s = graph.constant dense<[3, 3, 3, 2]> : tensor<4xi32>
  %r = graph.depthwise_conv_filter_grad %x, %dy, %s {padding = "SAME"} : (tensor<1x8x8x3xf32>, tensor<1x8x8x6xf32>, tensor<4xi32>) -> tensor<3x3x3x2xf32>
  %t = graph.constant dense<[1, 8, 8, 3]> : tensor<4xi32>
  %q = graph.depthwise_conv_transpose %dy, %w, %t {padding = "SAME"} : (tensor<1x8x8x6xf32>, tensor<3x3x3x2xf32>, tensor<4xi32>) -> tensor<1x8x8x3xf32>
  return %r, %q : tensor<3x3x3x2xf32>, tensor<1x8x8x3xf32>
}

// CHECK-LABEL: func.func @pools
// CHECK: graph.max_pool_grad %{{.*}}, %{{.*}} {every, padding
// CHECK: graph.max_pool_pick
// CHECK: graph.avg_pool_grad
func.func @pools(%x: tensor<1x8x8x3xf32>, %dy: tensor<1x4x4x3xf32>, %v: tensor<1x8x8x3xi64>) -> (tensor<1x8x8x3xf32>, tensor<1x4x4x3xi64>, tensor<1x8x8x3xf32>) {
  %a = graph.max_pool_grad %x, %dy {every, window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"} : (tensor<1x8x8x3xf32>, tensor<1x4x4x3xf32>) -> tensor<1x8x8x3xf32>
  %b = graph.max_pool_pick %x, %v {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"} : (tensor<1x8x8x3xf32>, tensor<1x8x8x3xi64>) -> tensor<1x4x4x3xi64>
  %s = graph.constant dense<[1, 8, 8, 3]> : tensor<4xi32>
  %c = graph.avg_pool_grad %dy, %s {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"} : (tensor<1x4x4x3xf32>, tensor<4xi32>) -> tensor<1x8x8x3xf32>
  return %a, %b, %c : tensor<1x8x8x3xf32>, tensor<1x4x4x3xi64>, tensor<1x8x8x3xf32>
}

// CHECK-LABEL: func.func @images
// CHECK: graph.mirror_pad_grad %{{.*}}, %{{.*}} {symmetric} :
// CHECK: graph.resize_grad %{{.*}}, %{{.*}} {half_pixel_centers, mode = "bilinear"} :
func.func @images(%a: tensor<8xf32>, %p: tensor<1x2xi32>, %dy: tensor<1x8x8x3xf32>) -> (tensor<?xf32>, tensor<1x4x4x3xf32>) {
  %r = graph.mirror_pad_grad %a, %p {symmetric} : (tensor<8xf32>, tensor<1x2xi32>) -> tensor<?xf32>
  %s = graph.constant dense<[4, 4]> : tensor<2xi32>
  %q = graph.resize_grad %dy, %s {mode = "bilinear", half_pixel_centers} : (tensor<1x8x8x3xf32>, tensor<2xi32>) -> tensor<1x4x4x3xf32>
  return %r, %q : tensor<?xf32>, tensor<1x4x4x3xf32>
}
