"""Prints an entry of as many products in a row as the argument says."""

import sys

count, matrix = int(sys.argv[1]), "tensor<4x4xf32>"
print(f"func.func @main(%v0: {matrix}, %w: {matrix}) -> {matrix} attributes {{graph.entry}} {{")
for i in range(count):
    print(f"  %v{i + 1} = graph.matmul %v{i}, %w : ({matrix}, {matrix}) -> {matrix}")
print(f"  return %v{count} : {matrix}\n}}")
