// RUN: %tenon-opt %s --fold-shapes | FileCheck %s

// With static sizes the chain of a flattening layer is one constant.
// CHECK-LABEL: func.func @flatten
// CHECK-NOT: graph.shape_of
// CHECK: graph.reshape %{{.*}} -> tensor<2x12xf32>
func.func @flatten(%x: tensor<2x3x4xf32>) -> tensor<?x?xf32> attributes {graph.entry} {
  %s = graph.shape_of %x : (tensor<2x3x4xf32>) -> tensor<3xi32>
  %i = graph.constant dense<0> : tensor<i32>
  %n = graph.gather %s, %i {axis = 0 : i64, batch_dims = 0 : i64} : (tensor<3xi32>, tensor<i32>) -> tensor<i32>
  %m = graph.constant dense<-1> : tensor<i32>
  %t = graph.pack %n, %m {axis = 0 : i64} : (tensor<i32>, tensor<i32>) -> tensor<2xi32>
  %r = graph.reshape %x, %t : (tensor<2x3x4xf32>, tensor<2xi32>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// An unknown batch stays a size of its own: both operands have the same.
// CHECK-LABEL: func.func @batch
// CHECK: graph.reshape %{{.*}} -> tensor<?x12xf32>
func.func @batch(%x: tensor<?x3x4xf32>) -> tensor<?x?xf32> attributes {graph.entry} {
  %t = graph.constant dense<[-1, 12]> : tensor<2xi32>
  %r = graph.reshape %x, %t : (tensor<?x3x4xf32>, tensor<2xi32>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}
