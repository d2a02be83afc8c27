// RUN: %tenon-opt %s -split-input-file -verify-diagnostics

func.func @rule(%w: tensor<4xf32>, %g: tensor<4xf32>) {
  // expected-error@+1 {{has unknown rule 'luck'}}
  %0 = graph.optimizer_step "luck"(%w) by %g with() : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @slots(%w: tensor<4xf32>, %g: tensor<4xf32>, %rate: tensor<f32>) {
  // expected-error@+1 {{has 1 states, 1 parameters and 1 results, but 'adagrad' has 2, 1 and 2}}
  %0 = graph.optimizer_step "adagrad"(%w) by %g with(%rate) : (tensor<4xf32>, tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return
}

// -----

func.func @gradient(%w: tensor<4xf32>, %a: tensor<4xf32>, %g: tensor<5xf32>, %rate: tensor<f32>) {
  // expected-error@+1 {{sizes of the variable and of the gradient differ: 5 and 4}}
  %0:2 = graph.optimizer_step "adagrad"(%w, %a) by %g with(%rate) : (tensor<4xf32>, tensor<4xf32>, tensor<5xf32>, tensor<f32>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @rows(%w: tensor<f32>, %a: tensor<f32>, %g: tensor<2xf32>, %i: tensor<2xi32>, %rate: tensor<f32>) {
  // expected-error@+1 {{the variable is a scalar, expected rows}}
  %0:2 = graph.optimizer_step "adagrad"(%w, %a) by %g at %i with(%rate) : (tensor<f32>, tensor<f32>, tensor<2xf32>, tensor<2xi32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
  return
}
