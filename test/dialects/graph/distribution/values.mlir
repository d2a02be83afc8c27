// Special functions and their derivatives at points of known values; classes drawn.

// RUN: %tenon compile %s --cpu native -o %t
// RUN: %t --entry bessel_j0 x=1 | FileCheck %s --check-prefix=BESSEL_J0
// RUN: %t --entry bessel_j1 x=1 | FileCheck %s --check-prefix=BESSEL_J1
// RUN: %t --entry bessel_y0 x=1 | FileCheck %s --check-prefix=BESSEL_Y0
// RUN: %t --entry bessel_y1 x=1 | FileCheck %s --check-prefix=BESSEL_Y1
// RUN: %t --entry bessel_k0 x=1 | FileCheck %s --check-prefix=BESSEL_K0
// RUN: %t --entry bessel_k1 x=1 | FileCheck %s --check-prefix=BESSEL_K1
// RUN: %t --entry bessel_k0e x=1 | FileCheck %s --check-prefix=BESSEL_K0E
// RUN: %t --entry bessel_k1e x=1 | FileCheck %s --check-prefix=BESSEL_K1E
// RUN: %t --entry dawsn x=1 | FileCheck %s --check-prefix=DAWSN
// RUN: %t --entry expint x=1 | FileCheck %s --check-prefix=EXPINT
// RUN: %t --entry fresnel_cos x=0.5 | FileCheck %s --check-prefix=FRESNEL_COS
// RUN: %t --entry fresnel_sin x=0.5 | FileCheck %s --check-prefix=FRESNEL_SIN
// RUN: %t --entry spence x=2 | FileCheck %s --check-prefix=SPENCE
// RUN: %t --entry draw 'c=[0, 1, 6]' | FileCheck %s --check-prefix=DRAW

// BESSEL_J0: y: 0.76519
// BESSEL_J0: d: -0.44005
func.func @bessel_j0(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "bessel_j0"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// BESSEL_J1: y: 0.44005
// BESSEL_J1: d: 0.32514
func.func @bessel_j1(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "bessel_j1"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// BESSEL_Y0: y: 0.08825
// BESSEL_Y0: d: 0.78121
func.func @bessel_y0(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "bessel_y0"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// BESSEL_Y1: y: -0.78121
// BESSEL_Y1: d: 0.86946
func.func @bessel_y1(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "bessel_y1"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// BESSEL_K0: y: 0.42102
// BESSEL_K0: d: -0.60190
func.func @bessel_k0(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "bessel_k0"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// BESSEL_K1: y: 0.60190
// BESSEL_K1: d: -1.02293
func.func @bessel_k1(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "bessel_k1"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// BESSEL_K0E: y: 1.14446
// BESSEL_K0E: d: -0.49169
func.func @bessel_k0e(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "bessel_k0e"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// BESSEL_K1E: y: 1.63615
// BESSEL_K1E: d: -1.14446
func.func @bessel_k1e(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "bessel_k1e"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// DAWSN: y: 0.53807
// DAWSN: d: -0.07615
func.func @dawsn(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "dawsn"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// EXPINT: y: 1.89511
// EXPINT: d: 2.71828
func.func @expint(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "expint"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// FRESNEL_COS: y: 0.49234
// FRESNEL_COS: d: 0.92387
func.func @fresnel_cos(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "fresnel_cos"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// FRESNEL_SIN: y: 0.06473
// FRESNEL_SIN: d: 0.38268
func.func @fresnel_sin(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "fresnel_sin"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// SPENCE: y: -0.82246
// SPENCE: d: -0.69314
func.func @spence(%x: tensor<f64> {graph.name = "x"}) -> (tensor<f64> {graph.name = "y"}, tensor<f64> {graph.name = "d"}) attributes {graph.entry} {
  %y = graph.special_function %x {function = "spence"} : (tensor<f64>) -> tensor<f64>
  %d = graph.gradient of (%y) by (%x) weights () : (tensor<f64>, tensor<f64>) -> tensor<f64>
  return %y, %d : tensor<f64>, tensor<f64>
}

// All classes are there once, and the first ones are expected more.
// DRAW: expected: [0.9999{{.*}} 0.99{{.*}} 0.8{{.*}}]
// DRAW: sorted: [6 5 4 3 2 1 0]
func.func @draw(%c: tensor<3xi64> {graph.name = "c"}) -> (tensor<3xf32> {graph.name = "expected"}, tensor<7xi64> {graph.name = "sorted"}) attributes {graph.entry} {
  %key = graph.constant dense<3> : tensor<1xui64>
  %counter = graph.constant dense<5> : tensor<2xui64>
  %s:4 = graph.candidate_sampler %c, %key, %counter {number = 7 : i64, range = 7 : i64, unique, falling} : (tensor<3xi64>, tensor<1xui64>, tensor<2xui64>) -> (tensor<7xi64>, tensor<3xf32>, tensor<7xf32>, tensor<2xui64>)
  %k = graph.constant dense<7> : tensor<i32>
  %t:2 = graph.top_k %s#0, %k : (tensor<7xi64>, tensor<i32>) -> (tensor<7xi64>, tensor<7xi32>)
  return %s#1, %t#0 : tensor<3xf32>, tensor<7xi64>
}
