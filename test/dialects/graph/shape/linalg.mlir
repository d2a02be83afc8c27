// RUN: %tenon-opt %s --graph-to-linalg --canonicalize --cse | FileCheck %s

// Shape arithmetic on a known rank leaves nothing behind but the reshape.
// CHECK-LABEL: func.func @flatten
// CHECK-NOT: tensor.from_elements
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0], [1, 2]] : tensor<?x3x4xf32> into tensor<?x12xf32>
// CHECK-NOT: cf.assert
func.func @flatten(%x: tensor<?x3x4xf32> {graph.name = "x", graph.dims = ["n", "3", "4"]})
    -> (tensor<?x12xf32> {graph.name = "r"}) attributes {graph.entry} {
  %s = graph.shape_of %x : (tensor<?x3x4xf32>) -> tensor<3xi32>
  %z = graph.constant dense<0> : tensor<1xi32>
  %o = graph.constant dense<1> : tensor<1xi32>
  %b = graph.strided_slice %s, %z, %o, %o {shrink_axis_mask = 1 : i64} : (tensor<3xi32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<i32>
  %c = graph.constant dense<12> : tensor<i32>
  %p = graph.pack %b, %c : (tensor<i32>, tensor<i32>) -> tensor<2xi32>
  %r = graph.reshape %x, %p : (tensor<?x3x4xf32>, tensor<2xi32>) -> tensor<?x12xf32>
  return %r : tensor<?x12xf32>
}

// The same symbol on both sides: nothing to check.
// CHECK-LABEL: func.func @restored
// CHECK-NOT: cf.assert
// CHECK: tensor.expand_shape
// CHECK: return
func.func @restored(%x: tensor<?x?x6xf32> {graph.name = "x", graph.dims = ["n", "t", "6"]})
    -> (tensor<?x?x2x3xf32> {graph.name = "r"}) attributes {graph.entry} {
  %s = graph.shape_of %x : (tensor<?x?x6xf32>) -> tensor<3xi32>
  %z = graph.constant dense<0> : tensor<1xi32>
  %t = graph.constant dense<2> : tensor<1xi32>
  %o = graph.constant dense<1> : tensor<1xi32>
  %front = graph.strided_slice %s, %z, %t, %o : (tensor<3xi32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<2xi32>
  %back = graph.constant dense<[2, 3]> : tensor<2xi32>
  %p = graph.concat %front, %back {axis = 0 : i64} : (tensor<2xi32>, tensor<2xi32>) -> tensor<4xi32>
  %r = graph.reshape %x, %p : (tensor<?x?x6xf32>, tensor<4xi32>) -> tensor<?x?x2x3xf32>
  return %r : tensor<?x?x2x3xf32>
}

// A shape that only the run knows is checked, and cut to fit all the same.
// CHECK-LABEL: func.func @unknown
// CHECK: cf.assert %{{.*}}, "the shape does not fit the number of elements"
// CHECK: tensor.insert_slice
// CHECK: tensor.expand_shape
func.func @unknown(%x: tensor<6xf32> {graph.name = "x", graph.dims = ["6"]},
                   %s: tensor<2xi32> {graph.name = "s", graph.dims = ["2"]})
    -> (tensor<?x?xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.reshape %x, %s : (tensor<6xf32>, tensor<2xi32>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// Parts go straight to their places.
// CHECK-LABEL: func.func @parts
// CHECK: %[[D:.*]] = tensor.empty(%{{.*}}) : tensor<?x5xf32>
// CHECK: %[[F:.*]] = tensor.insert_slice %{{.*}} into %[[D]][0, 0] [%{{.*}}, 2] [1, 1]
// CHECK: tensor.insert_slice %{{.*}} into %[[F]][0, 2] [%{{.*}}, 3] [1, 1]
func.func @parts(%a: tensor<?x2xf32> {graph.name = "a", graph.dims = ["n", "2"]},
                 %b: tensor<?x3xf32> {graph.name = "b", graph.dims = ["n", "3"]})
    -> (tensor<?x5xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.concat %a, %b {axis = 1 : i64} : (tensor<?x2xf32>, tensor<?x3xf32>) -> tensor<?x5xf32>
  return %r : tensor<?x5xf32>
}
