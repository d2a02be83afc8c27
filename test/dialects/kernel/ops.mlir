// RUN: %tenon-opt %s | FileCheck %s
// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func @matmul
// CHECK: kernel.contract ins(%{{.*}}, %{{.*}} : tensor<8x32xf32>, tensor<1x2x32x16xf32>)
// CHECK-SAME: epilogue(%{{.*}} : tensor<20xf32>)
// CHECK-SAME: outs(%{{.*}} : tensor<8x20xf32>)
// CHECK-SAME: epilogue_maps = [#{{.*}}]
// CHECK: kernel.yield %{{.*}} : f32
func.func @matmul(%a: tensor<8x32xf32>, %b: tensor<1x2x32x16xf32>,
                  %bias: tensor<20xf32>, %c: tensor<8x20xf32>) -> tensor<8x20xf32> {
  %r = kernel.contract ins(%a, %b : tensor<8x32xf32>, tensor<1x2x32x16xf32>)
      epilogue(%bias : tensor<20xf32>) outs(%c : tensor<8x20xf32>)
      attributes {epilogue_maps = [affine_map<(m, n) -> (n)>]} -> tensor<8x20xf32> {
  ^bb0(%sum: f32, %x: f32):
    %zero = arith.constant 0.0 : f32
    %0 = arith.addf %sum, %x : f32
    %1 = arith.maximumf %0, %zero : f32
    kernel.yield %1 : f32
  }
  return %r : tensor<8x20xf32>
}

// CHECK-LABEL: func @pack
// CHECK: kernel.pack ins(%{{.*}} : tensor<3x3x8x20xf32>) outs(%{{.*}} : tensor<1x2x3x3x8x16xf32>)
// CHECK-SAME: {spatial = 2 : i64} -> tensor<1x2x3x3x8x16xf32>
func.func @pack(%w: tensor<3x3x8x20xf32>, %init: tensor<1x2x3x3x8x16xf32>)
    -> tensor<1x2x3x3x8x16xf32> {
  %p = kernel.pack ins(%w : tensor<3x3x8x20xf32>)
      outs(%init : tensor<1x2x3x3x8x16xf32>) {spatial = 2 : i64}
      -> tensor<1x2x3x3x8x16xf32>
  return %p : tensor<1x2x3x3x8x16xf32>
}

// CHECK-LABEL: func @window
// CHECK: kernel.window max ins(%{{.*}} : memref<1x8x8x3xf32>) outs(%{{.*}} : memref<1x4x4x3xf32>)
func.func @window(%x: memref<1x8x8x3xf32>, %y: memref<1x4x4x3xf32>) {
  kernel.window max ins(%x : memref<1x8x8x3xf32>)
      outs(%y : memref<1x4x4x3xf32>) attributes {
      window = array<i64: 2, 2>, strides = array<i64: 2, 2>,
      dilations = array<i64: 1, 1>, padding = array<i64: 0, 0>} {
  ^bb0(%value: f32):
    kernel.yield %value : f32
  }
  return
}

// A table of one column has more dimensions than are walked.
// CHECK-LABEL: func @rows_of_a_column
// CHECK: kernel.rows
func.func @rows_of_a_column(%x: tensor<24x1xf32>, %z: f32, %y: tensor<1xf32>) -> tensor<1xf32> {
  %0 = kernel.rows ins(%x, %z : tensor<24x1xf32>, f32) outs(%y : tensor<1xf32>) attributes {kinds = array<i64: 1>,
      maps = [affine_map<(c) -> (c, 0)>, affine_map<(c) -> ()>, affine_map<(c) -> (0)>], row_rank = 0 : i64,
      starts = array<i64: 1>, yields = array<i64: 0>} -> tensor<1xf32> {
  ^bb0(%e: f32, %s: f32, %sum: f32):
    %0 = arith.addf %sum, %e fastmath<reassoc> : f32
    kernel.row_yield %0 : f32
  }
  return %0 : tensor<1xf32>
}
