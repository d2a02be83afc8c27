// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @slice
// CHECK: graph.slice %
func.func @slice(%x: tensor<4x3xf32>, %begin: tensor<2xi32>, %size: tensor<2xi32>) -> (tensor<2x3xf32>) {
  %r = graph.slice %x, %begin, %size : (tensor<4x3xf32>, tensor<2xi32>, tensor<2xi32>) -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @strided_slice
// CHECK: graph.strided_slice %{{.*}} {begin_mask = 1 : i64, end_mask = 1 : i64, shrink_axis_mask = 2 : i64} :
func.func @strided_slice(%x: tensor<4x3xf32>, %b: tensor<2xi32>, %e: tensor<2xi32>, %s: tensor<2xi32>) -> (tensor<4xf32>) {
  %r = graph.strided_slice %x, %b, %e, %s {begin_mask = 1 : i64, end_mask = 1 : i64, shrink_axis_mask = 2 : i64} : (tensor<4x3xf32>, tensor<2xi32>, tensor<2xi32>, tensor<2xi32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// CHECK-LABEL: func.func @strided_slice_update
// CHECK: graph.strided_slice_update %
func.func @strided_slice_update(%x: tensor<4xf32>, %b: tensor<1xi32>, %e: tensor<1xi32>, %s: tensor<1xi32>, %v: tensor<2xf32>) -> (tensor<4xf32>) {
  %r = graph.strided_slice_update %x, %b, %e, %s, %v : (tensor<4xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>, tensor<2xf32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// CHECK-LABEL: func.func @gather
// CHECK: graph.gather %
func.func @gather(%x: tensor<4x3xf32>, %i: tensor<5xi32>) -> (tensor<5x3xf32>) {
  %r = graph.gather %x, %i {axis = 0 : i64} : (tensor<4x3xf32>, tensor<5xi32>) -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// CHECK-LABEL: func.func @gather_nd
// CHECK: graph.gather_nd %
func.func @gather_nd(%x: tensor<4x3xf32>, %i: tensor<5x2xi32>) -> (tensor<5xf32>) {
  %r = graph.gather_nd %x, %i : (tensor<4x3xf32>, tensor<5x2xi32>) -> tensor<5xf32>
  return %r : tensor<5xf32>
}

// CHECK-LABEL: func.func @scatter_nd
// CHECK: graph.scatter_nd %
func.func @scatter_nd(%i: tensor<5x1xi32>, %u: tensor<5x3xf32>, %s: tensor<2xi32>) -> (tensor<4x3xf32>) {
  %r = graph.scatter_nd %i, %u, %s : (tensor<5x1xi32>, tensor<5x3xf32>, tensor<2xi32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @tensor_scatter
// CHECK: graph.tensor_scatter %{{.*}} {mode = "add"} :
func.func @tensor_scatter(%x: tensor<4x3xf32>, %i: tensor<5x1xi32>, %u: tensor<5x3xf32>) -> (tensor<4x3xf32>) {
  %r = graph.tensor_scatter %x, %i, %u {mode = "add"} : (tensor<4x3xf32>, tensor<5x1xi32>, tensor<5x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @one_hot
// CHECK: graph.one_hot %
func.func @one_hot(%i: tensor<5xi32>, %depth: tensor<i32>, %on: tensor<f32>, %off: tensor<f32>) -> (tensor<5x4xf32>) {
  %r = graph.one_hot %i, %depth, %on, %off {axis = -1 : i64} : (tensor<5xi32>, tensor<i32>, tensor<f32>, tensor<f32>) -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}

// CHECK-LABEL: func.func @pad
// CHECK: graph.pad %
func.func @pad(%x: tensor<4x3xf32>, %p: tensor<2x2xi32>, %v: tensor<f32>) -> (tensor<6x3xf32>) {
  %r = graph.pad %x, %p, %v : (tensor<4x3xf32>, tensor<2x2xi32>, tensor<f32>) -> tensor<6x3xf32>
  return %r : tensor<6x3xf32>
}

// CHECK-LABEL: func.func @mirror_pad
// CHECK: graph.mirror_pad %{{.*}} {symmetric} :
func.func @mirror_pad(%x: tensor<4xf32>, %p: tensor<1x2xi32>) -> (tensor<8xf32>) {
  %r = graph.mirror_pad %x, %p {symmetric} : (tensor<4xf32>, tensor<1x2xi32>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// CHECK-LABEL: func.func @reverse
// CHECK: graph.reverse %{{.*}} {axes = array<i64: 1>} :
func.func @reverse(%x: tensor<4x3xf32>) -> (tensor<4x3xf32>) {
  %r = graph.reverse %x {axes = array<i64: 1>} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @reverse_sequence
// CHECK: graph.reverse_sequence %{{.*}} {axis = 1 : i64, batch_axis = 0 : i64} :
func.func @reverse_sequence(%x: tensor<4x3xf32>, %n: tensor<4xi32>) -> (tensor<4x3xf32>) {
  %r = graph.reverse_sequence %x, %n {axis = 1 : i64, batch_axis = 0 : i64} : (tensor<4x3xf32>, tensor<4xi32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @roll
// CHECK: graph.roll %{{.*}} {axes = array<i64: 0>} :
func.func @roll(%x: tensor<4x3xf32>, %s: tensor<1xi32>) -> (tensor<4x3xf32>) {
  %r = graph.roll %x, %s {axes = array<i64: 0>} : (tensor<4x3xf32>, tensor<1xi32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @matrix_band_part
// CHECK: graph.matrix_band_part %
func.func @matrix_band_part(%x: tensor<4x4xf32>, %l: tensor<i32>, %u: tensor<i32>) -> (tensor<4x4xf32>) {
  %r = graph.matrix_band_part %x, %l, %u : (tensor<4x4xf32>, tensor<i32>, tensor<i32>) -> tensor<4x4xf32>
  return %r : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @matrix_diag
// CHECK: graph.matrix_diag %
func.func @matrix_diag(%d: tensor<4xf32>, %p: tensor<f32>) -> (tensor<4x4xf32>) {
  %r = graph.matrix_diag %d, %p : (tensor<4xf32>, tensor<f32>) -> tensor<4x4xf32>
  return %r : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @matrix_diag_part
// CHECK: graph.matrix_diag_part %
func.func @matrix_diag_part(%x: tensor<4x4xf32>, %p: tensor<f32>) -> (tensor<4xf32>) {
  %r = graph.matrix_diag_part %x, %p : (tensor<4x4xf32>, tensor<f32>) -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// CHECK-LABEL: func.func @matrix_set_diag
// CHECK: graph.matrix_set_diag %
func.func @matrix_set_diag(%x: tensor<4x4xf32>, %d: tensor<4xf32>) -> (tensor<4x4xf32>) {
  %r = graph.matrix_set_diag %x, %d : (tensor<4x4xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  return %r : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @depth_to_space
// CHECK: graph.depth_to_space %{{.*}} {block = 2 : i64} :
func.func @depth_to_space(%x: tensor<1x4x4x12xf32>) -> (tensor<1x8x8x3xf32>) {
  %r = graph.depth_to_space %x {block = 2 : i64} : (tensor<1x4x4x12xf32>) -> tensor<1x8x8x3xf32>
  return %r : tensor<1x8x8x3xf32>
}

// CHECK-LABEL: func.func @space_to_depth
// CHECK: graph.space_to_depth %{{.*}} {block = 2 : i64} :
func.func @space_to_depth(%x: tensor<1x8x8x3xf32>) -> (tensor<1x4x4x12xf32>) {
  %r = graph.space_to_depth %x {block = 2 : i64} : (tensor<1x8x8x3xf32>) -> tensor<1x4x4x12xf32>
  return %r : tensor<1x4x4x12xf32>
}

// CHECK-LABEL: func.func @space_to_batch
// CHECK: graph.space_to_batch %
func.func @space_to_batch(%x: tensor<1x4x4x3xf32>, %b: tensor<2xi32>, %p: tensor<2x2xi32>) -> (tensor<4x2x2x3xf32>) {
  %r = graph.space_to_batch %x, %b, %p : (tensor<1x4x4x3xf32>, tensor<2xi32>, tensor<2x2xi32>) -> tensor<4x2x2x3xf32>
  return %r : tensor<4x2x2x3xf32>
}

// CHECK-LABEL: func.func @batch_to_space
// CHECK: graph.batch_to_space %
func.func @batch_to_space(%x: tensor<4x2x2x3xf32>, %b: tensor<2xi32>, %c: tensor<2x2xi32>) -> (tensor<1x4x4x3xf32>) {
  %r = graph.batch_to_space %x, %b, %c : (tensor<4x2x2x3xf32>, tensor<2xi32>, tensor<2x2xi32>) -> tensor<1x4x4x3xf32>
  return %r : tensor<1x4x4x3xf32>
}

// CHECK-LABEL: func.func @top_k
// CHECK: graph.top_k %
func.func @top_k(%x: tensor<4x9xf32>, %k: tensor<i32>) -> (tensor<4x3xf32>, tensor<4x3xi32>) {
  %v, %i = graph.top_k %x, %k : (tensor<4x9xf32>, tensor<i32>) -> (tensor<4x3xf32>, tensor<4x3xi32>)
  return %v, %i : tensor<4x3xf32>, tensor<4x3xi32>
}

// CHECK-LABEL: func.func @nonzero
// CHECK: graph.nonzero %
func.func @nonzero(%x: tensor<4x3xi1>) -> (tensor<?x2xi64>) {
  %r = graph.nonzero %x : (tensor<4x3xi1>) -> tensor<?x2xi64>
  return %r : tensor<?x2xi64>
}

// CHECK-LABEL: func.func @unique
// CHECK: graph.unique %
func.func @unique(%x: tensor<9xi32>) -> (tensor<?xi32>, tensor<9xi32>, tensor<?xi32>) {
  %v, %i, %c = graph.unique %x : (tensor<9xi32>) -> (tensor<?xi32>, tensor<9xi32>, tensor<?xi32>)
  return %v, %i, %c : tensor<?xi32>, tensor<9xi32>, tensor<?xi32>
}

// CHECK-LABEL: func.func @dynamic_stitch
// CHECK: graph.dynamic_stitch(%
func.func @dynamic_stitch(%i: tensor<2xi32>, %j: tensor<2xi32>, %a: tensor<2x3xf32>, %b: tensor<2x3xf32>) -> (tensor<4x3xf32>) {
  %r = graph.dynamic_stitch (%i, %j), (%a, %b) : (tensor<2xi32>, tensor<2xi32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @segment
// CHECK: graph.segment %{{.*}} {mode = "sum"} :
func.func @segment(%x: tensor<4x3xf32>, %ids: tensor<4xi32>, %n: tensor<i32>) -> (tensor<2x3xf32>) {
  %r = graph.segment %x, %ids, %n {mode = "sum"} : (tensor<4x3xf32>, tensor<4xi32>, tensor<i32>) -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @resize
// CHECK: graph.resize %{{.*}} {half_pixel_centers, mode = "bilinear"} :
func.func @resize(%x: tensor<1x4x4x3xf32>, %s: tensor<2xi32>) -> (tensor<1x8x8x3xf32>) {
  %r = graph.resize %x, %s {mode = "bilinear", half_pixel_centers} : (tensor<1x4x4x3xf32>, tensor<2xi32>) -> tensor<1x8x8x3xf32>
  return %r : tensor<1x8x8x3xf32>
}

// CHECK-LABEL: func.func @extract_patches
// CHECK: graph.extract_patches %{{.*}} {padding = "VALID", strides = array<i64: 2, 2>, window = array<i64: 2, 2>} :
func.func @extract_patches(%x: tensor<1x4x4x3xf32>) -> (tensor<1x2x2x12xf32>) {
  %r = graph.extract_patches %x {window = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = "VALID"} : (tensor<1x4x4x3xf32>) -> tensor<1x2x2x12xf32>
  return %r : tensor<1x2x2x12xf32>
}
