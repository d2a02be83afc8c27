// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @poisson
// CHECK: graph.random_poisson %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<1xi32>, tensor<3xf32>, tensor<1xui64>, tensor<2xui64>) -> tensor<4x3xf32>
func.func @poisson(%rate: tensor<3xf32>, %key: tensor<1xui64>, %counter: tensor<2xui64>) -> tensor<4x3xf32> {
  %s = graph.constant dense<4> : tensor<1xi32>
  %r = graph.random_poisson %s, %rate, %key, %counter : (tensor<1xi32>, tensor<3xf32>, tensor<1xui64>, tensor<2xui64>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @boxes
// CHECK: graph.non_max_suppression %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} :
func.func @boxes(%b: tensor<9x4xf32>, %s: tensor<9xf32>, %n: tensor<i32>, %x: tensor<f32>) -> (tensor<?xi32>, tensor<?xf32>) {
  %0:2 = graph.non_max_suppression %b, %s, %n, %x, %x, %x : (tensor<9x4xf32>, tensor<9xf32>, tensor<i32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<?xi32>, tensor<?xf32>)
  return %0#0, %0#1 : tensor<?xi32>, tensor<?xf32>
}
