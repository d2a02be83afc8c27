// RUN: %tenon-opt %s --lower-kernels="cpu=x86-64-v3" | FileCheck %s

// A sum along the contiguous dimension runs in a register.
// CHECK-LABEL: func.func @rows
// CHECK: scf.for
// CHECK: %[[SUM:.*]] = scf.for {{.*}} iter_args
// CHECK: arith.addf
// CHECK: scf.yield
// CHECK: memref.store %[[SUM]]
func.func @rows(%args: !llvm.ptr, %begin: index, %end: index) attributes {tenon.kernel} {
  %x = memref.alloc() : memref<32x64xf32>
  %y = memref.alloc() : memref<32xf32>
  linalg.generic {indexing_maps = [affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> (r)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<32x64xf32>) outs(%y : memref<32xf32>) {
  ^bb0(%in: f32, %sum: f32):
    %0 = arith.addf %sum, %in fastmath<reassoc> : f32
    linalg.yield %0 : f32
  }
  return
}

// Along the other one the contiguous dimension is innermost.
// CHECK-LABEL: func.func @columns
// CHECK: scf.for
// CHECK-NOT: iter_args
// CHECK: scf.for
// CHECK: memref.store
func.func @columns(%args: !llvm.ptr, %begin: index, %end: index) attributes {tenon.kernel} {
  %x = memref.alloc() : memref<32x64xf32>
  %y = memref.alloc() : memref<64xf32>
  linalg.generic {indexing_maps = [affine_map<(c, r) -> (r, c)>, affine_map<(c, r) -> (c)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<32x64xf32>) outs(%y : memref<64xf32>) {
  ^bb0(%in: f32, %sum: f32):
    %0 = arith.addf %sum, %in fastmath<reassoc> : f32
    linalg.yield %0 : f32
  }
  return
}
