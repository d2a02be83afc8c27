// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @softmax
func.func @softmax(%x: tensor<?x10xf32>, %labels: tensor<?x10xf32>, %classes: tensor<?xi64>) {
  // CHECK: graph.softmax %{{.*}} : (tensor<?x10xf32>) -> tensor<?x10xf32>
  %0 = graph.softmax %x : (tensor<?x10xf32>) -> tensor<?x10xf32>
  // CHECK: graph.log_softmax %{{.*}} {axis = 0 : i64}
  %1 = graph.log_softmax %x {axis = 0 : i64} : (tensor<?x10xf32>) -> tensor<?x10xf32>
  // CHECK: graph.softmax_cross_entropy
  %2, %3 = graph.softmax_cross_entropy %x, %labels : (tensor<?x10xf32>, tensor<?x10xf32>) -> (tensor<?xf32>, tensor<?x10xf32>)
  // CHECK: graph.sparse_softmax_cross_entropy
  %4, %5 = graph.sparse_softmax_cross_entropy %x, %classes : (tensor<?x10xf32>, tensor<?xi64>) -> (tensor<?xf32>, tensor<?x10xf32>)
  return
}

// CHECK-LABEL: func.func @norms
func.func @norms(%x: tensor<2x4x4x8xf32>, %c: tensor<8xf32>) {
  // CHECK: graph.batch_norm %{{.*}} {axis = 3 : i64, epsilon = 1.000000e-03 : f32}
  %0 = graph.batch_norm %x, %c, %c, %c, %c {axis = 3 : i64, epsilon = 1.0e-3 : f32}
      : (tensor<2x4x4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x4x4x8xf32>
  // CHECK: graph.batch_norm_training
  %1:4 = graph.batch_norm_training %x, %c, %c {axis = 3 : i64}
      : (tensor<2x4x4x8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<2x4x4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
  // CHECK: graph.batch_norm_grad %{{.*}} {axis = 3 : i64, training = false}
  %2:3 = graph.batch_norm_grad %x, %x, %c, %c, %c {axis = 3 : i64, training = false}
      : (tensor<2x4x4x8xf32>, tensor<2x4x4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> (tensor<2x4x4x8xf32>, tensor<8xf32>, tensor<8xf32>)
  // CHECK: graph.layer_norm
  %3 = graph.layer_norm %x, %c, %c {axis = -1 : i64} : (tensor<2x4x4x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<2x4x4x8xf32>
  // CHECK: graph.lrn %{{.*}} {radius = 2 : i64}
  %4 = graph.lrn %x {radius = 2 : i64} : (tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  return
}
