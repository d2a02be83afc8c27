// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @outside(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{axis 2 is outside [0, 2), the input's rank}}
  %0 = graph.reduce_sum %a {axes = array<i64: 2>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @twice(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{axis 1 is given twice}}
  %0 = graph.reduce_max %a {axes = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @boolean(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{operand #0 must be ranked tensor of 1-bit signless integer values, but got 'tensor<2x3xf32>'}}
  %0 = graph.reduce_all %a {axes = array<i64: 1>} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @position(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{axis 5 is outside [0, 2), the input's rank}}
  %0 = graph.argmax %a {axis = 5 : i64} : (tensor<2x3xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @scan(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{axis -3 is out of range for rank 2}}
  %0 = graph.cumsum %a {axis = -3 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}
