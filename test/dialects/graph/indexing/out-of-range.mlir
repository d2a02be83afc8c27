// RUN: %tenon compile %s --cpu native -o %t
// RUN: not %t "x=[[1], [2], [3]]" "i=[1, 3]" "k=0" 2>&1 | FileCheck %s --check-prefix=GATHER
// RUN: not %t "x=[[1], [2], [3]]" "i=[-1]" "k=0" 2>&1 | FileCheck %s --check-prefix=GATHER
// RUN: not %t "x=[[1], [2], [3]]" "i=[0]" "k=3" 2>&1 | FileCheck %s --check-prefix=INDEX
// RUN: %t "x=[[1], [2], [3]]" "i=[2, 0]" "k=-1" | FileCheck %s --check-prefix=GOOD
// GATHER: error: node 'lookup': index is out of range
// INDEX: error: node 'row': index is out of range
// GOOD: 3
func.func @main(%x: tensor<3x1xf32> {graph.name = "x", graph.dims = ["3", "1"]},
                %i: tensor<?xi32> {graph.name = "i", graph.dims = ["n"]}, %k: tensor<i32> {graph.name = "k"})
    -> (tensor<?x1xf32> {graph.name = "rows"}, tensor<1xf32> {graph.name = "last"}) attributes {graph.entry} {
  %r = graph.gather %x, %i : (tensor<3x1xf32>, tensor<?xi32>) -> tensor<?x1xf32> loc("lookup")
  %one = graph.constant dense<1> : tensor<1xi32>
  %b = graph.pack %k : (tensor<i32>) -> tensor<1xi32>
  %s = graph.strided_slice %x, %b, %b, %one {shrink_axis_mask = 1 : i64} : (tensor<3x1xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<1xf32> loc("row")
  return %r, %s : tensor<?x1xf32>, tensor<1xf32>
}
