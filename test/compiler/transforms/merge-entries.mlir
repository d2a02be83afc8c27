// RUN: tenon-opt --merge-entries %s | FileCheck %s

// Names of arguments, results, sizes and calls are no code.
//
// CHECK-LABEL: func.func @serve(
// CHECK-SAME: attributes {graph.aliases = ["serving_default", "third"], graph.entry}
func.func @serve(%x: tensor<?x?xf32> {graph.dims = ["n", "m"], graph.name = "x"})
    -> (tensor<?x?xf32> {graph.name = "y"}) attributes {graph.entry} {
  %0 = graph.exp %x : (tensor<?x?xf32>) -> tensor<?x?xf32> loc("call/exp")
  return %0 : tensor<?x?xf32>
}

// CHECK-NOT: @serving_default
func.func @serving_default(%a: tensor<?x?xf32> {graph.dims = ["rows", "columns"], graph.name = "a"})
    -> (tensor<?x?xf32> {graph.name = "b"}) attributes {graph.entry} {
  %0 = graph.exp %a : (tensor<?x?xf32>) -> tensor<?x?xf32> loc("call_1/exp")
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @square(
func.func @square(%x: tensor<?x?xf32> {graph.dims = ["n", "n"], graph.name = "x"})
    -> (tensor<?x?xf32> {graph.name = "y"}) attributes {graph.entry} {
  %0 = graph.exp %x : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-NOT: @third
func.func @third(%x: tensor<?x?xf32> {graph.dims = ["m", "n"], graph.name = "x"})
    -> (tensor<?x?xf32> {graph.name = "y"}) attributes {graph.entry} {
  %0 = graph.exp %x : (tensor<?x?xf32>) -> tensor<?x?xf32> loc("call/exp")
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func @log(
func.func @log(%x: tensor<?x?xf32> {graph.dims = ["n", "m"], graph.name = "x"})
    -> (tensor<?x?xf32> {graph.name = "y"}) attributes {graph.entry} {
  %0 = graph.log %x : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// An error must name the node that was run.
//
// CHECK-LABEL: func.func @other_node(
func.func @other_node(%x: tensor<?x?xf32> {graph.dims = ["n", "m"], graph.name = "x"})
    -> (tensor<?x?xf32> {graph.name = "y"}) attributes {graph.entry} {
  %0 = graph.exp %x : (tensor<?x?xf32>) -> tensor<?x?xf32> loc("exp_1")
  return %0 : tensor<?x?xf32>
}

// What is no entry point is nobody's alias.
//
// CHECK-LABEL: func.func private @helper(
func.func private @helper(%x: tensor<?x?xf32> {graph.dims = ["n", "m"], graph.name = "x"})
    -> (tensor<?x?xf32> {graph.name = "y"}) {
  %0 = graph.exp %x : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
