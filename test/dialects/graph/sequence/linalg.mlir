// RUN: %tenon-opt %s --graph-to-linalg --canonicalize --cse | FileCheck %s

// An index is checked, and kept inside of the list all the same.
// CHECK-LABEL: func.func @get
// CHECK: cf.assert %{{.*}}, "index is outside of the list"
// CHECK: arith.maxsi
// CHECK: arith.minsi
// CHECK: tensor.extract_slice %{{.*}}[%{{.*}}, 0] [1, 3] [1, 1] : tensor<4x3xf32> to tensor<3xf32>
func.func @get(%a: tensor<4x3xf32> {graph.name = "a", graph.dims = ["4", "3"]}, %i: tensor<i32> {graph.name = "i"})
    -> (tensor<3xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.list_get_item %a, %i : (tensor<4x3xf32>, tensor<i32>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// CHECK-LABEL: func.func @set
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[%{{.*}}, 0] [1, 3] [1, 1] : tensor<3xf32> into tensor<4x3xf32>
func.func @set(%a: tensor<4x3xf32> {graph.name = "a", graph.dims = ["4", "3"]}, %i: tensor<i32> {graph.name = "i"},
               %x: tensor<3xf32> {graph.name = "x", graph.dims = ["3"]})
    -> (tensor<4x3xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.list_set_item %a, %i, %x : (tensor<4x3xf32>, tensor<i32>, tensor<3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}
