// RUN: %tenon-opt %s --graph-to-linalg --canonicalize --cse | FileCheck %s

// No padded copy: the kernel reads zeros outside of the operand.
// CHECK-LABEL: func.func @same
// CHECK-NOT: tensor.insert_slice
// CHECK: kernel.contract {{.*}} padding = array<i64: 1, 1>, strides = array<i64: 1, 1>
func.func @same(%x: tensor<?x8x8x3xf32> {graph.name = "x", graph.dims = ["n", "8", "8", "3"]},
                %w: tensor<3x3x3x4xf32> {graph.name = "w", graph.dims = ["3", "3", "3", "4"]})
    -> (tensor<?x8x8x4xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.conv %x, %w {padding = "SAME"} : (tensor<?x8x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<?x8x8x4xf32>
  return %r : tensor<?x8x8x4xf32>
}

// Where the padding depends on a size that only the run knows, there is one.
// CHECK-LABEL: func.func @unknown
// CHECK: tensor.insert_slice
// CHECK: kernel.contract {{.*}} padding = array<i64: 0, 0>, strides = array<i64: 2, 2>
func.func @unknown(%x: tensor<1x?x8x3xf32> {graph.name = "x", graph.dims = ["1", "h", "8", "3"]},
                   %w: tensor<3x3x3x4xf32> {graph.name = "w", graph.dims = ["3", "3", "3", "4"]})
    -> (tensor<1x?x4x4xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.conv %x, %w {padding = "SAME", strides = array<i64: 2, 2>} : (tensor<1x?x8x3xf32>, tensor<3x3x3x4xf32>) -> tensor<1x?x4x4xf32>
  return %r : tensor<1x?x4x4xf32>
}

// The window of a transposed convolution runs backwards, between the elements.
// CHECK-LABEL: func.func @transposed
// CHECK: kernel.pack {{.*}} {reverse, spatial = 2 : i64, transpose_b}
// CHECK: kernel.contract {{.*}} input_dilation = array<i64: 2, 2>, padding = array<i64: 2, 2>
func.func @transposed(%x: tensor<?x4x4x16xf32> {graph.name = "x", graph.dims = ["n", "4", "4", "16"]},
                      %w: tensor<3x3x3x16xf32> {graph.name = "w", graph.dims = ["3", "3", "3", "16"]})
    -> (tensor<?x8x8x3xf32> {graph.name = "r"}) attributes {graph.entry} {
  %s = graph.constant dense<[1, 8, 8, 3]> : tensor<4xi32>
  %r = graph.conv_transpose %x, %w, %s {padding = "SAME", strides = array<i64: 2, 2>} : (tensor<?x4x4x16xf32>, tensor<3x3x3x16xf32>, tensor<4xi32>) -> tensor<?x8x8x3xf32>
  return %r : tensor<?x8x8x3xf32>
}
