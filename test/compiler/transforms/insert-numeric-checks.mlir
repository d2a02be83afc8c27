// RUN: %tenon-opt %s --insert-numeric-checks --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s

// One check for each source node, not for what it computes on the way; none for
// integers and finite constants.
module attributes {tenon.check_numerics} {
  // CHECK-LABEL: func.func @main
  // CHECK: graph.is_finite %arg0
  // CHECK: graph.check {{.*}} "input 'x': the tensor has Inf or NaN elements" {tenon.numerics}
  // CHECK: graph.constant dense<5.000000e-01>
  // CHECK-NOT: graph.is_finite
  // CHECK: graph.mul
  // CHECK-NOT: graph.is_finite
  // CHECK: %[[Y:.*]] = graph.exp
  // CHECK: %[[EACH:.*]] = graph.is_finite %[[Y]]
  // CHECK: %[[ALL:.*]] = graph.reduce_all %[[EACH]] {axes = array<i64: 0, 1>}
  // CHECK: graph.check %[[ALL]] "node 'a/y' (Exp): the tensor has Inf or NaN elements" {tenon.numerics}
  // CHECK: %[[BAD:.*]] = graph.constant dense<0x7F800000>
  // CHECK: %[[NO:.*]] = graph.constant dense<false>
  // CHECK: graph.check %[[NO]] "node 'inf'
  // CHECK: graph.cast
  // CHECK-NOT: graph.check
  func.func @main(%x: tensor<?x2xf32> loc("x")) -> (tensor<?x2xf32>, tensor<f32>, tensor<?x2xi32>) attributes {graph.entry} {
    %h = graph.constant dense<0.5> : tensor<f32> loc("half")
    %0 = graph.mul %x, %h : (tensor<?x2xf32>, tensor<f32>) -> tensor<?x2xf32> loc("a/y"("Exp"))
    %1 = graph.exp %0 : (tensor<?x2xf32>) -> tensor<?x2xf32> loc("a/y"("Exp"))
    %inf = graph.constant dense<0x7F800000> : tensor<f32> loc("inf"("Const"))
    %2 = graph.cast %1 : (tensor<?x2xf32>) -> tensor<?x2xi32> loc("int"("Cast"))
    return %1, %inf, %2 : tensor<?x2xf32>, tensor<f32>, tensor<?x2xi32>
  }
}
