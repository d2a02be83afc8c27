// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @join(%a: tensor<2x!graph.string>, %b: tensor<3x!graph.string>) {
  // expected-error@+1 {{sizes of inputs differ: 2 and 3}}
  %0 = graph.string_join %a, %b : (tensor<2x!graph.string>, tensor<3x!graph.string>) -> tensor<2x!graph.string>
  return
}

// -----

func.func @compare(%a: tensor<2x!graph.string>, %b: tensor<3x!graph.string>) {
  // expected-error@+1 {{operands of shapes 2 and 3 cannot be broadcast against each other}}
  %0 = graph.string_compare %a, %b : (tensor<2x!graph.string>, tensor<3x!graph.string>) -> tensor<2xi1>
  return
}

// -----

func.func @buckets(%a: tensor<2x!graph.string>) {
  // expected-error@+1 {{buckets is 0, expected at least 1}}
  %0 = graph.string_hash %a {buckets = 0, method = "fast", key = array<i64>} : (tensor<2x!graph.string>) -> tensor<2xi64>
  return
}

// -----

func.func @split(%a: tensor<!graph.string>) {
  // expected-error@+1 {{input has shape scalar, expected rank 1}}
  %0:3 = graph.string_split %a, %a {max_split = -1} : (tensor<!graph.string>, tensor<!graph.string>) -> (tensor<?x2xi64>, tensor<?x!graph.string>, tensor<2xi64>)
  return
}

// -----

func.func @csv(%a: tensor<2x!graph.string>, %d: tensor<1xf32>) {
  // expected-error@+1 {{has 1 defaults, expected 2}}
  %0:2 = graph.decode_csv %a, %d {delimiter = ",", missing = "", columns = array<i64>} : (tensor<2x!graph.string>, tensor<1xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  return
}
