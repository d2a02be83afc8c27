// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @no_list(%a: tensor<f32>, %i: tensor<i32>) {
  // expected-error@+1 {{list is a scalar, expected a first dimension that counts its items}}
  %0 = graph.list_get_item %a, %i : (tensor<f32>, tensor<i32>) -> tensor<f32>
  return
}

// -----

func.func @item(%a: tensor<4x3xf32>, %i: tensor<i32>, %x: tensor<2xf32>) {
  // expected-error@+1 {{sizes of item and list differ: 2 and 3}}
  %0 = graph.list_set_item %a, %i, %x : (tensor<4x3xf32>, tensor<i32>, tensor<2xf32>) -> tensor<4x3xf32>
  return
}
