// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @shape_of
// CHECK: graph.shape_of %
func.func @shape_of(%x: tensor<?x3xf32>) -> (tensor<2xi32>) {
  %r = graph.shape_of %x : (tensor<?x3xf32>) -> tensor<2xi32>
  return %r : tensor<2xi32>
}

// CHECK-LABEL: func.func @reshape
// CHECK: graph.reshape %
func.func @reshape(%x: tensor<4x3xf32>) -> (tensor<2x6xf32>) {
  %s = graph.constant dense<[-1, 6]> : tensor<2xi32>
  %r = graph.reshape %x, %s : (tensor<4x3xf32>, tensor<2xi32>) -> tensor<2x6xf32>
  return %r : tensor<2x6xf32>
}

// CHECK-LABEL: func.func @expand_dims
// CHECK: graph.expand_dims %{{.*}} {axes = array<i64: 1>} :
func.func @expand_dims(%x: tensor<4x3xf32>) -> (tensor<4x1x3xf32>) {
  %r = graph.expand_dims %x {axes = array<i64: 1>} : (tensor<4x3xf32>) -> tensor<4x1x3xf32>
  return %r : tensor<4x1x3xf32>
}

// CHECK-LABEL: func.func @squeeze
// CHECK: graph.squeeze %{{.*}} {axes = array<i64: 1>} :
func.func @squeeze(%x: tensor<4x1x3xf32>) -> (tensor<4x3xf32>) {
  %r = graph.squeeze %x {axes = array<i64: 1>} : (tensor<4x1x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @transpose
// CHECK: graph.transpose %{{.*}} {permutation = array<i64: 1, 0>} :
func.func @transpose(%x: tensor<4x3xf32>) -> (tensor<3x4xf32>) {
  %r = graph.transpose %x {permutation = array<i64: 1, 0>} : (tensor<4x3xf32>) -> tensor<3x4xf32>
  return %r : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @broadcast_to
// CHECK: graph.broadcast_to %
func.func @broadcast_to(%x: tensor<3xf32>, %s: tensor<2xi32>) -> (tensor<2x3xf32>) {
  %r = graph.broadcast_to %x, %s : (tensor<3xf32>, tensor<2xi32>) -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @tile
// CHECK: graph.tile %
func.func @tile(%x: tensor<4x3xf32>) -> (tensor<8x3xf32>) {
  %m = graph.constant dense<[2, 1]> : tensor<2xi32>
  %r = graph.tile %x, %m : (tensor<4x3xf32>, tensor<2xi32>) -> tensor<8x3xf32>
  return %r : tensor<8x3xf32>
}

// CHECK-LABEL: func.func @pack
// CHECK: graph.pack %
func.func @pack(%a: tensor<3xf32>, %b: tensor<3xf32>) -> (tensor<2x3xf32>) {
  %r = graph.pack %a, %b {axis = 0} : (tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @unpack
// CHECK: graph.unpack %
func.func @unpack(%x: tensor<2x3xf32>) -> (tensor<3xf32>, tensor<3xf32>) {
  %a, %b = graph.unpack %x {axis = 0} : (tensor<2x3xf32>) -> (tensor<3xf32>, tensor<3xf32>)
  return %a, %b : tensor<3xf32>, tensor<3xf32>
}

// CHECK-LABEL: func.func @concat
// CHECK: graph.concat %{{.*}} {axis = 0 : i64} :
func.func @concat(%a: tensor<4x3xf32>, %b: tensor<2x3xf32>) -> (tensor<6x3xf32>) {
  %r = graph.concat %a, %b {axis = 0} : (tensor<4x3xf32>, tensor<2x3xf32>) -> tensor<6x3xf32>
  return %r : tensor<6x3xf32>
}

// CHECK-LABEL: func.func @split
// CHECK: graph.split %{{.*}} {axis = 1 : i64, sizes = array<i64: 1, -1>} :
func.func @split(%x: tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x2xf32>) {
  %a, %b = graph.split %x {axis = 1, sizes = array<i64: 1, -1>} : (tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x2xf32>)
  return %a, %b : tensor<2x1xf32>, tensor<2x2xf32>
}

// CHECK-LABEL: func.func @fill
// CHECK: graph.fill %
func.func @fill(%dims: tensor<2xi32>, %v: tensor<f32>) -> (tensor<4x3xf32>) {
  %r = graph.fill %dims, %v : (tensor<2xi32>, tensor<f32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @range
// CHECK: graph.range %
func.func @range(%start: tensor<i32>, %limit: tensor<i32>, %delta: tensor<i32>) -> (tensor<?xi32>) {
  %r = graph.range %start, %limit, %delta : (tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<?xi32>
  return %r : tensor<?xi32>
}

// CHECK-LABEL: func.func @bitcast
// CHECK: graph.bitcast %
func.func @bitcast(%x: tensor<4xf32>) -> (tensor<4xi32>) {
  %r = graph.bitcast %x : (tensor<4xf32>) -> tensor<4xi32>
  return %r : tensor<4xi32>
}

// CHECK-LABEL: func.func @ensure_shape
// CHECK: graph.ensure_shape %{{.*}} {shape = array<i64: -1, 3>} :
func.func @ensure_shape(%x: tensor<?x?xf32>) -> (tensor<?x3xf32>) {
  %r = graph.ensure_shape %x {shape = array<i64: -1, 3>} : (tensor<?x?xf32>) -> tensor<?x3xf32>
  return %r : tensor<?x3xf32>
}

// CHECK-LABEL: func.func @invert_permutation
// CHECK: graph.invert_permutation %
func.func @invert_permutation(%x: tensor<4xi32>) -> (tensor<4xi32>) {
  %r = graph.invert_permutation %x : (tensor<4xi32>) -> tensor<4xi32>
  return %r : tensor<4xi32>
}

// CHECK-LABEL: func.func @broadcast_args
// CHECK: graph.broadcast_args %
func.func @broadcast_args(%s: tensor<2xi32>, %t: tensor<1xi32>) -> (tensor<2xi32>) {
  %r = graph.broadcast_args %s, %t : (tensor<2xi32>, tensor<1xi32>) -> tensor<2xi32>
  return %r : tensor<2xi32>
}
