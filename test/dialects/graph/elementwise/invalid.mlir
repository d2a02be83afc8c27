// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @shapes(%a: tensor<2x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{operands of shapes 2x3 and 2 do not broadcast}}
  %0 = graph.add %a, %b : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @result(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error@+1 {{result 0 has type 'tensor<3xf32>', but its shape is inferred as 2x3}}
  %0 = graph.add %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @types(%a: tensor<3xf32>, %b: tensor<3xi32>) {
  // expected-error@+1 {{failed to verify that all of {lhs, rhs, result} have same element type}}
  %0 = graph.mul %a, %b : (tensor<3xf32>, tensor<3xi32>) -> tensor<3xf32>
  return
}

// -----

func.func @sine(%a: tensor<3xi32>) {
  // expected-error@+1 {{operand #0 must be ranked tensor of floating-point or complex-type values, but got 'tensor<3xi32>'}}
  %0 = graph.sin %a : (tensor<3xi32>) -> tensor<3xi32>
  return
}

// -----

func.func @choice(%p: tensor<3xi32>, %a: tensor<3xf32>) {
  // expected-error@+1 {{operand #0 must be ranked tensor of 1-bit signless integer values, but got 'tensor<3xi32>'}}
  %0 = graph.select %p, %a, %a : (tensor<3xi32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}
