// RUN: %tenon-opt %s --freeze-variables | FileCheck %s

// Nobody writes @w: it is a constant. @v changes.
// CHECK-NOT: graph.variable @w
graph.variable @w : tensor<2xf32> = dense<1.0> : tensor<2xf32>
// CHECK: graph.variable @v
graph.variable @v : tensor<2xf32> = dense<2.0> : tensor<2xf32>

// CHECK-LABEL: func.func @step
// CHECK: %[[W:.*]] = graph.constant dense<1.000000e+00> : tensor<2xf32>
// CHECK: %[[V:.*]] = graph.read @v
// CHECK: %[[S:.*]] = graph.add %[[V]], %[[W]]
// CHECK: graph.assign @v, %[[S]]
func.func @step() -> tensor<i1> attributes {graph.entry} {
  %w = graph.read @w : tensor<2xf32>
  %v = graph.read @v : tensor<2xf32>
  %s = graph.add %v, %w : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  graph.assign @v, %s : tensor<2xf32>
  // CHECK: graph.constant dense<true>
  %known = graph.is_initialized @w : tensor<i1>
  return %known : tensor<i1>
}
