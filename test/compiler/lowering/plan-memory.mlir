// RUN: %tenon-opt %s --graph-to-linalg --canonicalize --cse --bufferize-entries --canonicalize --cse --lower-checks --plan-memory | FileCheck %s

// Two transposes and their sum: the buffers of the transposes live together,
// the sum goes to the output. 64x64 floats are 16 KiB; one more is the output's
// own buffer, for callers that bring none.
// CHECK-LABEL: func.func @static
// CHECK-SAME: tenon.arena_bytes = 49152
// CHECK-NOT: memref.alloc
func.func @static(%x: tensor<64x64xf32>, %y: tensor<64x64xf32>) -> tensor<64x64xf32> attributes {graph.entry} {
  %0 = graph.transpose %x {permutation = array<i64: 1, 0>} : (tensor<64x64xf32>) -> tensor<64x64xf32>
  %1 = graph.transpose %y {permutation = array<i64: 1, 0>} : (tensor<64x64xf32>) -> tensor<64x64xf32>
  %2 = graph.cumsum %0 {axis = 0 : i64} : (tensor<64x64xf32>) -> tensor<64x64xf32>
  %3 = graph.cumsum %1 {axis = 0 : i64} : (tensor<64x64xf32>) -> tensor<64x64xf32>
  %4 = graph.add %2, %3 : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  return %4 : tensor<64x64xf32>
}

// Sizes that follow from the inputs are reserved once, on entry; without the
// memory the entry returns its status.
// CHECK-LABEL: func.func @dynamic
// CHECK: llvm.call @tenon_reserve
// CHECK: cf.cond_br
// CHECK-NOT: memref.alloc
func.func @dynamic(%x: tensor<?x4xf32>) -> tensor<?x4xf32> attributes {graph.entry} {
  %0 = graph.softmax %x : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
