// RUN: %tenon-opt %s --graph-to-linalg --plan-memory | FileCheck %s

// The first version that fits is called; what the last one fixes the runtime
// has checked. The memory that a call needs is that of the version it takes.
// CHECK: func.func @main(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[DIMS:.*]]: !llvm.ptr) -> i32
// CHECK: %[[ROWS:.*]] = llvm.load %[[DIMS]]
// CHECK: %[[SIZE:.*]] = arith.index_cast %[[ROWS]]
// CHECK: %[[TWO:.*]] = arith.constant 2 : index
// CHECK: %[[FITS:.*]] = arith.cmpi eq, %[[SIZE]], %[[TWO]]
// CHECK-NOT: arith.cmpi
// CHECK: scf.if %[[FITS]]
// CHECK: call @main.first
// CHECK: else
// CHECK: call @main.dynamic
// CHECK: func.func private @main.reserve(%{{.*}}: !llvm.ptr) -> i64
// CHECK: scf.if
// CHECK: call @main.first.reserve
// CHECK: else
// CHECK: call @main.dynamic.reserve
// CHECK: func.func private @main.first(
func.func @main(%x: tensor<2x3xf32> {graph.dims = [2, 3]}) -> tensor<2x3xf32>
    attributes {graph.entry, graph.fallback = @main.dynamic} {
  %0 = graph.exp %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
func.func @main.dynamic(%x: tensor<?x3xf32> {graph.dims = ["n", 3]}) -> tensor<?x3xf32>
    attributes {graph.entry, graph.version} {
  %0 = graph.exp %x : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}
