// RUN: tenon compile %s --train --loss mse --optimizer 'sgd(0.5)' --metrics mae -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: not tenon compile %s --train -o %t.mlir 2>&1 | FileCheck %s --check-prefix=NOLOSS
// RUN: not tenon compile %s --train --loss nice -o %t.mlir 2>&1 | FileCheck %s --check-prefix=LOSS
// RUN: not tenon compile %s --train --loss 'huber(beta=1)' -o %t.mlir 2>&1 | FileCheck %s --check-prefix=ARGUMENT
// RUN: not tenon compile %s --train --loss mse --optimizer 'adam(learning_rate=step)' -o %t.mlir 2>&1 | FileCheck %s --check-prefix=RATE
// RUN: not tenon compile %s --train --loss mse --metrics precise -o %t.mlir 2>&1 | FileCheck %s --check-prefix=METRIC
// RUN: not tenon compile %s --train --loss z=mse -o %t.mlir 2>&1 | FileCheck %s --check-prefix=OUTPUT
// RUN: not tenon compile %s --train --loss mse --trainable v -o %t.mlir 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not tenon compile %s --train --loss 'mse(' -o %t.mlir 2>&1 | FileCheck %s --check-prefix=SYNTAX
// RUN: not tenon compile %s --loss mse -o %t.mlir 2>&1 | FileCheck %s --check-prefix=ALONE

// NOLOSS: error: no loss: name one with --loss
// LOSS: error: there is no loss 'nice'; the losses are: mean_squared_error,
// ARGUMENT: error: loss 'huber' has no argument 'beta'; its arguments are: delta
// RATE: error: optimizer 'adam' has 'learning_rate': there is no schedule 'step'; the schedules are: exponential_decay
// METRIC: error: there is no metric 'precise'; the metrics are: accuracy
// OUTPUT: error: loss for 'z': the model's outputs are y
// NONE: error: --trainable 'v' matches none of the variables w
// SYNTAX: --loss 'mse(': expected a name, a number or a list at column 5
// ALONE: belong to --train

// CHECK-DAG: graph.variable @"optimizer/iteration"
// CHECK-DAG: graph.variable @"optimizer/learning_rate" : tensor<f32> = dense<5.000000e-01>
// CHECK-DAG: graph.variable @"metrics/mae/0"
// CHECK: func.func @predict
// CHECK: func.func @train_step(%{{.*}} {graph.dims = ["n", 3], graph.name = "x"}
// CHECK-SAME: {graph.dims = ["n", 1], graph.name = "y"}
// CHECK-SAME: {graph.dims = ["n"], graph.name = "sample_weight"}
// CHECK-SAME: -> (tensor<f32> {graph.name = "loss"})
// CHECK: graph.gradient of(%[[TOTAL:.*]]) by
// CHECK: graph.assign @w
// CHECK: return %[[TOTAL]]
// CHECK: func.func @evaluate
// CHECK-NOT: graph.gradient
// CHECK: func.func @metrics() -> (tensor<f32> {graph.name = "loss"}, tensor<f32> {graph.name = "mae"})
// CHECK: func.func @reset_metrics()
graph.variable @w : tensor<3x1xf32> = dense<1.0> : tensor<3x1xf32> trainable
func.func @main(%x: tensor<?x3xf32> {graph.name = "x", graph.dims = ["n", 3]}) -> (tensor<?x1xf32> {graph.name = "y"}) attributes {graph.entry} {
  %w = graph.read @w : tensor<3x1xf32>
  %y = graph.matmul %x, %w : (tensor<?x3xf32>, tensor<3x1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}
