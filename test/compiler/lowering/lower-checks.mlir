// RUN: %tenon-opt %s --graph-to-linalg --bufferize-entries --lower-checks | FileCheck %s

// The message is one of the signature's; a percent sign in it is doubled. The
// loop around the check ends when it fails.
// CHECK: tenon.failures = ["100%% needed"]
// CHECK-LABEL: func.func @main
// CHECK: scf.while
// CHECK: arith.andi
// CHECK: scf.condition
// CHECK: scf.if
// CHECK: llvm.call @tenon_fail
func.func @main(%x: tensor<i32>, %ok: tensor<i1>) -> tensor<i32> attributes {graph.entry} {
  %n = graph.constant dense<5> : tensor<i32>
  %one = graph.constant dense<1> : tensor<i32>
  %r = graph.while (%x) : (tensor<i32>) -> tensor<i32> {
  ^bb0(%i: tensor<i32>):
    %more = graph.less %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%i: tensor<i32>):
    graph.check %ok "100% needed" : tensor<i1>
    %next = graph.add %i, %one : (tensor<i32>, tensor<i32>) -> tensor<i32>
    graph.yield %next : tensor<i32>
  }
  return %r : tensor<i32>
}
