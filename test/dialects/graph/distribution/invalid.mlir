// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @shapes(%a: tensor<3xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{operands do not broadcast}}
  %r = graph.zeta %a, %b : (tensor<3xf32>, tensor<4xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @parameters(%m: tensor<2x2xf32>, %s: tensor<f32>, %key: tensor<1xui64>, %counter: tensor<2xui64>) {
  %n = graph.constant dense<4> : tensor<1xi32>
  // expected-error@+1 {{a parameter has shape 2x2, expected a scalar or a vector}}
  %t:2 = graph.random_truncated %n, %m, %s, %s, %s, %key, %counter
      : (tensor<1xi32>, tensor<2x2xf32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<1xui64>, tensor<2xui64>) -> (tensor<4xf32>, tensor<2xui64>)
  return
}

// -----

func.func @counter(%alpha: tensor<3xf32>, %key: tensor<1xui64>, %counter: tensor<3xui64>) {
  %n = graph.constant dense<4> : tensor<1xi32>
  // expected-error@+1 {{counter has shape 3, expected 2 elements}}
  %r:2 = graph.random_gamma %n, %alpha, %key, %counter : (tensor<1xi32>, tensor<3xf32>, tensor<1xui64>, tensor<3xui64>) -> (tensor<4x3xf32>, tensor<2xui64>)
  return
}

// -----

func.func @function(%a: tensor<3xf32>) {
  // expected-error@+1 {{there is no function 'sine'}}
  %r = graph.special_function %a {function = "sine"} : (tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @classes(%c: tensor<3xi64>, %key: tensor<1xui64>, %counter: tensor<2xui64>) {
  // expected-error@+1 {{there are only 7 classes to draw 8 different ones from}}
  %s:4 = graph.candidate_sampler %c, %key, %counter {number = 8 : i64, range = 7 : i64, unique} : (tensor<3xi64>, tensor<1xui64>, tensor<2xui64>) -> (tensor<8xi64>, tensor<3xf32>, tensor<8xf32>, tensor<2xui64>)
  return
}
