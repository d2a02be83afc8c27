// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @sampling
// CHECK: graph.resize_area %{{.*}}, %{{.*}} {align_corners} : (tensor<2x5x7x3xui8>, tensor<2xi32>) -> tensor<2x3x4x3xf32>
// CHECK: graph.scale_translate {{.*}}kernel = "box"
func.func @sampling(%x: tensor<2x5x7x3xui8>, %s: tensor<2xf32>, %t: tensor<2xf32>) -> (tensor<2x3x4x3xf32>, tensor<2x3x4x3xf32>) {
  %size = graph.constant dense<[3, 4]> : tensor<2xi32>
  %a = graph.resize_area %x, %size {align_corners} : (tensor<2x5x7x3xui8>, tensor<2xi32>) -> tensor<2x3x4x3xf32>
  %b = graph.scale_translate %x, %size, %s, %t {kernel = "box"} : (tensor<2x5x7x3xui8>, tensor<2xi32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2x3x4x3xf32>
  return %a, %b : tensor<2x3x4x3xf32>, tensor<2x3x4x3xf32>
}

// Windows of 3 and 5 elements, every second one.
// CHECK-LABEL: func.func @dilation
// CHECK: graph.dilation {{.*}} -> tensor<?x4x3x1xf32>
// CHECK: graph.dilation {{.*}}same{{.*}} -> tensor<?x5x3x1xf32>
// CHECK: graph.dilation_filter_grad {{.*}} -> tensor<3x3x1xf32>
func.func @dilation(%x: tensor<?x10x9x1xf32>, %f: tensor<3x3x1xf32>, %g: tensor<?x4x3x1xf32>) {
  %a = graph.dilation %x, %f {rates = array<i64: 1, 2>, strides = array<i64: 2, 2>} : (tensor<?x10x9x1xf32>, tensor<3x3x1xf32>) -> tensor<?x4x3x1xf32>
  %b = graph.dilation %x, %f {rates = array<i64: 1, 2>, strides = array<i64: 2, 3>, same} : (tensor<?x10x9x1xf32>, tensor<3x3x1xf32>) -> tensor<?x5x3x1xf32>
  %c = graph.dilation_filter_grad %x, %f, %g {rates = array<i64: 1, 2>, strides = array<i64: 2, 2>} : (tensor<?x10x9x1xf32>, tensor<3x3x1xf32>, tensor<?x4x3x1xf32>) -> tensor<3x3x1xf32>
  return
}
