// RUN: %tenon-opt %s --bufferize-entries --lower-host-calls | FileCheck %s

// Descriptors on the frame; what the function allocates is read back.
// CHECK-LABEL: func.func @split
// CHECK-DAG: llvm.alloca %{{.*}} x i8
// CHECK-DAG: memref.alloc() {{.*}}: memref<2xi64>
// CHECK: llvm.call @tenon_host_string_split(%{{.*}}) : (!llvm.ptr) -> i32
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK-NOT: kernel.host_call
func.func @split(%instance: !llvm.ptr, %inputs: !llvm.ptr, %outputs: !llvm.ptr, %dims: !llvm.ptr) -> index attributes {graph.entry} {
  %bytes = arith.constant dense<0> : tensor<2xi8>
  %size = arith.constant 3 : index
  %c0 = arith.constant 0 : index
  %s = tensor.empty(%size) : tensor<?xi128>
  %shape = tensor.empty() : tensor<2xi64>
  %r:2 = kernel.host_call "string_split"(%bytes, %s) to(%shape)
      {allocated = array<i1: true, false>, input_types = array<i32: 0, 8, 3, 128>, output_types = array<i32: 3, 128, 0, 64>, writes}
      : (tensor<2xi8>, tensor<?xi128>, tensor<2xi64>) -> (tensor<?xi128>, tensor<2xi64>)
  %n = tensor.dim %r#0, %c0 : tensor<?xi128>
  return %n : index
}

// A function reads dense tensors: what is a part of another one is copied.
// CHECK-LABEL: func.func @part
// CHECK: memref.subview
// CHECK: linalg.copy
// CHECK: llvm.call @tenon_host_string_length
func.func @part(%instance: !llvm.ptr, %inputs: !llvm.ptr, %outputs: !llvm.ptr, %dims: !llvm.ptr, %a: tensor<4x4xi128>) -> tensor<4x2xi32>
    attributes {graph.entry} {
  %bytes = arith.constant dense<0> : tensor<2xi8>
  %columns = tensor.extract_slice %a[0, 1] [4, 2] [1, 1] : tensor<4x4xi128> to tensor<4x2xi128>
  %to = tensor.empty() : tensor<4x2xi32>
  %r = kernel.host_call "string_length"(%bytes, %columns) to(%to)
      {allocated = array<i1: false>, input_types = array<i32: 0, 8, 3, 128>, output_types = array<i32: 0, 32>}
      : (tensor<2xi8>, tensor<4x2xi128>, tensor<4x2xi32>) -> tensor<4x2xi32>
  return %r : tensor<4x2xi32>
}

