// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @boxes(%b: tensor<9x3xf32>, %s: tensor<9xf32>, %n: tensor<i32>, %x: tensor<f32>) {
  // expected-error@+1 {{numbers of a box and 4 differ: 3 and 4}}
  %0:2 = graph.non_max_suppression %b, %s, %n, %x, %x, %x : (tensor<9x3xf32>, tensor<9xf32>, tensor<i32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<?xi32>, tensor<?xf32>)
  return
}

// -----

func.func @scores(%b: tensor<9x4xf32>, %s: tensor<8xf32>, %n: tensor<i32>, %x: tensor<f32>) {
  // expected-error@+1 {{boxes and scores differ: 9 and 8}}
  %0:2 = graph.non_max_suppression %b, %s, %n, %x, %x, %x : (tensor<9x4xf32>, tensor<8xf32>, tensor<i32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<?xi32>, tensor<?xf32>)
  return
}

// -----

func.func @count(%key: tensor<1xui64>, %counter: tensor<2xui64>) {
  %n = graph.constant dense<-1> : tensor<i64>
  // expected-error@+1 {{count -1 is negative}}
  %r = graph.random_permutation %n, %key, %counter : (tensor<i64>, tensor<1xui64>, tensor<2xui64>) -> tensor<?xi64>
  return
}
