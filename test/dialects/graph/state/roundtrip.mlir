// RUN: %tenon-opt %s | %tenon-opt | FileCheck %s

// CHECK-LABEL: func.func @dense
// CHECK: graph.optimizer_step "momentum"(%{{.*}}, %{{.*}}) by %{{.*}} with(%{{.*}}, %{{.*}}) {variant} :
func.func @dense(%w: tensor<4x3xf32>, %a: tensor<4x3xf32>, %g: tensor<4x3xf32>, %rate: tensor<f32>, %m: tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  %0:2 = graph.optimizer_step "momentum"(%w, %a) by %g with(%rate, %m) {variant}
      : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>, tensor<f32>, tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>)
  return %0#0, %0#1 : tensor<4x3xf32>, tensor<4x3xf32>
}

// CHECK-LABEL: func.func @rows
// CHECK: graph.optimizer_step "adagrad"(%{{.*}}, %{{.*}}) by %{{.*}} at %{{.*}} with(%{{.*}}) :
func.func @rows(%w: tensor<4x3xf32>, %a: tensor<4x3xf32>, %g: tensor<2x3xf32>, %i: tensor<2xi32>, %rate: tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  %0:2 = graph.optimizer_step "adagrad"(%w, %a) by %g at %i with(%rate)
      : (tensor<4x3xf32>, tensor<4x3xf32>, tensor<2x3xf32>, tensor<2xi32>, tensor<f32>) -> (tensor<4x3xf32>, tensor<4x3xf32>)
  return %0#0, %0#1 : tensor<4x3xf32>, tensor<4x3xf32>
}
