// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @special
// CHECK: graph.betainc %{{.*}}, %{{.*}}, %{{.*}} : (tensor<3xf64>, tensor<f64>, tensor<2x1xf64>) -> tensor<2x3xf64>
// CHECK: graph.polygamma {{.*}} -> tensor<3xf64>
func.func @special(%a: tensor<3xf64>, %b: tensor<f64>, %x: tensor<2x1xf64>) {
  %r = graph.betainc %a, %b, %x : (tensor<3xf64>, tensor<f64>, tensor<2x1xf64>) -> tensor<2x3xf64>
  %p = graph.polygamma %b, %a : (tensor<f64>, tensor<3xf64>) -> tensor<3xf64>
  return
}

// CHECK-LABEL: func.func @draw
// CHECK: graph.random_gamma {{.*}} -> (tensor<4x3xf32>, tensor<2xui64>)
// CHECK: graph.random_truncated {{.*}} {stateless} : {{.*}} -> (tensor<4xf32>, tensor<2xui64>)
func.func @draw(%alpha: tensor<3xf32>, %m: tensor<f32>, %key: tensor<1xui64>, %counter: tensor<2xui64>) {
  %s = graph.constant dense<4> : tensor<1xi32>
  %r:2 = graph.random_gamma %s, %alpha, %key, %counter : (tensor<1xi32>, tensor<3xf32>, tensor<1xui64>, tensor<2xui64>) -> (tensor<4x3xf32>, tensor<2xui64>)
  %t:2 = graph.random_truncated %s, %m, %m, %m, %m, %key, %counter {stateless}
      : (tensor<1xi32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<1xui64>, tensor<2xui64>) -> (tensor<4xf32>, tensor<2xui64>)
  return
}
