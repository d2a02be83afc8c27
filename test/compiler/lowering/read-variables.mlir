// RUN: %tenon-opt %s --read-variables | FileCheck %s
// RUN: %tenon-opt %s --read-variables --bufferize-entries --cse --canonicalize | FileCheck %s --check-prefix=BUFFER

memref.global "private" @v : memref<4xf32>
memref.global "private" @w : memref<4xf32>

// Nobody looks at the old value when the variable has its next one; it is
// written in place.
// CHECK-LABEL: func.func @step
// CHECK-NOT: linalg.copy
// BUFFER-LABEL: func.func @step
// BUFFER-NOT: memref.alloc
// BUFFER: linalg.generic {{.*}} ins(%[[V:.*]], %{{.*}} : {{.*}}) outs(%{{.*}} :
// BUFFER-NOT: linalg.copy
// BUFFER: return
func.func @step(%g: tensor<4xf32>) {
  %place = memref.get_global @v : memref<4xf32>
  %0 = bufferization.to_tensor %place restrict : memref<4xf32> to tensor<4xf32>
  %1 = tensor.empty() : tensor<4xf32>
  %2 = linalg.copy ins(%0 : tensor<4xf32>) outs(%1 : tensor<4xf32>) -> tensor<4xf32>
  %3 = tensor.empty() : tensor<4xf32>
  %4 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%2, %g : tensor<4xf32>, tensor<4xf32>) outs(%3 : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.subf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  %next = memref.get_global @v : memref<4xf32>
  bufferization.materialize_in_destination %4 in restrict writable %next : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}

// Here somebody does.
// CHECK-LABEL: func.func @later
// CHECK: linalg.copy
func.func @later(%g: tensor<4xf32>) {
  %place = memref.get_global @v : memref<4xf32>
  %0 = bufferization.to_tensor %place restrict : memref<4xf32> to tensor<4xf32>
  %1 = tensor.empty() : tensor<4xf32>
  %2 = linalg.copy ins(%0 : tensor<4xf32>) outs(%1 : tensor<4xf32>) -> tensor<4xf32>
  %next = memref.get_global @v : memref<4xf32>
  bufferization.materialize_in_destination %g in restrict writable %next : (tensor<4xf32>, memref<4xf32>) -> ()
  %other = memref.get_global @w : memref<4xf32>
  bufferization.materialize_in_destination %2 in restrict writable %other : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}

// A part of the value is still in use.
// CHECK-LABEL: func.func @part
// CHECK: linalg.copy
func.func @part(%g: tensor<4xf32>) -> f32 {
  %place = memref.get_global @v : memref<4xf32>
  %0 = bufferization.to_tensor %place restrict : memref<4xf32> to tensor<4xf32>
  %1 = tensor.empty() : tensor<4xf32>
  %2 = linalg.copy ins(%0 : tensor<4xf32>) outs(%1 : tensor<4xf32>) -> tensor<4xf32>
  %3 = tensor.extract_slice %2[1] [2] [1] : tensor<4xf32> to tensor<2xf32>
  %next = memref.get_global @v : memref<4xf32>
  bufferization.materialize_in_destination %g in restrict writable %next : (tensor<4xf32>, memref<4xf32>) -> ()
  %zero = arith.constant 0 : index
  %r = tensor.extract %3[%zero] : tensor<2xf32>
  return %r : f32
}

// Reversed: an element is needed after another one was written, so the next
// value has a place of its own first.
// BUFFER-LABEL: func.func @reversed
// BUFFER: memref.alloc
// BUFFER: linalg.generic
// BUFFER: linalg.copy
func.func @reversed() {
  %place = memref.get_global @v : memref<4xf32>
  %0 = bufferization.to_tensor %place restrict : memref<4xf32> to tensor<4xf32>
  %1 = tensor.empty() : tensor<4xf32>
  %2 = linalg.copy ins(%0 : tensor<4xf32>) outs(%1 : tensor<4xf32>) -> tensor<4xf32>
  %3 = tensor.empty() : tensor<4xf32>
  %4 = linalg.generic {indexing_maps = [affine_map<(d0) -> (3 - d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%2 : tensor<4xf32>) outs(%3 : tensor<4xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  } -> tensor<4xf32>
  %next = memref.get_global @v : memref<4xf32>
  bufferization.materialize_in_destination %4 in restrict writable %next : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}

// Rows are added in the table's own memory, and what comes of that is its value.
// CHECK-LABEL: func.func @rows
// CHECK: bufferization.to_tensor {{.*}} restrict writable
// CHECK-NOT: linalg.copy
// BUFFER-LABEL: func.func @rows
// BUFFER-NOT: memref.alloc
// BUFFER-NOT: linalg.copy
// BUFFER: scf.for
// BUFFER-NOT: linalg.copy
// BUFFER: return
func.func @rows(%g: tensor<4xf32>) -> f32 {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %four = arith.constant 4 : index
  %place = memref.get_global @v : memref<4xf32>
  %0 = bufferization.to_tensor %place restrict : memref<4xf32> to tensor<4xf32>
  %1 = tensor.empty() : tensor<4xf32>
  %2 = linalg.copy ins(%0 : tensor<4xf32>) outs(%1 : tensor<4xf32>) -> tensor<4xf32>
  %3 = scf.for %i = %zero to %four step %one iter_args(%t = %2) -> (tensor<4xf32>) {
    %old = tensor.extract %t[%i] : tensor<4xf32>
    %by = tensor.extract %g[%i] : tensor<4xf32>
    %new = arith.addf %old, %by : f32
    %u = tensor.insert %new into %t[%i] : tensor<4xf32>
    scf.yield %u : tensor<4xf32>
  }
  %next = memref.get_global @v : memref<4xf32>
  bufferization.materialize_in_destination %3 in restrict writable %next : (tensor<4xf32>, memref<4xf32>) -> ()
  %r = tensor.extract %3[%one] : tensor<4xf32>
  return %r : f32
}

// Somebody looks at the variable in between.
// CHECK-LABEL: func.func @rows_seen
// CHECK-NOT: writable :
// CHECK: linalg.copy
// CHECK: return
func.func @rows_seen(%g: f32) -> f32 {
  %zero = arith.constant 0 : index
  %place = memref.get_global @v : memref<4xf32>
  %0 = bufferization.to_tensor %place restrict : memref<4xf32> to tensor<4xf32>
  %1 = tensor.empty() : tensor<4xf32>
  %2 = linalg.copy ins(%0 : tensor<4xf32>) outs(%1 : tensor<4xf32>) -> tensor<4xf32>
  %3 = tensor.insert %g into %2[%zero] : tensor<4xf32>
  %4 = bufferization.to_tensor %place restrict : memref<4xf32> to tensor<4xf32>
  %r = tensor.extract %4[%zero] : tensor<4xf32>
  bufferization.materialize_in_destination %3 in restrict writable %place : (tensor<4xf32>, memref<4xf32>) -> ()
  return %r : f32
}

// The new value is needed when the variable has another one.
// CHECK-LABEL: func.func @rows_kept
// CHECK-NOT: writable :
// CHECK: linalg.copy
// CHECK: return
func.func @rows_kept(%g: f32, %h: tensor<4xf32>) -> f32 {
  %zero = arith.constant 0 : index
  %place = memref.get_global @v : memref<4xf32>
  %0 = bufferization.to_tensor %place restrict : memref<4xf32> to tensor<4xf32>
  %1 = tensor.empty() : tensor<4xf32>
  %2 = linalg.copy ins(%0 : tensor<4xf32>) outs(%1 : tensor<4xf32>) -> tensor<4xf32>
  %3 = tensor.insert %g into %2[%zero] : tensor<4xf32>
  bufferization.materialize_in_destination %3 in restrict writable %place : (tensor<4xf32>, memref<4xf32>) -> ()
  bufferization.materialize_in_destination %h in restrict writable %place : (tensor<4xf32>, memref<4xf32>) -> ()
  %r = tensor.extract %3[%zero] : tensor<4xf32>
  return %r : f32
}
