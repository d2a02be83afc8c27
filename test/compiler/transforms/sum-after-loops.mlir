// RUN: %tenon-opt %s --sum-after-loops --canonicalize | FileCheck %s

// The gradients of a recurrent layer's weights and bias: %xs is there for all
// steps, %g is kept; the product and the sum are taken once.
// CHECK-LABEL: func.func @layer
// CHECK-SAME: %[[XS:.*]]: tensor<5x4x3xf32>
// CHECK: %[[LOOP:.*]]:3 = graph.while
// CHECK-NOT: graph.matmul
// CHECK: %[[KEPT:.*]] = graph.list_set_item %{{.*}}, %{{.*}}, %[[G:.*]] :
// CHECK: graph.yield %{{.*}}, %[[G]], %[[KEPT]] : tensor<i64>, tensor<4x2xf32>, tensor<5x4x2xf32>
// CHECK-DAG: %[[X:.*]] = graph.reshape %[[XS]], {{.*}} -> tensor<20x3xf32>
// CHECK-DAG: %[[GS:.*]] = graph.reshape %[[LOOP]]#2, {{.*}} -> tensor<20x2xf32>
// CHECK-DAG: %[[W:.*]] = graph.matmul %[[X]], %[[GS]] {transpose_a}
// CHECK-DAG: %[[B:.*]] = graph.reduce_sum %[[LOOP]]#2 {axes = array<i64: 0, 1>}
// CHECK: return %[[LOOP]]#1, %[[W]], %[[B]]
func.func @layer(%xs: tensor<5x4x3xf32>, %h: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<3x2xf32>, tensor<2xf32>) attributes {graph.entry} {
  %five = graph.constant dense<5> : tensor<i64>
  %zero = graph.constant dense<0> : tensor<i64>
  %one = graph.constant dense<1> : tensor<i64>
  %w = graph.constant dense<0.0> : tensor<3x2xf32>
  %b = graph.constant dense<0.0> : tensor<2xf32>
  %r:4 = graph.while (%five, %h, %w, %b) : (tensor<i64>, tensor<4x2xf32>, tensor<3x2xf32>, tensor<2xf32>) -> (tensor<i64>, tensor<4x2xf32>, tensor<3x2xf32>, tensor<2xf32>) {
  ^bb0(%t: tensor<i64>, %a: tensor<4x2xf32>, %dw: tensor<3x2xf32>, %db: tensor<2xf32>):
    %more = graph.greater %t, %zero : (tensor<i64>, tensor<i64>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%t: tensor<i64>, %a: tensor<4x2xf32>, %dw: tensor<3x2xf32>, %db: tensor<2xf32>):
    %place = graph.sub %t, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %x = graph.list_get_item %xs, %place : (tensor<5x4x3xf32>, tensor<i64>) -> tensor<4x3xf32>
    %g = graph.tanh %a : (tensor<4x2xf32>) -> tensor<4x2xf32>
    %p = graph.matmul %x, %g {transpose_a} : (tensor<4x3xf32>, tensor<4x2xf32>) -> tensor<3x2xf32>
    %nw = graph.add %dw, %p : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
    %s = graph.reduce_sum %g {axes = array<i64: 0>} : (tensor<4x2xf32>) -> tensor<2xf32>
    %nb = graph.add %db, %s : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    graph.yield %place, %g, %nw, %nb : tensor<i64>, tensor<4x2xf32>, tensor<3x2xf32>, tensor<2xf32>
  }
  return %r#1, %r#2, %r#3 : tensor<4x2xf32>, tensor<3x2xf32>, tensor<2xf32>
}

// A sum that the loop itself looks at stays.
// CHECK-LABEL: func.func @used
// CHECK: graph.while
// CHECK: graph.matmul %{{.*}}, %{{.*}} {transpose_a}
// CHECK: graph.yield
func.func @used(%h: tensor<4x4xf32>) -> tensor<4x4xf32> attributes {graph.entry} {
  %five = graph.constant dense<5> : tensor<i64>
  %zero = graph.constant dense<0> : tensor<i64>
  %one = graph.constant dense<1> : tensor<i64>
  %r:2 = graph.while (%five, %h) : (tensor<i64>, tensor<4x4xf32>) -> (tensor<i64>, tensor<4x4xf32>) {
  ^bb0(%t: tensor<i64>, %a: tensor<4x4xf32>):
    %more = graph.greater %t, %zero : (tensor<i64>, tensor<i64>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%t: tensor<i64>, %a: tensor<4x4xf32>):
    %place = graph.sub %t, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %g = graph.tanh %a : (tensor<4x4xf32>) -> tensor<4x4xf32>
    %p = graph.matmul %g, %g {transpose_a} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %n = graph.add %a, %p : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    graph.yield %place, %n : tensor<i64>, tensor<4x4xf32>
  }
  return %r#1 : tensor<4x4xf32>
}

// So is the gradient of a list that each iteration takes its item from, of any
// size that is known in front of the loop.
// CHECK-LABEL: func.func @items
// CHECK: %[[LIST:.*]] = graph.fill {{.*}} {overwritten}
// CHECK: %[[LOOP:.*]]:3 = graph.while
// CHECK-NOT: graph.add
// CHECK: graph.list_set_item
// CHECK: graph.yield
// CHECK: return %[[LOOP]]#1, %[[LOOP]]#2
func.func @items(%g: tensor<?x2xf32>, %xs: tensor<5x?x2xf32>) -> (tensor<?x2xf32>, tensor<5x?x2xf32>)
    attributes {graph.entry} {
  %five = graph.constant dense<5> : tensor<i64>
  %zero = graph.constant dense<0> : tensor<i64>
  %one = graph.constant dense<1> : tensor<i64>
  %nothing = graph.constant dense<0.0> : tensor<f32>
  %sizes = graph.shape_of %g : (tensor<?x2xf32>) -> tensor<2xi64>
  %trips = graph.constant dense<5> : tensor<1xi64>
  %shape = graph.concat %trips, %sizes {axis = 0 : i64} : (tensor<1xi64>, tensor<2xi64>) -> tensor<3xi64>
  %empty = graph.fill %shape, %nothing : (tensor<3xi64>, tensor<f32>) -> tensor<5x?x2xf32>
  %r:3 = graph.while (%five, %g, %empty) : (tensor<i64>, tensor<?x2xf32>, tensor<5x?x2xf32>) -> (tensor<i64>, tensor<?x2xf32>, tensor<5x?x2xf32>) {
  ^bb0(%t: tensor<i64>, %a: tensor<?x2xf32>, %d: tensor<5x?x2xf32>):
    %more = graph.greater %t, %zero : (tensor<i64>, tensor<i64>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%t: tensor<i64>, %a: tensor<?x2xf32>, %d: tensor<5x?x2xf32>):
    %place = graph.sub %t, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %n = graph.tanh %a : (tensor<?x2xf32>) -> tensor<?x2xf32>
    %item = graph.list_set_item %empty, %place, %n : (tensor<5x?x2xf32>, tensor<i64>, tensor<?x2xf32>) -> tensor<5x?x2xf32>
    %sum = graph.add %d, %item : (tensor<5x?x2xf32>, tensor<5x?x2xf32>) -> tensor<5x?x2xf32>
    graph.yield %place, %n, %sum : tensor<i64>, tensor<?x2xf32>, tensor<5x?x2xf32>
  }
  return %r#1, %r#2 : tensor<?x2xf32>, tensor<5x?x2xf32>
}
