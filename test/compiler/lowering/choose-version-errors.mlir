// RUN: %tenon-opt %s --split-input-file --verify-diagnostics --graph-to-linalg

// expected-error @+1 {{entry 'main' has graph.fallback @other, which is no version of an entry}}
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> attributes {graph.entry, graph.fallback = @other} {
  return %x : tensor<2xf32>
}

// -----

// expected-error @+1 {{entry 'main' falls back to versions in a circle}}
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> attributes {graph.entry, graph.fallback = @other} {
  return %x : tensor<2xf32>
}
func.func @other(%x: tensor<2xf32>) -> tensor<2xf32> attributes {graph.entry, graph.version, graph.fallback = @other} {
  return %x : tensor<2xf32>
}

// -----

// expected-error @+1 {{the versions 'main' and 'other' of entry 'main' have different types}}
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> attributes {graph.entry, graph.fallback = @other} {
  return %x : tensor<2xf32>
}
func.func @other(%x: tensor<?xf64>) -> tensor<?xf64> attributes {graph.entry, graph.version} {
  return %x : tensor<?xf64>
}
