// RUN: %tenon-opt %s --lower-kernels="cpu=cooperlake" | FileCheck %s --check-prefix=DOT
// RUN: %tenon-opt %s --lower-kernels="cpu=x86-64-v4" | FileCheck %s --check-prefix=WIDE
// RUN: %tenon-opt %s --lower-kernels="cpu=sapphirerapids" | FileCheck %s --check-prefix=TILE

// Where the CPU adds products of two bf16 at once, it does; elsewhere both are
// taken apart.
// TILE-LABEL: func.func @product
// TILE: llvm.call_intrinsic "llvm.x86.ldtilecfg"
// TILE: scf.for
// TILE-COUNT-4: llvm.call_intrinsic "llvm.x86.tilezero"
// TILE-COUNT-4: llvm.call_intrinsic "llvm.x86.tileloadd64"
// TILE-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps"
// TILE-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64"
// TILE: llvm.call_intrinsic "llvm.x86.tilerelease"
// DOT-LABEL: func.func @product
// DOT: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"({{.*}}) : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>) -> vector<16xf32>
// DOT-NOT: math.fma
// WIDE-LABEL: func.func @product
// WIDE-NOT: dpbf16ps
// WIDE: arith.shli %{{.*}} : vector<16xi32>
// WIDE: math.fma
// WIDE: arith.andi %{{.*}} : vector<16xi32>
func.func @product(%args: !llvm.ptr, %begin: index, %end: index) attributes {tenon.kernel} {
  %a = memref.alloc() : memref<40x32xbf16>
  %b = memref.alloc() : memref<1x2x32x16xbf16>
  %c = memref.alloc() : memref<40x32xf32>
  kernel.contract ins(%a, %b : memref<40x32xbf16>, memref<1x2x32x16xbf16>) outs(%c : memref<40x32xf32>) attributes {pairs} {
  ^bb0(%s: f32):
    kernel.yield %s : f32
  }
  return
}
