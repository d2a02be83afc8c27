// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @reduce
func.func @reduce(%a: tensor<2x?x3xf32>, %p: tensor<2x3xi1>) {
  // CHECK: graph.reduce_sum %{{.*}} {axes = array<i64: 1>}
  %0 = graph.reduce_sum %a {axes = array<i64: 1>} : (tensor<2x?x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.reduce_mean %{{.*}} {axes = array<i64: 0, 1>, keep_dims = true}
  %1 = graph.reduce_mean %a {axes = array<i64: 0, 1>, keep_dims = true} : (tensor<2x?x3xf32>) -> tensor<1x1x3xf32>
  // CHECK: graph.reduce_prod
  %2 = graph.reduce_prod %a {axes = array<i64: 2>} : (tensor<2x?x3xf32>) -> tensor<2x?xf32>
  // CHECK: graph.reduce_max
  %3 = graph.reduce_max %a {axes = array<i64>} : (tensor<2x?x3xf32>) -> tensor<2x?x3xf32>
  // CHECK: graph.reduce_min
  %4 = graph.reduce_min %a {axes = array<i64: 0, 1, 2>} : (tensor<2x?x3xf32>) -> tensor<f32>
  // CHECK: graph.reduce_all
  %5 = graph.reduce_all %p {axes = array<i64: 1>} : (tensor<2x3xi1>) -> tensor<2xi1>
  // CHECK: graph.reduce_any
  %6 = graph.reduce_any %p {axes = array<i64: 1>} : (tensor<2x3xi1>) -> tensor<2xi1>
  return
}

// CHECK-LABEL: func.func @positions
func.func @positions(%a: tensor<2x3xf32>) {
  // CHECK: graph.argmax %{{.*}} {axis = 1 : i64}
  %0 = graph.argmax %a {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<2xi64>
  // CHECK: graph.argmin
  %1 = graph.argmin %a {axis = 0 : i64} : (tensor<2x3xf32>) -> tensor<3xi32>
  return
}

// CHECK-LABEL: func.func @scans
func.func @scans(%a: tensor<2x3xf32>) {
  // CHECK: graph.cumsum %{{.*}} {axis = -1 : i64, reverse = true}
  %0 = graph.cumsum %a {axis = -1 : i64, reverse = true} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.cumprod %{{.*}} {axis = 0 : i64, exclusive = true}
  %1 = graph.cumprod %a {axis = 0 : i64, exclusive = true} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.cumlogsumexp
  %2 = graph.cumlogsumexp %a {axis = 0 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}
