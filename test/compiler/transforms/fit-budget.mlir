// RUN: %tenon-opt %s --fit-budget | FileCheck %s

// %y is cheap to have again from the argument; %m is needed all the time.
// CHECK: module attributes {tenon.memory_budget = 8192 : i64, tenon.recomputed = ["{{.*}} (exp), 4096 bytes"]}
module attributes {tenon.memory_budget = 8192 : i64} {
  // CHECK-LABEL: func.func @kept
  // CHECK-SAME: %[[X:.*]]: tensor<32x32xf32>
  // CHECK: %[[Y:.*]] = graph.exp %[[X]]
  // CHECK: %[[M:.*]] = graph.matmul %[[Y]], %[[Y]]
  // CHECK: %[[N:.*]] = graph.matmul %[[M]], %[[X]]
  // CHECK: %[[O:.*]] = graph.matmul %[[N]], %[[M]]
  // CHECK: %[[AGAIN:.*]] = graph.exp %[[X]] {tenon.again = 0 : i64}
  // CHECK: graph.matmul %[[AGAIN]], %[[O]]
  func.func @kept(%x: tensor<32x32xf32>) -> tensor<32x32xf32> attributes {graph.entry} {
    %y = graph.exp %x : (tensor<32x32xf32>) -> tensor<32x32xf32>
    %m = graph.matmul %y, %y : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
    %n = graph.matmul %m, %x : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
    %o = graph.matmul %n, %m : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
    %r = graph.matmul %y, %o : (tensor<32x32xf32>, tensor<32x32xf32>) -> tensor<32x32xf32>
    return %r : tensor<32x32xf32>
  }
}
