// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @window(%a: tensor<1x8x8x3xf32>) {
  // expected-error@+1 {{operand of shape 1x8x8x3 does not have 1 spatial dimensions}}
  %0 = graph.max_pool %a {padding = "SAME", window = array<i64: 2>} : (tensor<1x8x8x3xf32>) -> tensor<1x8x8x3xf32>
  return
}

// -----

func.func @integers(%a: tensor<1x8x8x3xi32>) {
  // expected-error@+1 {{means of integers are not defined}}
  %0 = graph.avg_pool %a {padding = "SAME", window = array<i64: 2, 2>} : (tensor<1x8x8x3xi32>) -> tensor<1x8x8x3xi32>
  return
}

// -----

func.func @explicit(%a: tensor<1x8x8x3xf32>) {
  // expected-error@+1 {{explicit_padding needs two elements per spatial dimension}}
  %0 = graph.max_pool %a {padding = "EXPLICIT", window = array<i64: 2, 2>} : (tensor<1x8x8x3xf32>) -> tensor<1x8x8x3xf32>
  return
}
