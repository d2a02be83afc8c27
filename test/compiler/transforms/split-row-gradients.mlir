// RUN: tenon-opt %s --split-row-gradients | FileCheck %s

// CHECK-LABEL: @rows
// CHECK: %[[Q:.*]] = graph.square %arg1
// CHECK: %[[S:.*]] = graph.scatter_nd %arg0, %[[Q]]
// CHECK: return %[[S]]
func.func @rows(%rows: tensor<3x1xi64>, %d: tensor<3x2xf32>) -> tensor<5x2xf32> {
  %shape = graph.constant dense<[5, 2]> : tensor<2xi64>
  %g = graph.scatter_nd %rows, %d, %shape : (tensor<3x1xi64>, tensor<3x2xf32>, tensor<2xi64>) -> tensor<5x2xf32>
  %s = graph.square %g {graph.by_rows} : (tensor<5x2xf32>) -> tensor<5x2xf32>
  return %s : tensor<5x2xf32>
}

// What is clipped is rows again.
// CHECK-LABEL: @clipped
// CHECK: %[[C:.*]] = graph.clip %arg1
// CHECK: %[[Q:.*]] = graph.square %[[C]]
// CHECK: %[[S:.*]] = graph.scatter_nd %arg0, %[[Q]]
// CHECK: return %[[S]]
func.func @clipped(%rows: tensor<3x1xi64>, %d: tensor<3x2xf32>, %low: tensor<f32>, %high: tensor<f32>) -> tensor<5x2xf32> {
  %shape = graph.constant dense<[5, 2]> : tensor<2xi64>
  %g = graph.scatter_nd %rows, %d, %shape : (tensor<3x1xi64>, tensor<3x2xf32>, tensor<2xi64>) -> tensor<5x2xf32>
  %c = graph.clip %g, %low, %high {graph.by_rows} : (tensor<5x2xf32>, tensor<f32>, tensor<f32>) -> tensor<5x2xf32>
  %s = graph.square %c {graph.by_rows} : (tensor<5x2xf32>) -> tensor<5x2xf32>
  return %s : tensor<5x2xf32>
}

// The rows of two lookups are rows of one gradient; anything else is dense.
// CHECK-LABEL: @mixed
// CHECK: graph.add
// CHECK-NEXT: graph.square
// CHECK-NOT: by_rows
func.func @mixed(%rows: tensor<3x1xi64>, %d: tensor<3x2xf32>, %e: tensor<5x2xf32>) -> tensor<5x2xf32> {
  %shape = graph.constant dense<[5, 2]> : tensor<2xi64>
  %g = graph.scatter_nd %rows, %d, %shape : (tensor<3x1xi64>, tensor<3x2xf32>, tensor<2xi64>) -> tensor<5x2xf32>
  %h = graph.add %g, %e : (tensor<5x2xf32>, tensor<5x2xf32>) -> tensor<5x2xf32>
  %s = graph.square %h {graph.by_rows} : (tensor<5x2xf32>) -> tensor<5x2xf32>
  return %s : tensor<5x2xf32>
}
