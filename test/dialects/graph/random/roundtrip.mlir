// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @random
func.func @random(%shape: tensor<2xi32>, %seed: tensor<2xi64>, %low: tensor<i32>) {
  // CHECK: graph.random_key
  %key, %counter = graph.random_key %seed : (tensor<2xi64>) -> (tensor<1xui64>, tensor<2xui64>)
  // CHECK: graph.random_uniform %
  %0 = graph.random_uniform %shape, %key, %counter : (tensor<2xi32>, tensor<1xui64>, tensor<2xui64>) -> tensor<?x?xf32>
  // CHECK: graph.random_normal %
  %1 = graph.random_normal %shape, %key, %counter : (tensor<2xi32>, tensor<1xui64>, tensor<2xui64>) -> tensor<?x?xf64>
  // CHECK: graph.random_truncated_normal %
  %2 = graph.random_truncated_normal %shape, %key, %counter : (tensor<2xi32>, tensor<1xui64>, tensor<2xui64>) -> tensor<?x?xf16>
  // CHECK: graph.random_uniform_int %
  %3 = graph.random_uniform_int %shape, %key, %counter, %low, %low
      : (tensor<2xi32>, tensor<1xui64>, tensor<2xui64>, tensor<i32>, tensor<i32>) -> tensor<?x?xi32>
  // CHECK: graph.random_skip %
  %4 = graph.random_skip %counter, %shape : (tensor<2xui64>, tensor<2xi32>) -> tensor<2xui64>
  return
}
