// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @channels(%a: tensor<8x31xf32>, %b: tensor<1x2x32x16xf32>, %c: tensor<8x20xf32>) {
  // expected-error@+1 {{a has 31 channels, b 1 groups of 32}}
  %r = kernel.contract ins(%a, %b : tensor<8x31xf32>, tensor<1x2x32x16xf32>)
      outs(%c : tensor<8x20xf32>) -> tensor<8x20xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return
}

// -----

func.func @panels(%a: tensor<8x32xf32>, %b: tensor<1x1x32x16xf32>, %c: tensor<8x20xf32>) {
  // expected-error@+1 {{panels of b must be 2, not 1}}
  %r = kernel.contract ins(%a, %b : tensor<8x32xf32>, tensor<1x1x32x16xf32>)
      outs(%c : tensor<8x20xf32>) -> tensor<8x20xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return
}

// -----

func.func @accumulator(%a: tensor<8x32xf16>, %b: tensor<1x2x32x16xf16>, %c: tensor<8x20xf16>) {
  // expected-error@+1 {{accumulator of 'f16' must be 'f32', not 'f16'}}
  %r = kernel.contract ins(%a, %b : tensor<8x32xf16>, tensor<1x2x32x16xf16>)
      outs(%c : tensor<8x20xf16>) -> tensor<8x20xf16> {
  ^bb0(%sum: f16):
    kernel.yield %sum : f16
  }
  return
}

// -----

func.func @map(%a: tensor<8x32xf32>, %b: tensor<1x2x32x16xf32>, %x: tensor<8xf32>, %c: tensor<8x20xf32>) {
  // expected-error@+1 {{epilogue operand 0 has size 8 where its map needs 20}}
  %r = kernel.contract ins(%a, %b : tensor<8x32xf32>, tensor<1x2x32x16xf32>)
      epilogue(%x : tensor<8xf32>) outs(%c : tensor<8x20xf32>)
      attributes {epilogue_maps = [affine_map<(m, n) -> (n)>]} -> tensor<8x20xf32> {
  ^bb0(%sum: f32, %e: f32):
    kernel.yield %e : f32
  }
  return
}

// -----

func.func @body(%a: memref<8x32xf32>, %b: memref<1x2x32x16xf32>, %c: memref<8x20xf32>) {
  // expected-error@+1 {{body may hold elementwise ops only, not 'memref.load'}}
  kernel.contract ins(%a, %b : memref<8x32xf32>, memref<1x2x32x16xf32>)
      outs(%c : memref<8x20xf32>) {
  ^bb0(%sum: f32):
    %i = arith.constant 0 : index
    %0 = memref.load %a[%i, %i] : memref<8x32xf32>
    kernel.yield %0 : f32
  }
  return
}

// -----

func.func @geometry(%a: memref<1x8x8x4xf32>, %b: memref<1x1x3x3x4x16xf32>, %c: memref<1x8x8x16xf32>) {
  // expected-error@+1 {{dilations needs 2 values, one per spatial dimension, not 1}}
  kernel.contract ins(%a, %b : memref<1x8x8x4xf32>, memref<1x1x3x3x4x16xf32>)
      outs(%c : memref<1x8x8x16xf32>) attributes {strides = array<i64: 1, 1>,
      dilations = array<i64: 1>, padding = array<i64: 1, 1>,
      input_dilation = array<i64: 1, 1>} {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return
}

// -----

func.func @mixed(%a: memref<8x32xf32>, %b: tensor<1x2x32x16xf32>, %c: memref<8x20xf32>) {
  // expected-error@+1 {{mixes tensors and memrefs}}
  kernel.contract ins(%a, %b : memref<8x32xf32>, tensor<1x2x32x16xf32>)
      outs(%c : memref<8x20xf32>) {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return
}

// -----

func.func @packed(%w: tensor<32x20xf32>, %p: tensor<1x2x32x20xf32>) {
  // expected-error@+1 {{last dimension of packed must be 16, not 20}}
  %r = kernel.pack ins(%w : tensor<32x20xf32>) outs(%p : tensor<1x2x32x20xf32>)
      -> tensor<1x2x32x20xf32>
  return
}

// -----

func.func @weights(%x: memref<1x8x4xf32>, %y: memref<1x8x4xf32>) {
  // expected-error@+1 {{depthwise needs weights}}
  kernel.window depthwise ins(%x : memref<1x8x4xf32>) outs(%y : memref<1x8x4xf32>)
      attributes {window = array<i64: 3>, strides = array<i64: 1>,
      dilations = array<i64: 1>, padding = array<i64: 1>} {
  ^bb0(%v: f32):
    kernel.yield %v : f32
  }
  return
}

// -----

func.func @rows_of_elements(%x: tensor<4x8xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{step 0 of rows uses an element}}
  %0 = kernel.rows ins(%x : tensor<4x8xf32>) outs(%y : tensor<4xf32>) attributes {kinds = array<i64: 2>,
      maps = [affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> (r)>], row_rank = 1 : i64, starts = array<i64>,
      yields = array<i64: 0>} -> tensor<4xf32> {
  ^bb0(%e: f32):
    kernel.row_yield %e : f32
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @rows_in_order(%x: tensor<4x8xf32>, %z: f32, %y: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{step 0 does not combine terms in any order}}
  %0 = kernel.rows ins(%x, %z : tensor<4x8xf32>, f32) outs(%y : tensor<4xf32>) attributes {kinds = array<i64: 1>,
      maps = [affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> ()>, affine_map<(r, c) -> (r)>], row_rank = 1 : i64,
      starts = array<i64: 1>, yields = array<i64: 0>} -> tensor<4xf32> {
  ^bb0(%e: f32, %s: f32, %sum: f32):
    %0 = arith.subf %sum, %e : f32
    kernel.row_yield %0 : f32
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @rows_of_a_diagonal(%x: tensor<8x8xf32>, %z: f32, %y: tensor<f32>) -> tensor<f32> {
  // expected-error@+1 {{map 0 does not fit its operand}}
  %0 = kernel.rows ins(%x, %z : tensor<8x8xf32>, f32) outs(%y : tensor<f32>) attributes {kinds = array<i64: 1>,
      maps = [affine_map<(c) -> (c, c)>, affine_map<(c) -> ()>, affine_map<(c) -> ()>], row_rank = 0 : i64,
      starts = array<i64: 1>, yields = array<i64: 0>} -> tensor<f32> {
  ^bb0(%e: f32, %s: f32, %sum: f32):
    %0 = arith.addf %sum, %e fastmath<reassoc> : f32
    kernel.row_yield %0 : f32
  }
  return %0 : tensor<f32>
}

// -----

func.func @winograd_of_strides(%x: tensor<1x8x8x16xf32>, %w: tensor<1x1x4x4x16x16xf32>, %y: tensor<1x4x4x16xf32>)
    -> tensor<1x4x4x16xf32> {
  // expected-error@+1 {{winograd needs a plain convolution of images with a transformed window of 3 by 3}}
  %0 = kernel.contract ins(%x, %w : tensor<1x8x8x16xf32>, tensor<1x1x4x4x16x16xf32>)
      outs(%y : tensor<1x4x4x16xf32>) attributes {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
      padding = array<i64: 1, 1>, input_dilation = array<i64: 1, 1>, winograd = 2 : i64} -> tensor<1x4x4x16xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return %0 : tensor<1x4x4x16xf32>
}

// -----

func.func @images_with_rows_apart(%x: tensor<2x8x8x4xf32>, %g: tensor<2x8x8x16xf32>, %c: tensor<8x3x3x16xf32>)
    -> tensor<8x3x3x16xf32> {
  // expected-error@+1 {{with spatial dimensions reads operands where they lie only if rows and columns are contiguous there}}
  %0 = kernel.contract ins(%x, %g : tensor<2x8x8x4xf32>, tensor<2x8x8x16xf32>)
      outs(%c : tensor<8x3x3x16xf32>) attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      padding = array<i64: 1, 1>, input_dilation = array<i64: 1, 1>, a_order = array<i64: 1, 2, 3, 0>,
      b_order = array<i64: 1, 2, 0, 3>} -> tensor<8x3x3x16xf32> {
  ^bb0(%sum: f32):
    kernel.yield %sum : f32
  }
  return %0 : tensor<8x3x3x16xf32>
}
