// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @counter(%shape: tensor<1xi32>, %key: tensor<1xui64>, %counter: tensor<3xui64>) {
  // expected-error@+1 {{counter has shape 3, expected 2 elements}}
  %0 = graph.random_uniform %shape, %key, %counter : (tensor<1xi32>, tensor<1xui64>, tensor<3xui64>) -> tensor<?xf32>
  return
}

// -----

func.func @size(%key: tensor<1xui64>, %counter: tensor<2xui64>) {
  %shape = graph.constant dense<-4> : tensor<1xi32>
  // expected-error@+1 {{size -4 is negative}}
  %0 = graph.random_normal %shape, %key, %counter : (tensor<1xi32>, tensor<1xui64>, tensor<2xui64>) -> tensor<?xf32>
  return
}

// -----

func.func @width(%shape: tensor<1xi32>, %key: tensor<1xui64>, %counter: tensor<2xui64>, %low: tensor<i8>) {
  // expected-error@+1 {{makes integers of 32 or 64 bits, not of 8}}
  %0 = graph.random_uniform_int %shape, %key, %counter, %low, %low
      : (tensor<1xi32>, tensor<1xui64>, tensor<2xui64>, tensor<i8>, tensor<i8>) -> tensor<?xi8>
  return
}
