// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @max_pool
// CHECK: graph.max_pool %{{.*}} {padding = "VALID", strides = array<i64: 2, 2>, window = array<i64: 2, 2>} :
func.func @max_pool(%x: tensor<1x8x8x3xf32>) -> (tensor<1x4x4x3xf32>) {
  %r = graph.max_pool %x {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"} : (tensor<1x8x8x3xf32>) -> tensor<1x4x4x3xf32>
  return %r : tensor<1x4x4x3xf32>
}

// CHECK-LABEL: func.func @avg_pool
// CHECK: graph.avg_pool %{{.*}} {padding = "VALID", strides = array<i64: 2, 2>, window = array<i64: 2, 2>} :
func.func @avg_pool(%x: tensor<1x8x8x3xf32>) -> (tensor<1x4x4x3xf32>) {
  %r = graph.avg_pool %x {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"} : (tensor<1x8x8x3xf32>) -> tensor<1x4x4x3xf32>
  return %r : tensor<1x4x4x3xf32>
}
