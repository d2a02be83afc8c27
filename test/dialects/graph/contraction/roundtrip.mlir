// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @matmul
// CHECK: graph.matmul %{{.*}} {transpose_b} :
func.func @matmul(%a: tensor<4x3xf32>, %b: tensor<5x3xf32>) -> (tensor<4x5xf32>) {
  %r = graph.matmul %a, %b {transpose_b} : (tensor<4x3xf32>, tensor<5x3xf32>) -> tensor<4x5xf32>
  return %r : tensor<4x5xf32>
}

// CHECK-LABEL: func.func @einsum
// CHECK: graph.einsum %{{.*}} {equation = "abc,cde->abde"} :
func.func @einsum(%a: tensor<2x4x3xf32>, %b: tensor<3x5x6xf32>) -> (tensor<2x4x5x6xf32>) {
  %r = graph.einsum %a, %b {equation = "abc,cde->abde"} : (tensor<2x4x3xf32>, tensor<3x5x6xf32>) -> tensor<2x4x5x6xf32>
  return %r : tensor<2x4x5x6xf32>
}
