// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @kernel(%x: tensor<2x5x7x3xf32>, %n: tensor<2xi32>, %s: tensor<2xf32>) {
  // expected-error@+1 {{has unknown kernel 'bicubic'}}
  %r = graph.scale_translate %x, %n, %s, %s {kernel = "bicubic"} : (tensor<2x5x7x3xf32>, tensor<2xi32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2x?x?x3xf32>
  return
}

// -----

func.func @filter(%x: tensor<2x5x7x3xf32>, %f: tensor<7x2x3xf32>) {
  // expected-error@+1 {{the filter does not fit the images}}
  %r = graph.dilation %x, %f {rates = array<i64: 1, 1>, strides = array<i64: 1, 1>} : (tensor<2x5x7x3xf32>, tensor<7x2x3xf32>) -> tensor<2x?x?x3xf32>
  return
}

// -----

func.func @crops(%g: tensor<4x2x2x3xf32>, %b: tensor<5x4xf32>, %n: tensor<5xi32>, %s: tensor<4xi32>) {
  // expected-error@+1 {{boxes and crops differ: 5 and 4}}
  %r = graph.crop_image_grad %g, %b, %n, %s : (tensor<4x2x2x3xf32>, tensor<5x4xf32>, tensor<5xi32>, tensor<4xi32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @transform(%x: tensor<2x5x7x3xf32>, %t: tensor<2x6xf32>, %n: tensor<2xi32>, %f: tensor<f32>) {
  // expected-error@+1 {{numbers of a transform and 8 differ: 6 and 8}}
  %r = graph.projective_transform %x, %t, %n, %f {mode = "WRAP"} : (tensor<2x5x7x3xf32>, tensor<2x6xf32>, tensor<2xi32>, tensor<f32>) -> tensor<2x?x?x3xf32>
  return
}
