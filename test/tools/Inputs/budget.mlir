// A chain of functions whose derivative needs all values in between; each follows from the argument.
func.func @main(%x: tensor<128x256xf32> {graph.name = "x"}) -> (tensor<128x256xf32> {graph.name = "d"}) attributes {graph.entry} {
  %v0 = graph.sin %x : (tensor<128x256xf32>) -> tensor<128x256xf32>
  %s1 = graph.reduce_sum %v0 {axes = array<i64: 1>, keep_dims = true} : (tensor<128x256xf32>) -> tensor<128x1xf32>
  %m1 = graph.mul %v0, %s1 : (tensor<128x256xf32>, tensor<128x1xf32>) -> tensor<128x256xf32>
  %v1 = graph.sin %m1 : (tensor<128x256xf32>) -> tensor<128x256xf32>
  %s2 = graph.reduce_sum %v1 {axes = array<i64: 1>, keep_dims = true} : (tensor<128x256xf32>) -> tensor<128x1xf32>
  %m2 = graph.mul %v1, %s2 : (tensor<128x256xf32>, tensor<128x1xf32>) -> tensor<128x256xf32>
  %v2 = graph.sin %m2 : (tensor<128x256xf32>) -> tensor<128x256xf32>
  %s3 = graph.reduce_sum %v2 {axes = array<i64: 1>, keep_dims = true} : (tensor<128x256xf32>) -> tensor<128x1xf32>
  %m3 = graph.mul %v2, %s3 : (tensor<128x256xf32>, tensor<128x1xf32>) -> tensor<128x256xf32>
  %v3 = graph.sin %m3 : (tensor<128x256xf32>) -> tensor<128x256xf32>
  %s4 = graph.reduce_sum %v3 {axes = array<i64: 1>, keep_dims = true} : (tensor<128x256xf32>) -> tensor<128x1xf32>
  %m4 = graph.mul %v3, %s4 : (tensor<128x256xf32>, tensor<128x1xf32>) -> tensor<128x256xf32>
  %v4 = graph.sin %m4 : (tensor<128x256xf32>) -> tensor<128x256xf32>
  %s5 = graph.reduce_sum %v4 {axes = array<i64: 1>, keep_dims = true} : (tensor<128x256xf32>) -> tensor<128x1xf32>
  %m5 = graph.mul %v4, %s5 : (tensor<128x256xf32>, tensor<128x1xf32>) -> tensor<128x256xf32>
  %v5 = graph.sin %m5 : (tensor<128x256xf32>) -> tensor<128x256xf32>
  %d = graph.gradient of (%v5) by (%x) weights () : (tensor<128x256xf32>, tensor<128x256xf32>) -> tensor<128x256xf32>
  return %d : tensor<128x256xf32>
}
