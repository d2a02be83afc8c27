// RUN: tenon-opt --lower-to-llvm --reconcile-unrealized-casts %s | FileCheck %s

// Nothing but the LLVM dialect is left, whatever it was before; functions of
// libm on vectors, too, whose elements are taken out on the way.

// CHECK-NOT: {{(arith|math|vector|memref|cf|func|index|complex|ub)\.}}

// CHECK-LABEL: llvm.func @scalars
// CHECK: llvm.intr.exp
// CHECK: llvm.call @erf
func.func @scalars(%x: f64) -> f64 {
  %0 = math.exp %x : f64
  %1 = math.erf %0 : f64
  return %1 : f64
}

// CHECK-LABEL: llvm.func @vectors
// CHECK-COUNT-4: llvm.call @erf
func.func @vectors(%m: memref<8xf64>, %i: index) {
  %v = vector.load %m[%i] : memref<8xf64>, vector<4xf64>
  %e = math.erf %v : vector<4xf64>
  vector.store %e, %m[%i] : memref<8xf64>, vector<4xf64>
  return
}

// CHECK-LABEL: llvm.func @masked
// CHECK: llvm.intr.masked.load
func.func @masked(%m: memref<?xf32>, %i: index, %n: index) -> vector<8xf32> {
  %zero = arith.constant dense<0.0> : vector<8xf32>
  %mask = vector.create_mask %n : vector<8xi1>
  %v = vector.maskedload %m[%i], %mask, %zero : memref<?xf32>, vector<8xi1>, vector<8xf32> into vector<8xf32>
  return %v : vector<8xf32>
}

// CHECK-LABEL: llvm.func @deep
func.func @deep(%m: memref<4x8xf32>, %i: index) -> vector<8xf32> {
  %zero = arith.constant 0.0 : f32
  %zeros = arith.constant dense<0.0> : vector<8xf32>
  %rows = vector.transfer_read %m[%i, %i], %zero {in_bounds = [true, true]} : memref<4x8xf32>, vector<2x8xf32>
  %sum = vector.multi_reduction <add>, %rows, %zeros [0] : vector<2x8xf32> to vector<8xf32>
  return %sum : vector<8xf32>
}

// CHECK-LABEL: llvm.func @complexes
func.func @complexes(%a: complex<f32>, %b: complex<f32>) -> f32 {
  %0 = complex.mul %a, %b : complex<f32>
  %1 = complex.abs %0 : complex<f32>
  return %1 : f32
}
