// RUN: %tenon-opt %s --graph-to-linalg --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @transposed
// CHECK: kernel.pack {{.*}} {transpose_b} -> tensor<1x2x8x16xf32>
// CHECK: kernel.contract
// CHECK-NOT: linalg.transpose
func.func @transposed(%a: tensor<?x8xf32> {graph.name = "a", graph.dims = ["n", "8"]},
                      %b: tensor<20x8xf32> {graph.name = "b", graph.dims = ["20", "8"]})
    -> (tensor<?x20xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.matmul %a, %b {transpose_b} : (tensor<?x8xf32>, tensor<20x8xf32>) -> tensor<?x20xf32>
  return %r : tensor<?x20xf32>
}

// A matrix that is the same for the whole batch is packed once.
// CHECK-LABEL: func.func @repeated
// CHECK: tensor.expand_shape %{{.*}} {{\[\[}}0, 1], [2]] output_shape [1, 8, 20]
// CHECK: kernel.pack
// CHECK: kernel.contract
func.func @repeated(%a: tensor<?x4x8xf32> {graph.name = "a", graph.dims = ["n", "4", "8"]},
                    %b: tensor<8x20xf32> {graph.name = "b", graph.dims = ["8", "20"]})
    -> (tensor<?x4x20xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.matmul %a, %b : (tensor<?x4x8xf32>, tensor<8x20xf32>) -> tensor<?x4x20xf32>
  return %r : tensor<?x4x20xf32>
}

// Operands in the order of the product are not moved.
// CHECK-LABEL: func.func @dense
// CHECK-NOT: linalg.transpose
// CHECK: kernel.contract
// CHECK: tensor.expand_shape
func.func @dense(%a: tensor<?x5x8xf32> {graph.name = "a", graph.dims = ["n", "5", "8"]},
                 %b: tensor<8x2x3xf32> {graph.name = "b", graph.dims = ["8", "2", "3"]})
    -> (tensor<?x5x2x3xf32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.einsum %a, %b {equation = "abc,cde->abde"} : (tensor<?x5x8xf32>, tensor<8x2x3xf32>) -> tensor<?x5x2x3xf32>
  return %r : tensor<?x5x2x3xf32>
}
