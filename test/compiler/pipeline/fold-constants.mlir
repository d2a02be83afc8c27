// What follows from constants is computed while compiling; the program reads
// the result.
// RUN: rm -rf %t.d
// RUN: %tenon compile %s -o %t --save-temps %t.d
// RUN: cat %t.d/*.linalg.mlir | FileCheck %s
// RUN: %t x=[1,1] | FileCheck %s --check-prefix=RESULT

// CHECK-LABEL: func.func @main
// CHECK-NOT: math.sqrt
// CHECK: linalg.generic
// CHECK-NOT: linalg.generic
// RESULT: [3. 4.]
func.func @main(%x: tensor<2xf32> {graph.name = "x", graph.dims = [2]}) -> (tensor<2xf32> {graph.name = "y"}) attributes {graph.entry} {
  %c = graph.constant dense<[4.0, 9.0]> : tensor<2xf32>
  %s = graph.sqrt %c : (tensor<2xf32>) -> tensor<2xf32>
  %r = graph.add %x, %s : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %r : tensor<2xf32>
}
