// RUN: %tenon-opt %s --pass-pipeline='builtin.module(graph-to-linalg,canonicalize,cse,fold-packs,func.func(fuse-elementwise),canonicalize,cse,bufferize-entries,cse,canonicalize)' | FileCheck %s

// Convolutions write their channels of the concatenation themselves.
// CHECK: %[[R:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x8x8x48xf32>
// CHECK: %[[A:.*]] = memref.subview %[[R]][0, 0, 0, 0] [%{{.*}}, 8, 8, 16]
// CHECK: kernel.contract {{.*}} outs(%[[A]] :
// CHECK-NOT: linalg.copy ins(%[[A]]
// CHECK: %[[B:.*]] = memref.subview %[[R]][0, 0, 0, 16] [%{{.*}}, 8, 8, 32]
// CHECK: kernel.contract {{.*}} outs(%[[B]] :
// CHECK-NOT: linalg.copy ins(%[[B]]
func.func @main(%x: tensor<?x8x8x16xf32> {graph.name = "x", graph.dims = ["n", "8", "8", "16"]},
                %w: tensor<3x3x16x16xf32> {graph.name = "w", graph.dims = ["3", "3", "16", "16"]},
                %u: tensor<1x1x16x32xf32> {graph.name = "u", graph.dims = ["1", "1", "16", "32"]})
    -> (tensor<?x8x8x48xf32> {graph.name = "r"}) attributes {graph.entry} {
  %a = graph.conv %x, %w {padding = "SAME"} : (tensor<?x8x8x16xf32>, tensor<3x3x16x16xf32>) -> tensor<?x8x8x16xf32>
  %c = graph.relu %a : (tensor<?x8x8x16xf32>) -> tensor<?x8x8x16xf32>
  %b = graph.conv %x, %u {padding = "SAME"} : (tensor<?x8x8x16xf32>, tensor<1x1x16x32xf32>) -> tensor<?x8x8x32xf32>
  %d = graph.relu %b : (tensor<?x8x8x32xf32>) -> tensor<?x8x8x32xf32>
  %r = graph.concat %c, %d {axis = 3 : i64} : (tensor<?x8x8x16xf32>, tensor<?x8x8x32xf32>) -> tensor<?x8x8x48xf32>
  return %r : tensor<?x8x8x48xf32>
}
