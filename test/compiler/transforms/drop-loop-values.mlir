// RUN: %tenon-opt %s --drop-loop-values | FileCheck %s

// The list and what is put into it go; what the condition or the result needs
// stays.
// CHECK-LABEL: func.func @unused
// CHECK: graph.while(%{{.*}}, %{{.*}}) : (tensor<i64>, tensor<3xf32>) -> (tensor<i64>, tensor<3xf32>)
// CHECK-NOT: graph.list_set_item
// CHECK-NOT: graph.exp
// CHECK: graph.tanh
// CHECK: return
func.func @unused(%x: tensor<3xf32>, %list: tensor<4x3xf32>) -> tensor<3xf32> {
  %zero = graph.constant dense<0> : tensor<i64>
  %one = graph.constant dense<1> : tensor<i64>
  %four = graph.constant dense<4> : tensor<i64>
  %r:3 = graph.while (%zero, %x, %list) : (tensor<i64>, tensor<3xf32>, tensor<4x3xf32>) -> (tensor<i64>, tensor<3xf32>, tensor<4x3xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<3xf32>, %l: tensor<4x3xf32>):
    %more = graph.less %i, %four : (tensor<i64>, tensor<i64>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%i: tensor<i64>, %a: tensor<3xf32>, %l: tensor<4x3xf32>):
    %n = graph.add %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %b = graph.tanh %a : (tensor<3xf32>) -> tensor<3xf32>
    %e = graph.exp %a : (tensor<3xf32>) -> tensor<3xf32>
    %s = graph.list_set_item %l, %i, %e : (tensor<4x3xf32>, tensor<i64>, tensor<3xf32>) -> tensor<4x3xf32>
    graph.yield %n, %b, %s : tensor<i64>, tensor<3xf32>, tensor<4x3xf32>
  }
  return %r#1 : tensor<3xf32>
}

// A value that another one needs an iteration later stays.
// CHECK-LABEL: func.func @later
// CHECK: graph.while(%{{.*}}, %{{.*}}, %{{.*}}) :
func.func @later(%x: tensor<3xf32>) -> tensor<3xf32> {
  %zero = graph.constant dense<0> : tensor<i64>
  %one = graph.constant dense<1> : tensor<i64>
  %four = graph.constant dense<4> : tensor<i64>
  %r:3 = graph.while (%zero, %x, %x) : (tensor<i64>, tensor<3xf32>, tensor<3xf32>) -> (tensor<i64>, tensor<3xf32>, tensor<3xf32>) {
  ^bb0(%i: tensor<i64>, %a: tensor<3xf32>, %b: tensor<3xf32>):
    %more = graph.less %i, %four : (tensor<i64>, tensor<i64>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%i: tensor<i64>, %a: tensor<3xf32>, %b: tensor<3xf32>):
    %n = graph.add %i, %one : (tensor<i64>, tensor<i64>) -> tensor<i64>
    %c = graph.tanh %b : (tensor<3xf32>) -> tensor<3xf32>
    graph.yield %n, %b, %c : tensor<i64>, tensor<3xf32>, tensor<3xf32>
  }
  return %r#1 : tensor<3xf32>
}
