// Summary messages byte for byte; a message that is none is refused.

// RUN: %tenon compile %s --cpu native -o %t
// RUN: %t --entry main x=1.5 | FileCheck %s
// RUN: not %t --entry merge a=nonsense 2>&1 | FileCheck %s --check-prefix=BAD
// RUN: not %t --entry histogram 'x=[1, nan]' 2>&1 | FileCheck %s --check-prefix=NAN

// CHECK: scalar: b'\n\x0b\n\x04loss\x15\x00\x00\xc0?'
// CHECK-NEXT: both: b'\n\x0b\n\x04loss\x15\x00\x00\xc0?\n\x08\n\x01b\x15\x00\x00\xc0?'
func.func @main(%x: tensor<f32> {graph.name = "x"}) -> (tensor<!graph.string> {graph.name = "scalar"}, tensor<!graph.string> {graph.name = "both"})
    attributes {graph.entry} {
  %a = graph.constant dense<"loss"> : tensor<!graph.string>
  %b = graph.constant dense<"b"> : tensor<!graph.string>
  %s = graph.scalar_summary %a, %x : (tensor<!graph.string>, tensor<f32>) -> tensor<!graph.string>
  %t = graph.scalar_summary %b, %x : (tensor<!graph.string>, tensor<f32>) -> tensor<!graph.string>
  %m = graph.merge_summary %s, %t : (tensor<!graph.string>, tensor<!graph.string>) -> tensor<!graph.string>
  return %s, %m : tensor<!graph.string>, tensor<!graph.string>
}

// BAD: error: node 'merge': could not parse one of the summary inputs
func.func @merge(%a: tensor<!graph.string> {graph.name = "a"}) -> (tensor<!graph.string> {graph.name = "r"}) attributes {graph.entry} {
  %r = graph.merge_summary %a : (tensor<!graph.string>) -> tensor<!graph.string> loc("merge")
  return %r : tensor<!graph.string>
}

// NAN: error: node 'histogram': Nan in summary histogram for: h
func.func @histogram(%x: tensor<2xf32> {graph.name = "x"}) -> (tensor<!graph.string> {graph.name = "r"}) attributes {graph.entry} {
  %t = graph.constant dense<"h"> : tensor<!graph.string>
  %r = graph.histogram_summary %t, %x : (tensor<!graph.string>, tensor<2xf32>) -> tensor<!graph.string> loc("histogram")
  return %r : tensor<!graph.string>
}
