// RUN: %tenon-opt %s --lower-precision --fold-packs --read-in-place --fuse-elementwise --canonicalize --cse | FileCheck %s

#map = affine_map<(m, n) -> (m, n)>

module attributes {tenon.precision = "bf16"} {

// Weights are rounded when they are written; what computes the operand rounds
// it.
// CHECK: memref.global "private" constant @packed : memref<1x2x16x16xbf16> {{.*}}pairs
// CHECK-LABEL: func.func @layers
// CHECK: %[[X:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<8x16xbf16>)
// CHECK: arith.truncf
// CHECK: kernel.contract ins(%[[X]], %{{.*}} : tensor<8x16xbf16>, tensor<1x2x16x16xbf16>) outs(%{{.*}} : tensor<8x20xf32>)
// CHECK-SAME: pairs
// CHECK-NEXT: ^bb0(%{{.*}}: f32)
func.func @layers(%x: tensor<8x16xf32>) -> tensor<8x20xf32> {
  %w = arith.constant dense<0.1> : tensor<16x20xf32>
  %e = tensor.empty() : tensor<8x16xf32>
  %y = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %in : f32
    linalg.yield %0 : f32
  } -> tensor<8x16xf32>
  %pe = tensor.empty() : tensor<1x2x16x16xf32>
  %p = kernel.pack ins(%w : tensor<16x20xf32>) outs(%pe : tensor<1x2x16x16xf32>) -> tensor<1x2x16x16xf32>
  %c = tensor.empty() : tensor<8x20xf32>
  %r = kernel.contract ins(%y, %p : tensor<8x16xf32>, tensor<1x2x16x16xf32>) outs(%c : tensor<8x20xf32>) -> tensor<8x20xf32> {
  ^bb0(%s: f32):
    kernel.yield %s : f32
  }
  return %r : tensor<8x20xf32>
}

// A second operand that is computed, too; transposes are still looked through.
// CHECK-LABEL: func.func @computed
// CHECK-SAME: %[[X:.*]]: tensor<32x20xf32>, %[[Y:.*]]: tensor<32x24xf32>
// CHECK-DAG: %[[A:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<32x20xf32>) outs(%{{.*}} : tensor<32x20xbf16>)
// CHECK-DAG: %[[B:.*]] = linalg.generic {{.*}} ins(%[[Y]] : tensor<32x24xf32>) outs(%{{.*}} : tensor<32x24xbf16>)
// CHECK: kernel.contract ins(%[[A]], %[[B]] :
// CHECK-SAME: a_order = array<i64: 1, 0>, b_order = array<i64: 0, 1>{{.*}}pairs
func.func @computed(%x: tensor<32x20xf32>, %y: tensor<32x24xf32>) -> tensor<20x24xf32> {
  %te = tensor.empty() : tensor<20x32xf32>
  %t = linalg.transpose ins(%x : tensor<32x20xf32>) outs(%te : tensor<20x32xf32>) permutation = [1, 0]
  %pe = tensor.empty() : tensor<1x2x32x16xf32>
  %p = kernel.pack ins(%y : tensor<32x24xf32>) outs(%pe : tensor<1x2x32x16xf32>) -> tensor<1x2x32x16xf32>
  %c = tensor.empty() : tensor<20x24xf32>
  %r = kernel.contract ins(%t, %p : tensor<20x32xf32>, tensor<1x2x32x16xf32>) outs(%c : tensor<20x24xf32>) -> tensor<20x24xf32> {
  ^bb0(%s: f32):
    kernel.yield %s : f32
  }
  return %r : tensor<20x24xf32>
}

// An odd number of channels, an unknown one, and few of them.
// CHECK-LABEL: func.func @stay
// CHECK-NOT: bf16
// CHECK: return
func.func @stay(%a: tensor<8x17xf32>, %b: tensor<1x2x17x16xf32>, %u: tensor<8x?xf32>, %w: tensor<?x20xf32>, %k: index) -> (tensor<8x20xf32>, tensor<8x20xf32>) {
  %c = tensor.empty() : tensor<8x20xf32>
  %0 = kernel.contract ins(%a, %b : tensor<8x17xf32>, tensor<1x2x17x16xf32>) outs(%c : tensor<8x20xf32>) -> tensor<8x20xf32> {
  ^bb0(%s: f32):
    kernel.yield %s : f32
  }
  %pe = tensor.empty(%k) : tensor<1x2x?x16xf32>
  %p = kernel.pack ins(%w : tensor<?x20xf32>) outs(%pe : tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  %1 = kernel.contract ins(%u, %p : tensor<8x?xf32>, tensor<1x2x?x16xf32>) outs(%c : tensor<8x20xf32>) -> tensor<8x20xf32> {
  ^bb0(%s: f32):
    kernel.yield %s : f32
  }
  return %0, %1 : tensor<8x20xf32>, tensor<8x20xf32>
}

}
