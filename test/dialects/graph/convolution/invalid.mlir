// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @channels(%a: tensor<1x8x8x3xf32>, %w: tensor<3x3x2x4xf32>) {
  // expected-error@+1 {{operand has 3 channels, but the filter takes 2 and gives 4}}
  %0 = graph.conv %a, %w {padding = "SAME"} : (tensor<1x8x8x3xf32>, tensor<3x3x2x4xf32>) -> tensor<1x8x8x4xf32>
  return
}

// -----

func.func @padding(%a: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x4xf32>) {
  // expected-error@+1 {{padding is 'FULL', expected SAME, VALID or EXPLICIT}}
  %0 = graph.conv %a, %w {padding = "FULL"} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x8x8x4xf32>
  return
}

// -----

func.func @too_small(%a: tensor<1x2x2x3xf32>, %w: tensor<4x4x3x4xf32>) {
  // expected-error@+1 {{a window of 4 does not fit a dimension of 2}}
  %0 = graph.conv %a, %w {padding = "VALID"} : (tensor<1x2x2x3xf32>, tensor<4x4x3x4xf32>) -> tensor<1x0x0x4xf32>
  return
}

// -----

func.func @strides(%a: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x4xf32>) {
  // expected-error@+1 {{strides has 1 elements, expected 2}}
  %0 = graph.conv %a, %w {padding = "SAME", strides = array<i64: 1>} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x8x8x4xf32>
  return
}

// -----

func.func @depthwise(%a: tensor<1x8x8x3xf32>, %w: tensor<3x3x2x4xf32>) {
  // expected-error@+1 {{channels of operand and filter differ: 3 and 2}}
  %0 = graph.depthwise_conv %a, %w {padding = "SAME"} : (tensor<1x8x8x3xf32>, tensor<3x3x2x4xf32>) -> tensor<1x8x8x8xf32>
  return
}

// -----

func.func @output(%a: tensor<1x4x4x16xf32>, %w: tensor<3x3x3x16xf32>) {
  %s = graph.constant dense<[1, 9, 8, 3]> : tensor<4xi32>
  // expected-error@+1 {{sizes of the operand and of the convolution of the result differ: 4 and 5}}
  %0 = graph.conv_transpose %a, %w, %s {padding = "SAME", strides = array<i64: 2, 2>} : (tensor<1x4x4x16xf32>, tensor<3x3x3x16xf32>, tensor<4xi32>) -> tensor<1x9x8x3xf32>
  return
}
