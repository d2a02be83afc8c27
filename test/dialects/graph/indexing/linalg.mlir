// RUN: %tenon-opt %s --graph-to-linalg --canonicalize --cse | FileCheck %s

// x[:, 1:] and x[:, :-1] are of one size, whatever it is: nothing to check.
// CHECK-LABEL: func.func @differences
// CHECK-COUNT-2: tensor.extract_slice
// CHECK-NOT: cf.assert
// CHECK: linalg.generic
// CHECK: arith.addf
func.func @differences(%x: tensor<2x?xf32> {graph.name = "x", graph.dims = ["2", "n"]})
    -> (tensor<2x?xf32> {graph.name = "r"}) attributes {graph.entry} {
  %zero = graph.constant dense<0> : tensor<2xi32>
  %one = graph.constant dense<1> : tensor<2xi32>
  %tail = graph.constant dense<[0, 1]> : tensor<2xi32>
  %head = graph.constant dense<[0, -1]> : tensor<2xi32>
  %a = graph.strided_slice %x, %tail, %zero, %one {begin_mask = 1 : i64, end_mask = 3 : i64} : (tensor<2x?xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<2x?xf32>
  %b = graph.strided_slice %x, %zero, %head, %one {begin_mask = 3 : i64, end_mask = 1 : i64} : (tensor<2x?xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<2x?xf32>
  %r = graph.add %a, %b : (tensor<2x?xf32>, tensor<2x?xf32>) -> tensor<2x?xf32>
  return %r : tensor<2x?xf32>
}

// Indices are checked by one reduction, and clamped.
// CHECK-LABEL: func.func @lookup
// CHECK: linalg.generic {{.*}}iterator_types = ["reduction"]
// CHECK: cf.assert %{{.*}}, "index is out of range"
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]
// CHECK: arith.minsi
// CHECK: tensor.extract
func.func @lookup(%x: tensor<9x4xf32> {graph.name = "x", graph.dims = ["9", "4"]},
                  %i: tensor<?xi32> {graph.name = "i", graph.dims = ["n"]})
    -> (tensor<?x4xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.gather %x, %i : (tensor<9x4xf32>, tensor<?xi32>) -> tensor<?x4xf32>
  return %r : tensor<?x4xf32>
}

// Known indices need neither.
// CHECK-LABEL: func.func @known
// CHECK-NOT: cf.assert
// CHECK-NOT: arith.minsi
// CHECK: tensor.extract
func.func @known(%x: tensor<9x4xf32> {graph.name = "x", graph.dims = ["9", "4"]})
    -> (tensor<2x4xf32> {graph.name = "r"}) attributes {graph.entry} {
  %i = graph.constant dense<[0, 8]> : tensor<2xi32>
  %r = graph.gather %x, %i : (tensor<9x4xf32>, tensor<2xi32>) -> tensor<2x4xf32>
  return %r : tensor<2x4xf32>
}
