// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @axis(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{axis 2 is out of range for rank 2}}
  %0 = graph.softmax %x {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @channels(%x: tensor<2x3xf32>, %c: tensor<2xf32>, %d: tensor<3xf32>) {
  // expected-error@+1 {{has 3 channels, but an operand with one element per channel has shape 2}}
  %0 = graph.batch_norm %x, %c, %d, %d, %d {axis = 1 : i64}
      : (tensor<2x3xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scale(%x: tensor<2x3x4xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{normalizes over 3x4, but scale or offset has shape 4}}
  %0 = graph.layer_norm %x, %c, %c {axis = 1 : i64} : (tensor<2x3x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x3x4xf32>
  return
}

// -----

func.func @radius(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{radius -1 is outside [0, 1048576]}}
  %0 = graph.lrn %x {radius = -1 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @labels(%x: tensor<2x3xf32>, %l: tensor<5xi32>) {
  // expected-error@+1 {{expects a label for each row of logits, but logits have shape 2x3 and labels 5}}
  %0, %1 = graph.sparse_softmax_cross_entropy %x, %l : (tensor<2x3xf32>, tensor<5xi32>) -> (tensor<2xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @distribution(%x: tensor<2x3xf32>, %l: tensor<2x4xf32>) {
  // expected-error@+1 {{logits of shape 2x3 and labels of shape 2x4 do not broadcast to rank 2}}
  %0, %1 = graph.softmax_cross_entropy %x, %l : (tensor<2x3xf32>, tensor<2x4xf32>) -> (tensor<2xf32>, tensor<2x3xf32>)
  return
}
