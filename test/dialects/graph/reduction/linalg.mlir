// RUN: %tenon-opt %s --graph-to-linalg | FileCheck %s

// A sum may be reassociated; that is what lets it vectorise.
// CHECK-LABEL: func.func @sum
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]
// CHECK: arith.addf %{{.*}} fastmath<reassoc> : f32
func.func @sum(%a: tensor<?x8xf32> {graph.name = "a", graph.dims = ["n", "8"]})
    -> (tensor<?xf32> {graph.name = "r"}) attributes {graph.entry} {
  %0 = graph.reduce_sum %a {axes = array<i64: 1>} : (tensor<?x8xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// Half floats accumulate in f32.
// CHECK-LABEL: func.func @half
// CHECK: linalg.fill {{.*}} -> tensor<f32>
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @half(%a: tensor<8xf16> {graph.name = "a", graph.dims = ["8"]})
    -> (tensor<f16> {graph.name = "r"}) attributes {graph.entry} {
  %0 = graph.reduce_sum %a {axes = array<i64: 0>} : (tensor<8xf16>) -> tensor<f16>
  return %0 : tensor<f16>
}

// Dimensions that are kept come back by a reshape.
// CHECK-LABEL: func.func @kept
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "reduction", "parallel"]
// CHECK: arith.maximumf
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0, 1], [2]{{\]}}
func.func @kept(%a: tensor<2x5x3xf32> {graph.name = "a", graph.dims = ["2", "5", "3"]})
    -> (tensor<2x1x3xf32> {graph.name = "r"}) attributes {graph.entry} {
  %0 = graph.reduce_max %a {axes = array<i64: 1>, keep_dims = true} : (tensor<2x5x3xf32>) -> tensor<2x1x3xf32>
  return %0 : tensor<2x1x3xf32>
}

// A scan is one loop along its axis.
// CHECK-LABEL: func.func @scan
// CHECK: scf.for
// CHECK: tensor.extract_slice
// CHECK: linalg.generic
// CHECK: tensor.insert_slice
func.func @scan(%a: tensor<4x?xf32> {graph.name = "a", graph.dims = ["4", "n"]})
    -> (tensor<4x?xf32> {graph.name = "r"}) attributes {graph.entry} {
  %0 = graph.cumsum %a {axis = 0 : i64} : (tensor<4x?xf32>) -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}
