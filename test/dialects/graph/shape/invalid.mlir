// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @elements(%a: tensor<2x3xf32>) {
  %s = graph.constant dense<[4, -1]> : tensor<2xi32>
  // expected-error@+1 {{cannot give 6 elements the shape 4x?}}
  %0 = graph.reshape %a, %s : (tensor<2x3xf32>, tensor<2xi32>) -> tensor<4x?xf32>
  return
}

// -----

func.func @two_rests(%a: tensor<2x3xf32>) {
  %s = graph.constant dense<-1> : tensor<2xi32>
  // expected-error@+1 {{more than one element of shape is -1}}
  %0 = graph.reshape %a, %s : (tensor<2x3xf32>, tensor<2xi32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @unknown_rank(%a: tensor<2x3xf32>, %s: tensor<?xi32>) {
  // expected-error@+1 {{the length of shape is not known at compile time, so the result has no known rank}}
  %0 = graph.reshape %a, %s : (tensor<2x3xf32>, tensor<?xi32>) -> tensor<6xf32>
  return
}

// -----

func.func @wrong_type(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{result 0 has type 'tensor<3xi32>', but its shape is inferred as 2}}
  %0 = graph.shape_of %a : (tensor<2x3xf32>) -> tensor<3xi32>
  return
}

// -----

func.func @not_one(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{dimension 0 of shape 2x3 is not 1}}
  %0 = graph.squeeze %a {axes = array<i64: 0>} : (tensor<2x3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @axis(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{axis 3 is out of range for rank 3}}
  %0 = graph.expand_dims %a {axes = array<i64: 3>} : (tensor<2x3xf32>) -> tensor<2x3x1xf32>
  return
}

// -----

func.func @permutation(%a: tensor<2x3xf32>) {
  // expected-error@+1 {{[0, 0] is not a permutation of the dimensions of 2x3}}
  %0 = graph.transpose %a {permutation = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @broadcast(%a: tensor<3xf32>) {
  %s = graph.constant dense<4> : tensor<2xi32>
  // expected-error@+1 {{cannot broadcast 3 to 4x4}}
  %0 = graph.broadcast_to %a, %s : (tensor<3xf32>, tensor<2xi32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @ranks(%a: tensor<3xf32>, %b: tensor<2x3xf32>) {
  // expected-error@+1 {{operands have different ranks: 3 and 2x3}}
  %0 = graph.pack %a, %b : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @sizes(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) {
  // expected-error@+1 {{sizes of operands differ: 3 and 4}}
  %0 = graph.concat %a, %b {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @unequal(%a: tensor<5xf32>) {
  // expected-error@+1 {{cannot cut 5 elements into 2 equal parts}}
  %0:2 = graph.split %a {axis = 0 : i64} : (tensor<5xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  return
}

// -----

func.func @count(%a: tensor<5xf32>) {
  // expected-error@+1 {{the dimension's size and the number of results differ: 5 and 2}}
  %0:2 = graph.unpack %a : (tensor<5xf32>) -> (tensor<f32>, tensor<f32>)
  return
}

// -----

func.func @negative(%v: tensor<f32>) {
  %d = graph.constant dense<-2> : tensor<1xi32>
  // expected-error@+1 {{size -2 is negative}}
  %0 = graph.fill %d, %v : (tensor<1xi32>, tensor<f32>) -> tensor<?xf32>
  return
}

// -----

func.func @no_step(%a: tensor<i32>) {
  %d = graph.constant dense<0> : tensor<i32>
  // expected-error@+1 {{delta is zero}}
  %0 = graph.range %a, %a, %d : (tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<?xi32>
  return
}

// -----

func.func @no_permutation() {
  %d = graph.constant dense<[0, 0]> : tensor<2xi32>
  // expected-error@+1 {{[0, 0] is no permutation}}
  %0 = graph.invert_permutation %d : (tensor<2xi32>) -> tensor<2xi32>
  return
}

// -----

func.func @other_size(%a: tensor<4xf32>) {
  // expected-error@+1 {{size and expected size differ: 4 and 3}}
  %0 = graph.ensure_shape %a {shape = array<i64: 3>} : (tensor<4xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @bits(%a: tensor<4xcomplex<f32>>) {
  // expected-error@+1 {{cannot reinterpret 'complex<f32>' as 'i64'}}
  %0 = graph.bitcast %a : (tensor<4xcomplex<f32>>) -> tensor<4xi64>
  return
}
