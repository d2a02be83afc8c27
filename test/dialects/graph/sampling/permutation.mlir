// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s
// RUN: %tenon-opt %s --graph-to-linalg | FileCheck %s --check-prefix=LINALG

// CHECK-LABEL: func.func @shuffle
// CHECK: graph.random_permutation %{{.*}}, %{{.*}}, %{{.*}} :
// LINALG-LABEL: func.func @shuffle
// LINALG: scf.for
// LINALG: arith.remui
// LINALG: tensor.insert
func.func @shuffle(%n: tensor<i64> {graph.name = "n", graph.dims = []}) -> (tensor<?xi64> {graph.name = "r"}) attributes {graph.entry} {
  %key = graph.constant dense<7> : tensor<1xui64>
  %counter = graph.constant dense<0> : tensor<2xui64>
  %r = graph.random_permutation %n, %key, %counter : (tensor<i64>, tensor<1xui64>, tensor<2xui64>) -> tensor<?xi64>
  return %r : tensor<?xi64>
}
