// RUN: %tenon-opt %s --graph-to-linalg --canonicalize --cse --fold-packs --fuse-elementwise | FileCheck %s

// Bias and relu are the contraction's epilogue: one kernel.
// CHECK-LABEL: func.func @dense
// CHECK: kernel.contract
// CHECK: epilogue(
// CHECK: arith.addf
// CHECK: arith.select
// CHECK: kernel.yield
// CHECK-NOT: linalg.generic
func.func @dense(%x: tensor<?x8xf32>) -> tensor<?x5xf32> attributes {graph.entry} {
  %w = graph.constant dense<0.5> : tensor<8x5xf32>
  %b = graph.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0]> : tensor<5xf32>
  %0 = graph.matmul %x, %w : (tensor<?x8xf32>, tensor<8x5xf32>) -> tensor<?x5xf32>
  %1 = graph.add %0, %b : (tensor<?x5xf32>, tensor<5xf32>) -> tensor<?x5xf32>
  %2 = graph.relu %1 : (tensor<?x5xf32>) -> tensor<?x5xf32>
  return %2 : tensor<?x5xf32>
}

// exp of a row would be computed again for every column: it stays alone.
// CHECK-LABEL: func.func @repeated
// CHECK: math.exp
// CHECK: linalg.yield
// CHECK: linalg.generic
// CHECK: arith.mulf
func.func @repeated(%x: tensor<64x1xf32>, %y: tensor<64x32xf32>) -> tensor<64x32xf32> attributes {graph.entry} {
  %0 = graph.exp %x : (tensor<64x1xf32>) -> tensor<64x1xf32>
  %1 = graph.mul %0, %y : (tensor<64x1xf32>, tensor<64x32xf32>) -> tensor<64x32xf32>
  return %1 : tensor<64x32xf32>
}
