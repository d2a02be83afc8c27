// RUN: %tenon-opt %s --freeze-variables | FileCheck %s

// A training program keeps what no entry writes: its commands do, or export it.
module attributes {graph.training} {
  // CHECK: graph.variable @rate
  graph.variable @rate : tensor<f32> = dense<1.0> : tensor<f32>
  // CHECK-NOT: graph.variable @nobody
  graph.variable @nobody : tensor<f32> = dense<1.0> : tensor<f32>

  // CHECK-LABEL: func.func @step
  // CHECK: graph.read @rate
  func.func @step() -> tensor<f32> attributes {graph.entry} {
    %rate = graph.read @rate : tensor<f32>
    return %rate : tensor<f32>
  }
}
