// RUN: not %tenon-opt %s --differentiate --split-input-file 2>&1 | FileCheck %s

// CHECK: 'graph.unique' has no derivative: which elements are equal decides
func.func @unique(%x: tensor<3xf32>) -> tensor<3xf32> attributes {graph.entry} {
  %v, %i, %c = graph.unique %x : (tensor<3xf32>) -> (tensor<?xf32>, tensor<3xi32>, tensor<?xi32>)
  %d = graph.gradient of (%v) by (%x) weights () : (tensor<?xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %d : tensor<3xf32>
}

// -----

// CHECK: a derivative is asked for where the model forbids it: not here
func.func @forbidden(%x: tensor<3xf32>) -> tensor<3xf32> attributes {graph.entry} {
  %y = graph.stop_gradient %x {message = "not here"} : (tensor<3xf32>) -> tensor<3xf32>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %d : tensor<3xf32>
}

// -----

// CHECK: a derivative of a tensor of 'i32' is asked for
func.func @integer(%x: tensor<3xi32>) -> tensor<3xi32> attributes {graph.entry} {
  %d = graph.gradient of (%x) by (%x) weights () : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  return %d : tensor<3xi32>
}
