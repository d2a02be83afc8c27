// RUN: %tenon-opt %s --graph-to-linalg | FileCheck %s

// Dimensions of size 1 are dropped from the operand, not spelt out.
// CHECK-DAG: #[[ID:.+]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.+]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func @broadcast
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ROW]], #[[ID]]], iterator_types = ["parallel", "parallel"]}
// CHECK: arith.addf
func.func @broadcast(%a: tensor<?x3xf32> {graph.name = "a", graph.dims = ["n", "3"]},
                     %b: tensor<1x3xf32> {graph.name = "b", graph.dims = ["1", "3"]})
    -> (tensor<?x3xf32> {graph.name = "r"}) attributes {graph.entry} {
  %0 = graph.add %a, %b : (tensor<?x3xf32>, tensor<1x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// Equal symbols need no run-time broadcast.
// CHECK-LABEL: func.func @symbols
// CHECK-NOT: tensor.extract
// CHECK: linalg.generic
// CHECK: arith.mulf
func.func @symbols(%a: tensor<?xf32> {graph.name = "a", graph.dims = ["n"]},
                   %b: tensor<?xf32> {graph.name = "b", graph.dims = ["n"]})
    -> (tensor<?xf32> {graph.name = "r"}) attributes {graph.entry} {
  %0 = graph.mul %a, %b : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// Half floats are computed in f32 and rounded once.
// CHECK-LABEL: func.func @half
// CHECK: arith.extf %{{.*}} : bf16 to f32
// CHECK: math.exp %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to bf16
func.func @half(%a: tensor<4xbf16> {graph.name = "a", graph.dims = ["4"]})
    -> (tensor<4xbf16> {graph.name = "r"}) attributes {graph.entry} {
  %0 = graph.exp %a : (tensor<4xbf16>) -> tensor<4xbf16>
  return %0 : tensor<4xbf16>
}

// Division by zero must not trap.
// CHECK-LABEL: func.func @division
// CHECK: %[[SAFE:.+]] = arith.select
// CHECK: arith.divsi %{{.*}}, %[[SAFE]] : i32
func.func @division(%a: tensor<4xi32> {graph.name = "a", graph.dims = ["4"]},
                    %b: tensor<4xi32> {graph.name = "b", graph.dims = ["4"]})
    -> (tensor<4xi32> {graph.name = "r"}) attributes {graph.entry} {
  %0 = graph.trunc_div %a, %b : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// NaN passes through one comparison and one choice.
// CHECK-LABEL: func.func @relu
// CHECK: %[[ZERO:.+]] = arith.constant 0.0
// CHECK: %[[BELOW:.+]] = arith.cmpf ogt, %[[ZERO]], %[[X:.+]] : f32
// CHECK: arith.select %[[BELOW]], %{{.*}}, %[[X]] : f32
func.func @relu(%a: tensor<4xf32> {graph.name = "a", graph.dims = ["4"]})
    -> (tensor<4xf32> {graph.name = "r"}) attributes {graph.entry} {
  %0 = graph.relu %a : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
