// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @shape(%x: tensor<1x8x8x3xf32>, %dy: tensor<1x8x8x4xf32>, %s: tensor<4xi32>) {
  // expected-error@+1 {{filter_shape is not known at compile time}}
  %0 = graph.conv_filter_grad %x, %dy, %s {padding = "SAME"} : (tensor<1x8x8x3xf32>, tensor<1x8x8x4xf32>, tensor<4xi32>) -> tensor<3x3x3x4xf32>
  return
}

// -----

func.func @sizes(%x: tensor<1x8x8x3xf32>, %dy: tensor<1x7x8x4xf32>) {
  %s = graph.constant dense<[3, 3, 3, 4]> : tensor<4xi32>
  // expected-error@+1 {{sizes of the gradient and of the convolution's result differ: 7 and 8}}
  %0 = graph.conv_filter_grad %x, %dy, %s {padding = "SAME"} : (tensor<1x8x8x3xf32>, tensor<1x7x8x4xf32>, tensor<4xi32>) -> tensor<3x3x3x4xf32>
  return
}

// -----

func.func @groups(%x: tensor<1x8x8x3xf32>, %dy: tensor<1x8x8x4xf32>) {
  %s = graph.constant dense<[3, 3, 2, 4]> : tensor<4xi32>
  // expected-error@+1 {{operand has 3 channels, but the filter takes 2 and gives 4}}
  %0 = graph.conv_filter_grad %x, %dy, %s {padding = "SAME"} : (tensor<1x8x8x3xf32>, tensor<1x8x8x4xf32>, tensor<4xi32>) -> tensor<3x3x2x4xf32>
  return
}

// -----

func.func @depthwise(%dy: tensor<1x8x8x6xf32>, %w: tensor<3x3x4x2xf32>) {
  %s = graph.constant dense<[1, 8, 8, 4]> : tensor<4xi32>
  // expected-error@+1 {{channels of gradient and filter differ: 6 and 8}}
  %0 = graph.depthwise_conv_transpose %dy, %w, %s {padding = "SAME"} : (tensor<1x8x8x6xf32>, tensor<3x3x4x2xf32>, tensor<4xi32>) -> tensor<1x8x8x4xf32>
  return
}

// -----

func.func @pool(%x: tensor<1x8x8x3xf32>, %dy: tensor<1x3x4x3xf32>) {
  // expected-error@+1 {{gradient and its expected sizes differ: 3 and 4}}
  %0 = graph.max_pool_grad %x, %dy {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"} : (tensor<1x8x8x3xf32>, tensor<1x3x4x3xf32>) -> tensor<1x8x8x3xf32>
  return
}

// -----

func.func @booleans(%x: tensor<1x8x8x3xi1>, %dy: tensor<1x4x4x3xf32>) {
  // expected-error@+1 {{cannot pool elements of type 'i1'}}
  %0 = graph.max_pool_grad %x, %dy {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"} : (tensor<1x8x8x3xi1>, tensor<1x4x4x3xf32>) -> tensor<1x8x8x3xf32>
  return
}

// -----

func.func @mirror(%x: tensor<8xf32>) {
  %p = graph.constant dense<[[4, 1]]> : tensor<1x2xi32>
  // expected-error@+1 {{padding 4 of dimension 0 is wider than the mirror}}
  %0 = graph.mirror_pad_grad %x, %p : (tensor<8xf32>, tensor<1x2xi32>) -> tensor<3xf32>
  return
}

// -----

func.func @resize(%x: tensor<1x8x8x3xf32>, %s: tensor<2xi32>) {
  // expected-error@+1 {{has unknown mode 'area'}}
  %0 = graph.resize_grad %x, %s {mode = "area"} : (tensor<1x8x8x3xf32>, tensor<2xi32>) -> tensor<1x?x?x3xf32>
  return
}
