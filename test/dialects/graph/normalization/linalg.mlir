// RUN: %tenon-opt %s --graph-to-linalg | FileCheck %s

// The elements see one multiplication and one addition; the rest is per channel.
// CHECK-LABEL: func.func @batch_norm
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel"]
// CHECK: math.sqrt
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel"]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: arith.addf
// CHECK-NEXT: linalg.yield
func.func @batch_norm(%x: tensor<?x8xf32> {graph.name = "x", graph.dims = ["n", "8"]},
                      %c: tensor<8xf32> {graph.name = "c", graph.dims = ["8"]})
    -> (tensor<?x8xf32> {graph.name = "r"}) attributes {graph.entry} {
  %0 = graph.batch_norm %x, %c, %c, %c, %c {axis = 1 : i64}
      : (tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// The greatest element is subtracted first; one division per row.
// CHECK-LABEL: func.func @softmax
// CHECK: arith.maximumf
// CHECK: arith.subf
// CHECK: math.exp
// CHECK: arith.addf %{{.*}} fastmath<reassoc>
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel"]
// CHECK: arith.divf
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]
// CHECK: arith.mulf
func.func @softmax(%x: tensor<?x8xf32> {graph.name = "x", graph.dims = ["n", "8"]})
    -> (tensor<?x8xf32> {graph.name = "r"}) attributes {graph.entry} {
  %0 = graph.softmax %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
