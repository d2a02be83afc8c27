// What the runtime keeps: tables, counted messages, strings of variables.

// RUN: %tenon compile %s --cpu native -o %t
// RUN: %t --run find 'k=["a", "b"]' --run fill 'k=["a", "b", "a"]' 'v=[1, 2, 3]' --run find 'k=["a", "z"]' --run size --run drop 'k=["a"]' --run find 'k=["a", "b"]' --run size | FileCheck %s --check-prefix=TABLE
// RUN: %t --run once 'k=["x"]' 'v=[7]' --run once 'k=["x"]' 'v=[8]' --run fixed 'k=["x", "y"]' | FileCheck %s --check-prefix=ONCE
// RUN: not %t --run fixed 'k=["x"]' 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not %t --run once 'k=["x", "x"]' 'v=[7, 8]' 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: %t --run tell 'x=[1, 2, 3, 4]' --run tell 'x=[5, 6, 7, 8]' --run tell 'x=[9, 9, 9, 9]' 2>&1 | FileCheck %s --check-prefix=TELL
// RUN: %t --run set s=first --run set s=second --run get --run swap s=third --run get | FileCheck %s --check-prefix=KEEP
// RUN: not %t --run get 2>&1 | FileCheck %s --check-prefix=UNSET

// TABLE: 0/v: [-1 -1]
// TABLE-NEXT: 2/v: [ 3 -1]
// TABLE-NEXT: 3/n: 2
// TABLE-NEXT: 5/v: [-1  2]
// TABLE-NEXT: 6/n: 1
func.func @fill(%k: tensor<?x!graph.string> {graph.name = "k", graph.dims = ["n"]}, %v: tensor<?xi64> {graph.name = "v", graph.dims = ["n"]}) attributes {graph.entry} {
  graph.table_insert %k, %v {table = "t", mode = "update"} : (tensor<?x!graph.string>, tensor<?xi64>) -> ()
  return
}
func.func @find(%k: tensor<?x!graph.string> {graph.name = "k"}) -> (tensor<?xi64> {graph.name = "v"}) attributes {graph.entry} {
  %d = graph.constant dense<-1> : tensor<i64>
  %v = graph.table_find %k, %d {table = "t"} : (tensor<?x!graph.string>, tensor<i64>) -> tensor<?xi64>
  return %v : tensor<?xi64>
}
func.func @drop(%k: tensor<?x!graph.string> {graph.name = "k"}) attributes {graph.entry} {
  graph.table_remove %k {table = "t"} : (tensor<?x!graph.string>) -> ()
  return
}
func.func @size() -> (tensor<i64> {graph.name = "n"}) attributes {graph.entry} {
  %n = graph.table_size {table = "t"} : () -> tensor<i64>
  return %n : tensor<i64>
}

// ONCE: 2/v: [ 7 -1]
// EMPTY: error: node 'lookup': table 'f' is not initialized
// TWICE: error: node 'import': a key has two different values
func.func @once(%k: tensor<?x!graph.string> {graph.name = "k", graph.dims = ["n"]}, %v: tensor<?xi64> {graph.name = "v", graph.dims = ["n"]}) attributes {graph.entry} {
  graph.table_insert %k, %v {table = "f", mode = "initialize"} : (tensor<?x!graph.string>, tensor<?xi64>) -> () loc("import")
  return
}
func.func @fixed(%k: tensor<?x!graph.string> {graph.name = "k"}) -> (tensor<?xi64> {graph.name = "v"}) attributes {graph.entry} {
  %d = graph.constant dense<-1> : tensor<i64>
  %v = graph.table_find %k, %d {table = "f", fixed} : (tensor<?x!graph.string>, tensor<i64>) -> tensor<?xi64> loc("lookup")
  return %v : tensor<?xi64>
}

// TELL: x is [1 2 3...]
// TELL-NEXT: x is [5 6 7...]
// TELL-NOT: 9
func.func @tell(%x: tensor<4xf32> {graph.name = "x"}) attributes {graph.entry} {
  graph.print %x {message = "x is ", first_n = 2, summarize = 3} : (tensor<4xf32>) -> () loc("tell")
  return
}

// KEEP: 2/s: b'second'
// KEEP-NEXT: 3/s: b'second'
// KEEP-NEXT: 4/s: b'third'
// UNSET: uninitialized
graph.variable @s : tensor<!graph.string>
func.func @set(%s: tensor<!graph.string> {graph.name = "s"}) attributes {graph.entry} {
  graph.assign @s, %s : tensor<!graph.string>
  return
}
func.func @get() -> (tensor<!graph.string> {graph.name = "s"}) attributes {graph.entry} {
  %s = graph.read @s : tensor<!graph.string>
  return %s : tensor<!graph.string>
}
func.func @swap(%s: tensor<!graph.string> {graph.name = "s"}) -> (tensor<!graph.string> {graph.name = "s"}) attributes {graph.entry} {
  %old = graph.read @s : tensor<!graph.string>
  graph.assign @s, %s : tensor<!graph.string>
  return %old : tensor<!graph.string>
}
