// RUN: %tenon-opt %s --differentiate --fold-shapes --canonicalize --cse --split-input-file | FileCheck %s

// A layer: the matrix product's derivative is a product that reads its operand
// transposed; the bias is summed over the rows. Both derivatives are one sweep.
// CHECK-LABEL: func.func @layer
// CHECK-SAME: %[[X:.*]]: tensor<4x3xf32>, %[[W:.*]]: tensor<3x5xf32>, %[[B:.*]]: tensor<5xf32>
// CHECK: %[[Y:.*]] = graph.tanh
// CHECK: %[[D:.*]] = graph.sub %{{.*}}, %{{.*}} -> tensor<4x5xf32>
// CHECK: %[[DB:.*]] = graph.reduce_sum %[[D]] {axes = array<i64: 0>}
// CHECK: %[[DW:.*]] = graph.matmul %[[X]], %[[D]] {transpose_a}
// CHECK-NOT: graph.
// CHECK: return %[[DW]], %[[DB]] : tensor<3x5xf32>, tensor<5xf32>
func.func @layer(%x: tensor<4x3xf32>, %w: tensor<3x5xf32>, %b: tensor<5xf32>) -> (tensor<3x5xf32>, tensor<5xf32>) attributes {graph.entry} {
  %m = graph.matmul %x, %w : (tensor<4x3xf32>, tensor<3x5xf32>) -> tensor<4x5xf32>
  %s = graph.add %m, %b : (tensor<4x5xf32>, tensor<5xf32>) -> tensor<4x5xf32>
  %y = graph.tanh %s : (tensor<4x5xf32>) -> tensor<4x5xf32>
  %l = graph.reduce_sum %y {axes = array<i64: 0, 1>} : (tensor<4x5xf32>) -> tensor<f32>
  %d = graph.gradient of (%l) by (%w) weights () : (tensor<f32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  %e = graph.gradient of (%l) by (%b) weights () : (tensor<f32>, tensor<5xf32>) -> tensor<5xf32>
  return %d, %e : tensor<3x5xf32>, tensor<5xf32>
}

// -----

// Twice: x^3 gives 6 x; only what is needed is left.
// CHECK-LABEL: func.func @second
// CHECK: %[[M:.*]] = graph.mul %{{.*}}, %{{.*}} : (tensor<f64>, tensor<f64>) -> tensor<f64>
// CHECK: %[[S:.*]] = graph.add %[[M]], %[[M]]
// CHECK: %[[R:.*]] = graph.add %[[S]], %[[M]]
// CHECK: return %[[R]]
func.func @second(%x: tensor<f64>) -> tensor<f64> attributes {graph.entry} {
  %q = graph.square %x : (tensor<f64>) -> tensor<f64>
  %c = graph.mul %q, %x : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%c) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  %e = graph.gradient of (%d) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %e : tensor<f64>
}

// -----

// Nothing depends on y; a stopped gradient counts for nothing.
// CHECK-LABEL: func.func @unconnected
// CHECK-SAME: %[[X:.*]]: tensor<2xf32>, %{{.*}}: tensor<2xf32>)
// CHECK: %[[ZERO:.*]] = graph.constant dense<0.000000e+00> : tensor<2xf32>
// CHECK-NOT: graph.
// CHECK: return %[[X]], %[[ZERO]]
func.func @unconnected(%x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) attributes {graph.entry} {
  %s = graph.stop_gradient %x : (tensor<2xf32>) -> tensor<2xf32>
  %z = graph.mul %s, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d, %e = graph.gradient of (%z) by (%x, %y) weights () : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  return %d, %e : tensor<2xf32>, tensor<2xf32>
}

// -----

// All reads of a variable are one source.
graph.variable @w : tensor<2xf32> = dense<1.0> : tensor<2xf32>
// CHECK-LABEL: func.func @variable
func.func @variable() -> tensor<2xf32> attributes {graph.entry} {
  %a = graph.read @w : tensor<2xf32>
  %b = graph.read @w : tensor<2xf32>
  %y = graph.mul %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %w = graph.read @w : tensor<2xf32>
  // CHECK: %[[W:.*]] = graph.read @w
  // CHECK: %[[D:.*]] = graph.add %[[W]], %[[W]]
  // CHECK: return %[[D]]
  %d = graph.gradient of (%y) by (%w) weights () {variables = [@w]} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %d : tensor<2xf32>
}

// -----

// A loop keeps the value of every iteration, four of them, and runs backwards.
// CHECK-LABEL: func.func @loop
// CHECK: graph.fill {{.*}} -> tensor<4x3xf32>
// CHECK: graph.while
// CHECK: graph.list_set_item
// CHECK: graph.while
// CHECK: graph.sub
// CHECK: graph.list_get_item
func.func @loop(%x: tensor<3xf32>) -> tensor<3xf32> attributes {graph.entry} {
  %zero = graph.constant dense<0> : tensor<i32>
  %one = graph.constant dense<1> : tensor<i32>
  %n = graph.constant dense<4> : tensor<i32>
  %i, %r = graph.while (%zero, %x) : (tensor<i32>, tensor<3xf32>) -> (tensor<i32>, tensor<3xf32>) {
  ^bb0(%k: tensor<i32>, %v: tensor<3xf32>):
    %more = graph.less %k, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%k: tensor<i32>, %v: tensor<3xf32>):
    %next = graph.add %k, %one : (tensor<i32>, tensor<i32>) -> tensor<i32>
    %w = graph.mul %v, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    graph.yield %next, %w : tensor<i32>, tensor<3xf32>
  }
  %d = graph.gradient of (%r) by (%x) weights () : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %d : tensor<3xf32>
}

// -----

// Forward mode: the tangent beside the value, by the transposed rule.
// CHECK-LABEL: func.func @tangent(
// CHECK: %[[COS:.*]] = graph.cos %arg0
// CHECK: %[[T:.*]] = graph.mul %arg1, %[[COS]]
// CHECK-NEXT: return %[[T]]
func.func @tangent(%x: tensor<3xf32>, %v: tensor<3xf32>) -> tensor<3xf32> attributes {graph.entry} {
  %y = graph.sin %x : (tensor<3xf32>) -> tensor<3xf32>
  %t = graph.tangent of (%y) by (%x) along (%v) : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %t : tensor<3xf32>
}

// -----

// A loop carries tangents beside its values and keeps nothing.
// CHECK-LABEL: func.func @tangent_loop
// CHECK-NOT: graph.fill
// CHECK: graph.while
// CHECK-NOT: graph.list_set_item
// CHECK: return
func.func @tangent_loop(%x: tensor<3xf32>, %v: tensor<3xf32>) -> tensor<3xf32> attributes {graph.entry} {
  %zero = graph.constant dense<0> : tensor<i32>
  %one = graph.constant dense<1> : tensor<i32>
  %n = graph.constant dense<4> : tensor<i32>
  %i, %r = graph.while (%zero, %x) : (tensor<i32>, tensor<3xf32>) -> (tensor<i32>, tensor<3xf32>) {
  ^bb0(%k: tensor<i32>, %y: tensor<3xf32>):
    %more = graph.less %k, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%k: tensor<i32>, %y: tensor<3xf32>):
    %next = graph.add %k, %one : (tensor<i32>, tensor<i32>) -> tensor<i32>
    %w = graph.mul %y, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    graph.yield %next, %w : tensor<i32>, tensor<3xf32>
  }
  %t = graph.tangent of (%r) by (%x) along (%v) : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %t : tensor<3xf32>
}

// -----

// The value of one, the derivative of the other.
// CHECK-LABEL: func.func @surrogate(
// CHECK-NOT: graph.round
// CHECK: graph.mul %{{.*}}, %arg0
// CHECK-NEXT: graph.add
// CHECK-NEXT: return
func.func @surrogate(%x: tensor<3xf32>) -> tensor<3xf32> attributes {graph.entry} {
  %half = graph.constant dense<0.5> : tensor<f32>
  %square = graph.mul %x, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %like = graph.mul %square, %half : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %rounded = graph.round %x : (tensor<3xf32>) -> tensor<3xf32>
  %y = graph.surrogate %rounded like %like : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %d : tensor<3xf32>
}

// -----

// A loop's result is the cotangent of its other one: that of the loop that keeps values, which takes its place.
// CHECK-LABEL: func.func @each_other
// CHECK: %[[FORWARD:.*]]:{{.*}} = graph.while
// CHECK: graph.while({{.*}}%[[FORWARD]]#{{[12]}}
func.func @each_other(%x: tensor<f32>, %y: tensor<f32>) -> tensor<f32> attributes {graph.entry} {
  %zero = graph.constant dense<0> : tensor<i32>
  %one = graph.constant dense<1> : tensor<i32>
  %n = graph.constant dense<4> : tensor<i32>
  %i, %r, %s = graph.while (%zero, %x, %y) : (tensor<i32>, tensor<f32>, tensor<f32>) -> (tensor<i32>, tensor<f32>, tensor<f32>) {
  ^bb0(%k: tensor<i32>, %v: tensor<f32>, %w: tensor<f32>):
    %more = graph.less %k, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%k: tensor<i32>, %v: tensor<f32>, %w: tensor<f32>):
    %next = graph.add %k, %one : (tensor<i32>, tensor<i32>) -> tensor<i32>
    %a = graph.mul %v, %x : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %b = graph.sin %w : (tensor<f32>) -> tensor<f32>
    graph.yield %next, %a, %b : tensor<i32>, tensor<f32>, tensor<f32>
  }
  %p = graph.mul %r, %s : (tensor<f32>, tensor<f32>) -> tensor<f32>
  %d = graph.gradient of (%p) by (%x) weights () : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return %d : tensor<f32>
}
