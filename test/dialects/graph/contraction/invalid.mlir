// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @columns(%a: tensor<4x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error@+1 {{columns of lhs and rows of rhs differ: 3 and 4}}
  %0 = graph.matmul %a, %b : (tensor<4x3xf32>, tensor<4x5xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @vector(%a: tensor<3xf32>, %b: tensor<3x5xf32>) {
  // expected-error@+1 {{operand of shape 3 is not a matrix}}
  %0 = graph.matmul %a, %b : (tensor<3xf32>, tensor<3x5xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @batches(%a: tensor<2x4x3xf32>, %b: tensor<3x3x5xf32>) {
  // expected-error@+1 {{batch dimensions of 2x4x3 and 3x3x5 do not broadcast}}
  %0 = graph.matmul %a, %b : (tensor<2x4x3xf32>, tensor<3x3x5xf32>) -> tensor<2x4x5xf32>
  return
}

// -----

func.func @booleans(%a: tensor<4x3xi1>, %b: tensor<3x5xi1>) {
  // expected-error@+1 {{cannot multiply elements of type 'i1'}}
  %0 = graph.matmul %a, %b : (tensor<4x3xi1>, tensor<3x5xi1>) -> tensor<4x5xi1>
  return
}

// -----

func.func @label(%a: tensor<4x3xf32>) {
  // expected-error@+1 {{label 'c' of the result is in no operand}}
  %0 = graph.einsum %a {equation = "ab->ac"} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @arrow(%a: tensor<4x3xf32>) {
  // expected-error@+1 {{equation has no '->'}}
  %0 = graph.einsum %a {equation = "ab"} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @label_sizes(%a: tensor<4x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error@+1 {{sizes of label 'b' differ: 3 and 4}}
  %0 = graph.einsum %a, %b {equation = "ab,bc->ac"} : (tensor<4x3xf32>, tensor<4x5xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @term(%a: tensor<4x3xf32>) {
  // expected-error@+1 {{term 'abc' does not fit rank 2}}
  %0 = graph.einsum %a {equation = "abc->a"} : (tensor<4x3xf32>) -> tensor<4xf32>
  return
}
