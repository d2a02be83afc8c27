// RUN: %tenon-opt %s --graph-to-linalg --canonicalize --cse --bufferize-entries --canonicalize --cse --lower-checks --plan-memory --lay-out-data --outline-kernels="cpu=x86-64-v3" | FileCheck %s

// Equal ops share one kernel function; each call has its own profile name.
// CHECK: module attributes {{.*}}tenon.kernels = ["first", "second"]
// CHECK-LABEL: func.func @main
// CHECK: constant @[[KERNEL:kernel_1_first]]
// CHECK: llvm.call @launch(
// CHECK: constant @[[KERNEL]]
// CHECK: llvm.call @launch(
// CHECK: func.func private @[[KERNEL]](%{{.*}}: !llvm.ptr, %{{.*}}: index, %{{.*}}: index)
// CHECK-NOT: func.func private @kernel_2
func.func @main(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) attributes {graph.entry} {
  %0 = graph.exp %x : (tensor<8xf32>) -> tensor<8xf32> loc("first")
  %1 = graph.exp %y : (tensor<8xf32>) -> tensor<8xf32> loc("second")
  return %0, %1 : tensor<8xf32>, tensor<8xf32>
}
