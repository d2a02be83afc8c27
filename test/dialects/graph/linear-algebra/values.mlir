// Factorizations, solutions and decoding of sequences.

// RUN: %tenon compile %s --cpu native -o %t
// RUN: %t --entry square 'a=[[4, 2], [2, 3]]' | FileCheck %s --check-prefix=SQUARE
// RUN: %t --entry wide 'a=[[1, 2, 2], [3, 4, 0]]' | FileCheck %s --check-prefix=WIDE
// RUN: %t --entry solve 'a=[[2, 1], [1, 3]]' 'b=[[3], [5]]' | FileCheck %s --check-prefix=SOLVE
// RUN: not %t --entry solve 'a=[[1, 2], [2, 4]]' 'b=[[3], [5]]' 2>&1 | FileCheck %s --check-prefix=SINGULAR
// RUN: %t --entry decode 'x=[[[0.1, 2, 0]], [[0, 3, 0]], [[0, 0, 1]], [[4, 0, 0]]]' 'n=[4]' | FileCheck %s --check-prefix=DECODE
// RUN: not %t --entry decode 'x=[[[0.1, 2, 0]], [[0, 3, 0]], [[0, 0, 1]], [[4, 0, 0]]]' 'n=[5]' 2>&1 | FileCheck %s --check-prefix=LONG

// SQUARE: l:
// SQUARE-NEXT: {{\[\[}}2. {{ *}}0.
// SQUARE-NEXT: [1. {{ *}}1.41421{{[0-9]*}}]]
// SQUARE-NEXT: inverse:
// SQUARE-NEXT: {{\[\[}} 0.375 -0.25 ]
// SQUARE-NEXT: [-0.25 {{ *}}0.5 ]]
// SQUARE-NEXT: det: 8.0
// SQUARE-NEXT: e: [1.4384472 5.561553 ]
func.func @square(%a: tensor<2x2xf32> {graph.name = "a"})
    -> (tensor<2x2xf32> {graph.name = "l"}, tensor<2x2xf32> {graph.name = "inverse"}, tensor<f32> {graph.name = "det"}, tensor<2xf32> {graph.name = "e"})
    attributes {graph.entry} {
  %l = graph.cholesky %a : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %i = graph.matrix_inverse %a : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %d = graph.determinant %a : (tensor<2x2xf32>) -> tensor<f32>
  %e, %v = graph.self_adjoint_eig %a {compute_v} : (tensor<2x2xf32>) -> (tensor<2xf32>, tensor<2x2xf32>)
  return %l, %i, %d, %e : tensor<2x2xf32>, tensor<2x2xf32>, tensor<f32>, tensor<2xf32>
}

// WIDE: q:
// WIDE-NEXT: {{\[\[}}-0.3162277{{[0-9]*}} -0.9486833 ]
// WIDE-NEXT: [-0.9486833 {{ *}}0.3162277{{[0-9]*}}]]
// WIDE-NEXT: s: [5.53185{{[0-9]*}} 1.84351{{[0-9]*}}]
func.func @wide(%a: tensor<2x3xf32> {graph.name = "a"}) -> (tensor<2x2xf32> {graph.name = "q"}, tensor<2xf32> {graph.name = "s"}) attributes {graph.entry} {
  %q, %r = graph.qr %a : (tensor<2x3xf32>) -> (tensor<2x2xf32>, tensor<2x3xf32>)
  %s, %u, %v = graph.svd %a {compute_uv} : (tensor<2x3xf32>) -> (tensor<2xf32>, tensor<2x2xf32>, tensor<3x2xf32>)
  return %q, %s : tensor<2x2xf32>, tensor<2xf32>
}

// SOLVE: {{\[\[}}0.8]
// SOLVE-NEXT: [1.4]]
// SINGULAR: error: node 'solve': matrix 0 is not invertible
func.func @solve(%a: tensor<2x2xf64> {graph.name = "a"}, %b: tensor<2x1xf64> {graph.name = "b"}) -> (tensor<2x1xf64> {graph.name = "x"}) attributes {graph.entry} {
  %x = graph.matrix_solve %a, %b : (tensor<2x2xf64>, tensor<2x1xf64>) -> tensor<2x1xf64> loc("solve")
  return %x : tensor<2x1xf64>
}

// DECODE: values: [1 0]
// DECODE-NEXT: score:
// DECODE-NEXT: {{\[\[}}-10.]]
// DECODE-NEXT: best: [1 0]
// LONG: error: node 'greedy': sequence_length(0) is 5, there are 4 steps
func.func @decode(%x: tensor<4x1x3xf32> {graph.name = "x"}, %n: tensor<1xi32> {graph.name = "n"})
    -> (tensor<?xi64> {graph.name = "values"}, tensor<1x1xf32> {graph.name = "score"}, tensor<?xi64> {graph.name = "best"}) attributes {graph.entry} {
  %i, %v, %s, %p = graph.ctc_greedy %x, %n {merge, blank = -1} : (tensor<4x1x3xf32>, tensor<1xi32>) -> (tensor<?x2xi64>, tensor<?xi64>, tensor<2xi64>, tensor<1x1xf32>) loc("greedy")
  %b:4 = graph.ctc_beam %x, %n {width = 4, paths = 1} : (tensor<4x1x3xf32>, tensor<1xi32>) -> (tensor<?x2xi64>, tensor<?xi64>, tensor<2xi64>, tensor<1x1xf32>)
  return %v, %p, %b#1 : tensor<?xi64>, tensor<1x1xf32>, tensor<?xi64>
}
