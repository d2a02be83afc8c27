// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @list_get_item
// CHECK: graph.list_get_item %
func.func @list_get_item(%list: tensor<4x3xf32>, %i: tensor<i32>) -> (tensor<3xf32>) {
  %r = graph.list_get_item %list, %i : (tensor<4x3xf32>, tensor<i32>) -> tensor<3xf32>
  return %r : tensor<3xf32>
}

// CHECK-LABEL: func.func @list_set_item
// CHECK: graph.list_set_item %
func.func @list_set_item(%list: tensor<4x3xf32>, %i: tensor<i32>, %item: tensor<3xf32>) -> (tensor<4x3xf32>) {
  %r = graph.list_set_item %list, %i, %item : (tensor<4x3xf32>, tensor<i32>, tensor<3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}
