// RUN: %tenon-opt %s --hoist-invariants | FileCheck %s

// The weights are packed once; the product, which changes, stays, and so does
// what is cheap.
// CHECK-LABEL: func.func @layer
// CHECK: kernel.pack
// CHECK: scf.while
// CHECK-NOT: kernel.pack
// CHECK: linalg.fill
// CHECK: kernel.contract
func.func @layer(%h: tensor<4x8xf32>, %w: tensor<8x8xf32>, %n: index) -> tensor<4x8xf32> {
  %zero = arith.constant 0 : index
  %r:2 = scf.while (%i = %zero, %x = %h) : (index, tensor<4x8xf32>) -> (index, tensor<4x8xf32>) {
    %more = arith.cmpi slt, %i, %n : index
    scf.condition(%more) %i, %x : index, tensor<4x8xf32>
  } do {
  ^bb0(%i: index, %x: tensor<4x8xf32>):
    %one = arith.constant 1 : index
    %0 = tensor.empty() : tensor<1x1x8x16xf32>
    %p = kernel.pack ins(%w : tensor<8x8xf32>) outs(%0 : tensor<1x1x8x16xf32>) -> tensor<1x1x8x16xf32>
    %f = arith.constant 0.0 : f32
    %1 = tensor.empty() : tensor<4x8xf32>
    %2 = linalg.fill ins(%f : f32) outs(%1 : tensor<4x8xf32>) -> tensor<4x8xf32>
    %y = kernel.contract ins(%x, %p : tensor<4x8xf32>, tensor<1x1x8x16xf32>) outs(%2 : tensor<4x8xf32>)
        -> tensor<4x8xf32> {
    ^bb0(%sum: f32):
      kernel.yield %sum : f32
    }
    %next = arith.addi %i, %one : index
    scf.yield %next, %y : index, tensor<4x8xf32>
  }
  return %r#1 : tensor<4x8xf32>
}
