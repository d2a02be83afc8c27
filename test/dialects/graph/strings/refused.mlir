// Strings are not numbers.

// RUN: not %tenon compile %s -o %t 2>&1 | FileCheck %s
// CHECK: 'graph.reverse_sequence' op does not take strings
func.func @main(%a: tensor<2x3x!graph.string> {graph.name = "a"}, %n: tensor<2xi32> {graph.name = "n"}) -> (tensor<2x3x!graph.string> {graph.name = "r"})
    attributes {graph.entry} {
  %r = graph.reverse_sequence %a, %n {axis = 1 : i64, batch_axis = 0 : i64} : (tensor<2x3x!graph.string>, tensor<2xi32>) -> tensor<2x3x!graph.string>
  return %r : tensor<2x3x!graph.string>
}
