// RUN: %tenon-opt %s --graph-to-linalg --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @max
// CHECK: kernel.window max ins(%{{.*}} : tensor<?x9x8x3xf32>)
// CHECK-SAME: padding = array<i64: 1, 0>
func.func @max(%x: tensor<?x9x8x3xf32> {graph.name = "x", graph.dims = ["n", "9", "8", "3"]})
    -> (tensor<?x5x4x3xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.max_pool %x {padding = "SAME", strides = array<i64: 2, 2>, window = array<i64: 3, 3>} : (tensor<?x9x8x3xf32>) -> tensor<?x5x4x3xf32>
  return %r : tensor<?x5x4x3xf32>
}

// Channels that come first move to the end and back.
// CHECK-LABEL: func.func @mean
// CHECK: linalg.transpose {{.*}} permutation = [0, 2, 3, 1]
// CHECK: kernel.window average
// CHECK: linalg.transpose {{.*}} permutation = [0, 3, 1, 2]
func.func @mean(%x: tensor<?x3x8x8xf32> {graph.name = "x", graph.dims = ["n", "3", "8", "8"]})
    -> (tensor<?x3x4x4xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.avg_pool %x {channels_first, padding = "VALID", strides = array<i64: 2, 2>, window = array<i64: 2, 2>} : (tensor<?x3x8x8xf32>) -> tensor<?x3x4x4xf32>
  return %r : tensor<?x3x4x4xf32>
}
