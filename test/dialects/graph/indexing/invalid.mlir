// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @leaves(%a: tensor<4xf32>) {
  %b = graph.constant dense<3> : tensor<1xi32>
  // expected-error@+1 {{dimension 0: begin 3 and size 3 leave a dimension of 4}}
  %0 = graph.slice %a, %b, %b : (tensor<4xf32>, tensor<1xi32>, tensor<1xi32>) -> tensor<3xf32>
  return
}

// -----

func.func @stride(%a: tensor<4xf32>) {
  %b = graph.constant dense<0> : tensor<1xi32>
  // expected-error@+1 {{has stride 0}}
  %0 = graph.strided_slice %a, %b, %b, %b : (tensor<4xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<?xf32>
  return
}

// -----

func.func @index(%a: tensor<4xf32>) {
  %b = graph.constant dense<4> : tensor<1xi32>
  // expected-error@+1 {{index 4 is out of range for a dimension of 4}}
  %0 = graph.strided_slice %a, %b, %b, %b {shrink_axis_mask = 1 : i64} : (tensor<4xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<f32>
  return
}

// -----

func.func @entries(%a: tensor<4xf32>) {
  %b = graph.constant dense<1> : tensor<2xi32>
  // expected-error@+1 {{subscript has 2 entries for a tensor of shape 4}}
  %0 = graph.strided_slice %a, %b, %b, %b : (tensor<4xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<?xf32>
  return
}

// -----

func.func @axis(%a: tensor<4xf32>, %i: tensor<2xi32>) {
  // expected-error@+1 {{axis 1 is out of range for rank 1}}
  %0 = graph.gather %a, %i {axis = 1 : i64} : (tensor<4xf32>, tensor<2xi32>) -> tensor<2xf32>
  return
}

// -----

func.func @batch(%a: tensor<4x3xf32>, %i: tensor<2xi32>) {
  // expected-error@+1 {{batch dimensions differ: 4 and 2}}
  %0 = graph.gather %a, %i {axis = 1 : i64, batch_dims = 1 : i64} : (tensor<4x3xf32>, tensor<2xi32>) -> tensor<4xf32>
  return
}

// -----

func.func @depth(%a: tensor<4xf32>, %i: tensor<5x2xi32>) {
  // expected-error@+1 {{index vectors of length 2 with 0 batch dimensions do not fit shape 4}}
  %0 = graph.gather_nd %a, %i : (tensor<4xf32>, tensor<5x2xi32>) -> tensor<5xf32>
  return
}

// -----

func.func @mode(%a: tensor<4xf32>, %i: tensor<5x1xi32>, %u: tensor<5xf32>) {
  // expected-error@+1 {{has unknown mode 'xor'}}
  %0 = graph.tensor_scatter %a, %i, %u {mode = "xor"} : (tensor<4xf32>, tensor<5x1xi32>, tensor<5xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @updates(%a: tensor<4xf32>, %i: tensor<5x1xi32>, %u: tensor<6xf32>) {
  // expected-error@+1 {{sizes of updates differ: 6 and 5}}
  %0 = graph.tensor_scatter %a, %i, %u : (tensor<4xf32>, tensor<5x1xi32>, tensor<6xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @paddings(%a: tensor<4xf32>, %v: tensor<f32>) {
  %p = graph.constant dense<-1> : tensor<1x2xi32>
  // expected-error@+1 {{padding -1 of dimension 0 is negative}}
  %0 = graph.pad %a, %p, %v : (tensor<4xf32>, tensor<1x2xi32>, tensor<f32>) -> tensor<2xf32>
  return
}

// -----

func.func @huge_paddings(%a: tensor<4xf32>, %v: tensor<f32>) {
  %p = graph.constant dense<9223372036854775806> : tensor<1x2xi64>
  // expected-error@+1 {{padding 9223372036854775806 of dimension 0 is impossibly large}}
  %0 = graph.pad %a, %p, %v : (tensor<4xf32>, tensor<1x2xi64>, tensor<f32>) -> tensor<0xf32>
  return
}

// -----

func.func @mirror(%a: tensor<4xf32>) {
  %p = graph.constant dense<4> : tensor<1x2xi32>
  // expected-error@+1 {{padding 4 of dimension 0 is wider than the mirror}}
  %0 = graph.mirror_pad %a, %p : (tensor<4xf32>, tensor<1x2xi32>) -> tensor<12xf32>
  return
}

// -----

func.func @band(%a: tensor<4xf32>, %l: tensor<i32>) {
  // expected-error@+1 {{operand of shape 4 is not a matrix}}
  %0 = graph.matrix_band_part %a, %l, %l : (tensor<4xf32>, tensor<i32>, tensor<i32>) -> tensor<4xf32>
  return
}

// -----

func.func @align(%a: tensor<4xf32>, %p: tensor<f32>) {
  // expected-error@+1 {{has unknown align 'LEFT'}}
  %0 = graph.matrix_diag %a, %p {align = "LEFT"} : (tensor<4xf32>, tensor<f32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @block(%a: tensor<1x3x4x3xf32>) {
  // expected-error@+1 {{dimension of size 3 is not a multiple of 2}}
  %0 = graph.space_to_depth %a {block = 2 : i64} : (tensor<1x3x4x3xf32>) -> tensor<1x1x2x12xf32>
  return
}

// -----

func.func @top(%a: tensor<4xf32>) {
  %k = graph.constant dense<5> : tensor<i32>
  // expected-error@+1 {{cannot choose 5 elements of a dimension of 4}}
  %0:2 = graph.top_k %a, %k : (tensor<4xf32>, tensor<i32>) -> (tensor<5xf32>, tensor<5xi32>)
  return
}

// -----

func.func @resize(%a: tensor<1x4x4x3xf32>, %s: tensor<2xi32>) {
  // expected-error@+1 {{has unknown mode 'cubic'}}
  %0 = graph.resize %a, %s {mode = "cubic"} : (tensor<1x4x4x3xf32>, tensor<2xi32>) -> tensor<1x?x?x3xf32>
  return
}

// -----

func.func @segment(%a: tensor<4xf32>, %i: tensor<3xi32>, %n: tensor<i32>) {
  // expected-error@+1 {{sizes of ids and operand differ: 3 and 4}}
  %0 = graph.segment %a, %i, %n {mode = "sum"} : (tensor<4xf32>, tensor<3xi32>, tensor<i32>) -> tensor<?xf32>
  return
}
