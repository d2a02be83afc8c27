"""Lists as loops use them, with items in place, and lists that grow."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
from graphvalues import NAMES, Program, main, tensor  # noqa: E402

rng = np.random.default_rng(19)
program = Program()
x = rng.normal(size=(4, 3)).astype(np.float32)
kinds = {"": program.input("x", x), "free": program.input("xfree", x, ["?", "?"])}
item = rng.normal(size=3).astype(np.float32)
items = {"": program.input("item", item), "free": program.input("itemfree", item, ["?"])}
index = program.input("i", np.array(2, np.int32))
far = program.input("far", np.array(6, np.int64))
for label in ("", "free"):
    one = "tensor<3xf32>" if not label else "tensor<?xf32>"
    program.result(f"get{label}", f"graph.list_get_item %x{label}, %i : ({kinds[label]}, {index}) -> {one}", one, x[2])
    want = x.copy()
    want[2] = item
    program.result(f"set{label}", f"graph.list_set_item %x{label}, %i, %item{label} : ({kinds[label]}, {index}, "
                   f"{items[label]}) -> {kinds[label]}", kinds[label], want)
    grown = np.zeros((7, 3), np.float32)
    grown[:4], grown[6] = x, item
    kind = "tensor<?x3xf32>" if not label else "tensor<?x?xf32>"
    program.result(f"grow{label}", f"graph.list_set_item %x{label}, %far, %item{label} {{grow}} : ({kinds[label]}, {far}, "
                   f"{items[label]}) -> {kind}", kind, grown)

# Rows of x, doubled, in reverse order.
program.lines += ["  %zero = graph.constant dense<0> : tensor<i32>", "  %one = graph.constant dense<1> : tensor<i32>",
                  "  %three = graph.constant dense<3> : tensor<i32>", "  %four = graph.constant dense<4> : tensor<i32>",
                  "  %dims = graph.constant dense<[4, 3]> : tensor<2xi32>", "  %none = graph.constant dense<0.0> : tensor<f32>",
                  "  %start = graph.fill %dims, %none : (tensor<2xi32>, tensor<f32>) -> tensor<4x3xf32>",
                  """  %loop:2 = graph.while (%zero, %start) : (tensor<i32>, tensor<4x3xf32>) -> (tensor<i32>, tensor<4x3xf32>) {
  ^bb0(%k: tensor<i32>, %list: tensor<4x3xf32>):
    %more = graph.less %k, %four : (tensor<i32>, tensor<i32>) -> tensor<i1>
    graph.yield %more : tensor<i1>
  } do {
  ^bb0(%k: tensor<i32>, %list: tensor<4x3xf32>):
    %row = graph.list_get_item %x, %k : (tensor<4x3xf32>, tensor<i32>) -> tensor<3xf32>
    %twice = graph.add %row, %row : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %place = graph.sub %three, %k : (tensor<i32>, tensor<i32>) -> tensor<i32>
    %after = graph.list_set_item %list, %place, %twice : (tensor<4x3xf32>, tensor<i32>, tensor<3xf32>) -> tensor<4x3xf32>
    %next = graph.add %k, %one : (tensor<i32>, tensor<i32>) -> tensor<i32>
    graph.yield %next, %after : tensor<i32>, tensor<4x3xf32>
  }"""]
program.result("loop_end", "graph.add %loop#0, %zero : (tensor<i32>, tensor<i32>) -> tensor<i32>", "tensor<i32>", np.int32(4))
program.result("loop_list", "graph.mul %loop#1, %unit : (tensor<4x3xf32>, tensor<f32>) -> tensor<4x3xf32>",
               "tensor<4x3xf32>", 2 * x[::-1])
program.lines.insert(len(program.lines) - 1, "  %unit = graph.constant dense<1.0> : tensor<f32>")
main(program)
