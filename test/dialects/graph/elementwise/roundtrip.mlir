// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @unary
func.func @unary(%a: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // CHECK: graph.neg %
  %0 = graph.neg %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.abs %
  %1 = graph.abs %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.sign %
  %2 = graph.sign %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.reciprocal %
  %3 = graph.reciprocal %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.square %
  %4 = graph.square %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.sqrt %
  %5 = graph.sqrt %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.rsqrt %
  %6 = graph.rsqrt %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.exp %
  %7 = graph.exp %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.expm1 %
  %8 = graph.expm1 %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.log %
  %9 = graph.log %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.log1p %
  %10 = graph.log1p %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.sin %
  %11 = graph.sin %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.cos %
  %12 = graph.cos %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.tan %
  %13 = graph.tan %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.asin %
  %14 = graph.asin %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.acos %
  %15 = graph.acos %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.atan %
  %16 = graph.atan %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.sinh %
  %17 = graph.sinh %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.cosh %
  %18 = graph.cosh %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.tanh %
  %19 = graph.tanh %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.asinh %
  %20 = graph.asinh %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.acosh %
  %21 = graph.acosh %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.atanh %
  %22 = graph.atanh %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.erf %
  %23 = graph.erf %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.erfc %
  %24 = graph.erfc %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.erfinv %
  %25 = graph.erfinv %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.ndtri %
  %26 = graph.ndtri %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.lgamma %
  %27 = graph.lgamma %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.digamma %
  %28 = graph.digamma %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.bessel_i0 %
  %29 = graph.bessel_i0 %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.bessel_i1 %
  %30 = graph.bessel_i1 %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.bessel_i0e %
  %31 = graph.bessel_i0e %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.bessel_i1e %
  %32 = graph.bessel_i1e %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.floor %
  %33 = graph.floor %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.ceil %
  %34 = graph.ceil %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.round %
  %35 = graph.round %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.sigmoid %
  %36 = graph.sigmoid %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.softplus %
  %37 = graph.softplus %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.softsign %
  %38 = graph.softsign %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.relu %
  %39 = graph.relu %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.relu6 %
  %40 = graph.relu6 %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.elu %
  %41 = graph.elu %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.selu %
  %42 = graph.selu %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.leaky_relu %
  %43 = graph.leaky_relu %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %43 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @binary
func.func @binary(%a: tensor<2x3xf32>, %b: tensor<3xf32>) -> tensor<2x3xf32> {
  // CHECK: graph.add %
  %0 = graph.add %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.sub %
  %1 = graph.sub %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.mul %
  %2 = graph.mul %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.div %
  %3 = graph.div %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.floor_div %
  %4 = graph.floor_div %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.trunc_div %
  %5 = graph.trunc_div %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.floor_mod %
  %6 = graph.floor_mod %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.trunc_mod %
  %7 = graph.trunc_mod %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.pow %
  %8 = graph.pow %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.maximum %
  %9 = graph.maximum %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.minimum %
  %10 = graph.minimum %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.squared_difference %
  %11 = graph.squared_difference %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.atan2 %
  %12 = graph.atan2 %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.igamma %
  %13 = graph.igamma %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.igammac %
  %14 = graph.igammac %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.xdivy %
  %15 = graph.xdivy %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.xlogy %
  %16 = graph.xlogy %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.xlog1py %
  %17 = graph.xlog1py %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.div_no_nan %
  %18 = graph.div_no_nan %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.mul_no_nan %
  %19 = graph.mul_no_nan %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: graph.next_after %
  %20 = graph.next_after %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return %20 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @comparison
func.func @comparison(%a: tensor<2x3xf32>, %b: tensor<f32>) -> tensor<2x3xi1> {
  // CHECK: graph.equal %
  %0 = graph.equal %a, %b : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi1>
  // CHECK: graph.not_equal %
  %1 = graph.not_equal %a, %b : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi1>
  // CHECK: graph.less %
  %2 = graph.less %a, %b : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi1>
  // CHECK: graph.less_equal %
  %3 = graph.less_equal %a, %b : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi1>
  // CHECK: graph.greater %
  %4 = graph.greater %a, %b : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi1>
  // CHECK: graph.greater_equal %
  %5 = graph.greater_equal %a, %b : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi1>
  return %5 : tensor<2x3xi1>
}

// CHECK-LABEL: func.func @test
func.func @test(%a: tensor<2x3xf32>) -> tensor<2x3xi1> {
  // CHECK: graph.is_nan %
  %0 = graph.is_nan %a : (tensor<2x3xf32>) -> tensor<2x3xi1>
  // CHECK: graph.is_inf %
  %1 = graph.is_inf %a : (tensor<2x3xf32>) -> tensor<2x3xi1>
  // CHECK: graph.is_finite %
  %2 = graph.is_finite %a : (tensor<2x3xf32>) -> tensor<2x3xi1>
  return %2 : tensor<2x3xi1>
}

// CHECK-LABEL: func.func @bits
func.func @bits(%a: tensor<?xui8>, %b: tensor<?xui8>) -> tensor<?xui8> {
  // CHECK: graph.and %
  %0 = graph.and %a, %b : (tensor<?xui8>, tensor<?xui8>) -> tensor<?xui8>
  // CHECK: graph.or %
  %1 = graph.or %a, %b : (tensor<?xui8>, tensor<?xui8>) -> tensor<?xui8>
  // CHECK: graph.xor %
  %2 = graph.xor %a, %b : (tensor<?xui8>, tensor<?xui8>) -> tensor<?xui8>
  // CHECK: graph.left_shift %
  %3 = graph.left_shift %a, %b : (tensor<?xui8>, tensor<?xui8>) -> tensor<?xui8>
  // CHECK: graph.right_shift %
  %4 = graph.right_shift %a, %b : (tensor<?xui8>, tensor<?xui8>) -> tensor<?xui8>
  return %4 : tensor<?xui8>
}

// CHECK-LABEL: func.func @others
func.func @others(%p: tensor<2x1xi1>, %a: tensor<2x3xf32>, %s: tensor<f32>, %i: tensor<4xi32>)
    -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xi64>, tensor<4xui8>, tensor<2x1xi1>, tensor<2x3xf32>) {
  // CHECK: graph.select %
  %0 = graph.select %p, %a, %s : (tensor<2x1xi1>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  // CHECK: graph.clip %
  %1 = graph.clip %a, %s, %s : (tensor<2x3xf32>, tensor<f32>, tensor<f32>) -> tensor<2x3xf32>
  // CHECK: graph.cast %
  %2 = graph.cast %a : (tensor<2x3xf32>) -> tensor<2x3xi64>
  // CHECK: graph.population_count %
  %3 = graph.population_count %i : (tensor<4xi32>) -> tensor<4xui8>
  // CHECK: graph.not %
  %4 = graph.not %p : (tensor<2x1xi1>) -> tensor<2x1xi1>
  // CHECK: graph.leaky_relu %{{.*}} {alpha = 1.000000e-01 : f32}
  %5 = graph.leaky_relu %a {alpha = 0.1 : f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0, %1, %2, %3, %4, %5 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xi64>, tensor<4xui8>, tensor<2x1xi1>, tensor<2x3xf32>
}

// CHECK-LABEL: func.func @complex
func.func @complex(%a: tensor<3xf32>, %z: tensor<3xcomplex<f32>>)
    -> (tensor<3xcomplex<f32>>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xcomplex<f32>>) {
  // CHECK: graph.complex %
  %0 = graph.complex %a, %a : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xcomplex<f32>>
  // CHECK: graph.real %
  %1 = graph.real %z : (tensor<3xcomplex<f32>>) -> tensor<3xf32>
  // CHECK: graph.imag %
  %2 = graph.imag %z : (tensor<3xcomplex<f32>>) -> tensor<3xf32>
  // CHECK: graph.abs %
  %3 = graph.abs %z : (tensor<3xcomplex<f32>>) -> tensor<3xf32>
  // CHECK: graph.angle %
  %4 = graph.angle %z : (tensor<3xcomplex<f32>>) -> tensor<3xf32>
  // CHECK: graph.conj %
  %5 = graph.conj %z : (tensor<3xcomplex<f32>>) -> tensor<3xcomplex<f32>>
  return %0, %1, %2, %3, %4, %5 : tensor<3xcomplex<f32>>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xcomplex<f32>>
}
