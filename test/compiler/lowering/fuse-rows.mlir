// RUN: %tenon-opt %s --graph-to-linalg --canonicalize --cse --fuse-elementwise --canonicalize --fuse-rows -split-input-file | FileCheck %s

// Two reductions, and what is elementwise around them: one kernel.
// CHECK-LABEL: func.func @softmax
// CHECK-NOT: linalg.generic
// CHECK: kernel.rows {{.*}} row_rank = 1 : i64, starts = array<i64: 1, 2>
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @softmax(%x: tensor<?x100xf32>) -> tensor<?x100xf32> attributes {graph.entry} {
  %0 = graph.softmax %x : (tensor<?x100xf32>) -> tensor<?x100xf32>
  return %0 : tensor<?x100xf32>
}

// -----

// The sum of two tensors is computed once and not stored: nothing else uses it.
// CHECK-LABEL: func.func @residual
// CHECK-NOT: linalg.generic
// CHECK: kernel.rows
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @residual(%x: tensor<4x64xf32>, %y: tensor<4x64xf32>, %s: tensor<64xf32>) -> tensor<4x64xf32> attributes {graph.entry} {
  %0 = graph.add %x, %y : (tensor<4x64xf32>, tensor<4x64xf32>) -> tensor<4x64xf32>
  %1 = graph.layer_norm %0, %s, %s {axis = 1 : i64} : (tensor<4x64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<4x64xf32>
  return %1 : tensor<4x64xf32>
}

// -----

// Rows of three elements would fill no vector, sums of columns have no rows.
// CHECK-LABEL: func.func @short
// CHECK-NOT: kernel.rows
func.func @short(%x: tensor<64x3xf32>) -> tensor<64x3xf32> attributes {graph.entry} {
  %0 = graph.softmax %x : (tensor<64x3xf32>) -> tensor<64x3xf32>
  return %0 : tensor<64x3xf32>
}

// -----

// CHECK-LABEL: func.func @columns
// CHECK-NOT: kernel.rows
func.func @columns(%x: tensor<64x100xf32>) -> tensor<64x100xf32> attributes {graph.entry} {
  %0 = graph.softmax %x {axis = 0 : i64} : (tensor<64x100xf32>) -> tensor<64x100xf32>
  return %0 : tensor<64x100xf32>
}

// -----

// A sum of all elements has no dimensions; what is computed from it may have several, all of size 1.
// CHECK-LABEL: func.func @ones
// CHECK: kernel.rows {{.*}} outs({{.*}} : tensor<f64>, tensor<1x1xf64>)
func.func @ones(%x: tensor<?xf64>, %w: tensor<1x1xf64>) -> (tensor<f64>, tensor<1x1xf64>) attributes {graph.entry} {
  %0 = graph.square %x : (tensor<?xf64>) -> tensor<?xf64>
  %1 = graph.reduce_sum %0 {axes = array<i64: 0>} : (tensor<?xf64>) -> tensor<f64>
  %2 = graph.mul %1, %w : (tensor<f64>, tensor<1x1xf64>) -> tensor<1x1xf64>
  return %1, %2 : tensor<f64>, tensor<1x1xf64>
}
