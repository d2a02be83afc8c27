// RUN: not %tenon-opt %s --graph-to-linalg 2>&1 | FileCheck %s

// CHECK: error: an input of type 'tensor<6x!graph.string>' is not supported
func.func @main(%x: tensor<6x!graph.string> {graph.name = "x", graph.dims = ["6"]},
                %s: tensor<2xi32> {graph.name = "s", graph.dims = ["2"]})
    -> (tensor<?x?x!graph.string> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.reshape %x, %s : (tensor<6x!graph.string>, tensor<2xi32>) -> tensor<?x?x!graph.string>
  return %r : tensor<?x?x!graph.string>
}
