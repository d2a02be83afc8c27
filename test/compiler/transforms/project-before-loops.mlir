// RUN: %tenon-opt %s --project-before-loops --canonicalize | FileCheck %s

// A recurrent layer: what depends on the inputs alone is one product.
// CHECK-LABEL: func.func @layer
// CHECK-SAME: %[[XS:.*]]: tensor<5x4x3xf32>, %{{.*}}: tensor<4x2xf32>, %[[W:.*]]: tensor<3x2xf32>, %[[U:.*]]: tensor<2x2xf32>
// CHECK: %[[ROWS:.*]] = graph.reshape %[[XS]], {{.*}} -> tensor<20x3xf32>
// CHECK: %[[ALL:.*]] = graph.matmul %[[ROWS]], %[[W]] : {{.*}} -> tensor<20x2xf32>
// CHECK: %[[PS:.*]] = graph.reshape %[[ALL]], {{.*}} -> tensor<5x4x2xf32>
// CHECK: graph.while
// CHECK: graph.list_get_item %[[PS]], %{{.*}} -> tensor<4x2xf32>
// CHECK: graph.matmul %{{.*}}, %[[U]]
// CHECK-NOT: graph.matmul
// CHECK: return
func.func @layer(%xs: tensor<5x4x3xf32>, %h: tensor<4x2xf32>, %w: tensor<3x2xf32>, %u: tensor<2x2xf32>) -> tensor<4x2xf32> attributes {graph.entry} {
  %five = graph.constant dense<5> : tensor<i32>
  %zero = graph.constant dense<0> : tensor<i32>
  %one = graph.constant dense<1> : tensor<i32>
  %r:3 = graph.while (%zero, %h, %xs) : (tensor<i32>, tensor<4x2xf32>, tensor<5x4x3xf32>) -> (tensor<i32>, tensor<4x2xf32>, tensor<5x4x3xf32>) {
  ^bb0(%t: tensor<i32>, %a: tensor<4x2xf32>, %l: tensor<5x4x3xf32>):
    %more = graph.less %t, %five : (tensor<i32>, tensor<i32>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%t: tensor<i32>, %a: tensor<4x2xf32>, %l: tensor<5x4x3xf32>):
    %x = graph.list_get_item %l, %t : (tensor<5x4x3xf32>, tensor<i32>) -> tensor<4x3xf32>
    %p = graph.matmul %x, %w : (tensor<4x3xf32>, tensor<3x2xf32>) -> tensor<4x2xf32>
    %q = graph.matmul %a, %u : (tensor<4x2xf32>, tensor<2x2xf32>) -> tensor<4x2xf32>
    %s = graph.add %p, %q : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
    %next = graph.add %t, %one : (tensor<i32>, tensor<i32>) -> tensor<i32>
    graph.yield %next, %s, %l : tensor<i32>, tensor<4x2xf32>, tensor<5x4x3xf32>
  }
  return %r#1 : tensor<4x2xf32>
}

// Unknown sizes.
// CHECK-LABEL: func.func @unknown
// CHECK: graph.matmul %{{.*}} : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
// CHECK: graph.while
// CHECK-NOT: graph.matmul
// CHECK: return
func.func @unknown(%xs: tensor<?x?x8xf32> {graph.dims = ["t", "b", 8]}, %h: tensor<?x2xf32> {graph.dims = ["b", 2]}, %w: tensor<2x8xf32>, %n: tensor<i32>) -> tensor<?x2xf32> attributes {graph.entry} {
  %zero = graph.constant dense<0> : tensor<i32>
  %one = graph.constant dense<1> : tensor<i32>
  %r:2 = graph.while (%n, %h) : (tensor<i32>, tensor<?x2xf32>) -> (tensor<i32>, tensor<?x2xf32>) {
  ^bb0(%t: tensor<i32>, %a: tensor<?x2xf32>):
    %more = graph.greater %t, %zero : (tensor<i32>, tensor<i32>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%t: tensor<i32>, %a: tensor<?x2xf32>):
    %next = graph.sub %t, %one : (tensor<i32>, tensor<i32>) -> tensor<i32>
    %x = graph.list_get_item %xs, %next : (tensor<?x?x8xf32>, tensor<i32>) -> tensor<?x8xf32>
    %p = graph.matmul %x, %w {transpose_b} : (tensor<?x8xf32>, tensor<2x8xf32>) -> tensor<?x2xf32>
    %s = graph.add %p, %a : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
    graph.yield %next, %s : tensor<i32>, tensor<?x2xf32>
  }
  return %r#1 : tensor<?x2xf32>
}

// A list that the loop changes, weights that it changes, an item that is taken
// by a computed number, and products that take much more memory stay.
// CHECK-LABEL: func.func @stay
// CHECK: graph.while
// CHECK-COUNT-4: graph.matmul
// CHECK: return
func.func @stay(%xs: tensor<5x4x3xf32>, %w: tensor<3x3xf32>, %wide: tensor<3x13xf32>, %is: tensor<5xi32>) -> (tensor<5x4x3xf32>, tensor<3x3xf32>, tensor<4x13xf32>, tensor<4x3xf32>) attributes {graph.entry} {
  %five = graph.constant dense<5> : tensor<i32>
  %zero = graph.constant dense<0> : tensor<i32>
  %one = graph.constant dense<1> : tensor<i32>
  %init = graph.constant dense<0.0> : tensor<4x13xf32>
  %start = graph.constant dense<0.0> : tensor<4x3xf32>
  %r:5 = graph.while (%zero, %xs, %w, %init, %start) : (tensor<i32>, tensor<5x4x3xf32>, tensor<3x3xf32>, tensor<4x13xf32>, tensor<4x3xf32>) -> (tensor<i32>, tensor<5x4x3xf32>, tensor<3x3xf32>, tensor<4x13xf32>, tensor<4x3xf32>) {
  ^bb0(%t: tensor<i32>, %l: tensor<5x4x3xf32>, %v: tensor<3x3xf32>, %a: tensor<4x13xf32>, %c: tensor<4x3xf32>):
    %more = graph.less %t, %five : (tensor<i32>, tensor<i32>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%t: tensor<i32>, %l: tensor<5x4x3xf32>, %v: tensor<3x3xf32>, %a: tensor<4x13xf32>, %c: tensor<4x3xf32>):
    %changed = graph.list_get_item %l, %t : (tensor<5x4x3xf32>, tensor<i32>) -> tensor<4x3xf32>
    %0 = graph.matmul %changed, %w : (tensor<4x3xf32>, tensor<3x3xf32>) -> tensor<4x3xf32>
    %x = graph.list_get_item %xs, %t : (tensor<5x4x3xf32>, tensor<i32>) -> tensor<4x3xf32>
    %1 = graph.matmul %x, %v : (tensor<4x3xf32>, tensor<3x3xf32>) -> tensor<4x3xf32>
    %2 = graph.matmul %x, %wide : (tensor<4x3xf32>, tensor<3x13xf32>) -> tensor<4x13xf32>
    %i = graph.list_get_item %is, %t : (tensor<5xi32>, tensor<i32>) -> tensor<i32>
    %y = graph.list_get_item %xs, %i : (tensor<5x4x3xf32>, tensor<i32>) -> tensor<4x3xf32>
    %3 = graph.matmul %y, %w : (tensor<4x3xf32>, tensor<3x3xf32>) -> tensor<4x3xf32>
    %list = graph.list_set_item %l, %t, %0 : (tensor<5x4x3xf32>, tensor<i32>, tensor<4x3xf32>) -> tensor<5x4x3xf32>
    %u = graph.add %v, %v : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
    %d = graph.add %1, %3 : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
    %next = graph.add %t, %one : (tensor<i32>, tensor<i32>) -> tensor<i32>
    graph.yield %next, %list, %u, %2, %d : tensor<i32>, tensor<5x4x3xf32>, tensor<3x3xf32>, tensor<4x13xf32>, tensor<4x3xf32>
  }
  return %r#1, %r#2, %r#3, %r#4 : tensor<5x4x3xf32>, tensor<3x3xf32>, tensor<4x13xf32>, tensor<4x3xf32>
}
