// RUN: %tenon-opt %s --graph-to-linalg --canonicalize --cse --fold-packs --bufferize-entries --canonicalize --cse --lower-checks --plan-memory | FileCheck %s

// Four products of 64x64 floats, 16 KiB each: the third result takes the place
// of the first, the last goes to the output. One more buffer is the output's
// own, for callers that bring none.
// CHECK-LABEL: func.func @static
// CHECK-SAME: tenon.arena_bytes = 49152
// CHECK-NOT: memref.alloc
func.func @static(%x: tensor<64x64xf32>) -> tensor<64x64xf32> attributes {graph.entry} {
  %w = graph.constant dense<0.5> : tensor<64x64xf32>
  %0 = graph.matmul %x, %w : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %1 = graph.matmul %0, %w : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %2 = graph.matmul %1, %w : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %3 = graph.matmul %2, %w : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  return %3 : tensor<64x64xf32>
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
