func.func @number(%a: tensor<!graph.string> {graph.name = "a"}) -> (tensor<f32> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.string_to_number %a : (tensor<!graph.string>) -> tensor<f32> loc("to_number")
  return %r : tensor<f32>
}
func.func @part(%a: tensor<!graph.string> {graph.name = "a"}, %at: tensor<i32> {graph.name = "at"})
    -> (tensor<!graph.string> {graph.name = "r"}) attributes {graph.entry} {
  %n = graph.constant dense<1> : tensor<i32>
  %r = graph.substr %a, %at, %n : (tensor<!graph.string>, tensor<i32>, tensor<i32>) -> tensor<!graph.string> loc("substr")
  return %r : tensor<!graph.string>
}
func.func @pattern(%a: tensor<!graph.string> {graph.name = "a"}, %p: tensor<!graph.string> {graph.name = "p"})
    -> (tensor<i1> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.regex_match %a, %p : (tensor<!graph.string>, tensor<!graph.string>) -> tensor<i1> loc("pattern")
  return %r : tensor<i1>
}
func.func @example(%a: tensor<!graph.string> {graph.name = "a"}) -> (tensor<2xf32> {graph.name = "r"}) attributes {graph.entry} {
  %d = graph.constant dense<0.0> : tensor<1xf32>
  %r = graph.parse_example %a, %d {sparse_keys = [], dense_keys = ["x"], dense_ranks = array<i64: 1>, dense_sizes = array<i64: 2>}
      : (tensor<!graph.string>, tensor<1xf32>) -> tensor<2xf32> loc("parse")
  return %r : tensor<2xf32>
}
func.func @base(%a: tensor<!graph.string> {graph.name = "a"}) -> (tensor<!graph.string> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.decode_base64 %a : (tensor<!graph.string>) -> tensor<!graph.string> loc("base")
  return %r : tensor<!graph.string>
}
func.func @raw(%a: tensor<2x!graph.string> {graph.name = "a"}) -> (tensor<2x?xi8> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.decode_raw %a : (tensor<2x!graph.string>) -> tensor<2x?xi8> loc("raw")
  return %r : tensor<2x?xi8>
}
func.func @grams(%a: tensor<?x!graph.string> {graph.name = "a"}, %s: tensor<3xi64> {graph.name = "s"})
    -> (tensor<?x!graph.string> {graph.name = "g"}) attributes {graph.entry} {
  %g, %n = graph.string_ngrams %a, %s {separator = "|", widths = array<i64: 2>, left_pad = "<", right_pad = ">", pad_width = -1}
      : (tensor<?x!graph.string>, tensor<3xi64>) -> (tensor<?x!graph.string>, tensor<3xi64>) loc("grams")
  return %g : tensor<?x!graph.string>
}
func.func @file(%a: tensor<!graph.string> {graph.name = "a"}) -> (tensor<!graph.string> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.read_file %a : (tensor<!graph.string>) -> tensor<!graph.string> loc("read")
  return %r : tensor<!graph.string>
}
