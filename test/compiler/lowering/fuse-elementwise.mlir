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

// A mask that only an epilogue looks at is computed there.
// CHECK-LABEL: func.func @masked
// CHECK-NOT: linalg.generic
// CHECK: kernel.contract
// CHECK: arith.cmpf
// CHECK: arith.select
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @masked(%x: tensor<64x8xf32>, %y: tensor<64x5xf32>) -> tensor<64x5xf32> attributes {graph.entry} {
  %w = graph.constant dense<0.5> : tensor<8x5xf32>
  %zero = graph.constant dense<0.0> : tensor<f32>
  %0 = graph.matmul %x, %w : (tensor<64x8xf32>, tensor<8x5xf32>) -> tensor<64x5xf32>
  %1 = graph.greater %y, %zero : (tensor<64x5xf32>, tensor<f32>) -> tensor<64x5xi1>
  %2 = graph.select %1, %0, %zero : (tensor<64x5xi1>, tensor<64x5xf32>, tensor<f32>) -> tensor<64x5xf32>
  return %2 : tensor<64x5xf32>
}

// Momentum: the slot's next value is a further result of the variable's kernel.
// CHECK-LABEL: func.func @update
// CHECK: %[[BOTH:.*]]:2 = linalg.generic
// CHECK-NOT: linalg.generic
// CHECK-DAG: bufferization.materialize_in_destination %[[BOTH]]#0
// CHECK-DAG: bufferization.materialize_in_destination %[[BOTH]]#1
graph.variable @w : tensor<8xf32> = dense<1.0> : tensor<8xf32>
graph.variable @slot : tensor<8xf32> = dense<0.0> : tensor<8xf32>
func.func @update(%g: tensor<8xf32>) attributes {graph.entry} {
  %half = graph.constant dense<0.9> : tensor<f32>
  %w = graph.read @w : tensor<8xf32>
  %slot = graph.read @slot : tensor<8xf32>
  %0 = graph.mul %slot, %half : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = graph.sub %0, %g : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %2 = graph.add %w, %1 : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  graph.assign @slot, %1 : tensor<8xf32>
  graph.assign @w, %2 : tensor<8xf32>
  return
}
