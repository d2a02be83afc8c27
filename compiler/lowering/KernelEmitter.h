//===- KernelEmitter.h - building the loops of kernels --------------------===//
//
// Helpers for lowerings that write loops and vector code by hand: index
// arithmetic that folds, loops that vanish when they run once, memory by
// pointer and stride, and epilogue bodies on vectors.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_LOWERING_KERNELEMITTER_H
#define TENON_COMPILER_LOWERING_KERNELEMITTER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace tenon {

/// A memref taken apart: its first element's address, sizes and strides (in
/// elements), constants where the type knows them.
struct Buffer {
  mlir::MemRefType type;
  mlir::Value pointer;
  mlir::Type element;
  llvm::SmallVector<mlir::Value> sizes, strides;

  /// Whether dimensions [first, last] can be walked as one, with the last one's
  /// stride.
  bool isCollapsible(int64_t first, int64_t last) const;
  /// The same memory; dimension i is dimension order[i] of this. Its type tells
  /// sizes only.
  Buffer permuted(llvm::ArrayRef<int64_t> order) const;
};

class KernelEmitter {
public:
  KernelEmitter(mlir::OpBuilder &b, mlir::Location loc, bool hasFma)
      : b(b), loc(loc), hasFma(hasFma) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  bool hasFma;
  /// Keeps LLVM from doing several iterations of a loop in one vector: where
  /// elements of an iteration lie apart it costs much code and gains nothing.
  bool keepsLoopsScalar = false;

  // Index arithmetic; results are constants when the operands are.
  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b) { return add(a, index(b)); }
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, int64_t b) { return mul(a, index(b)); }
  mlir::Value div(mlir::Value a, mlir::Value b); // a >= 0, b > 0
  mlir::Value rem(mlir::Value a, mlir::Value b);
  mlir::Value ceilDiv(mlir::Value a, int64_t b);
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value less(mlir::Value a, mlir::Value b);         // signed
  mlir::Value lessUnsigned(mlir::Value a, mlir::Value b); // false if a < 0
  mlir::Value equal(mlir::Value a, mlir::Value b);
  mlir::Value both(mlir::Value a, mlir::Value b); // a may be null: true
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  mlir::Value product(mlir::ValueRange values);

  using Body = llvm::function_ref<void(mlir::Value iv)>;
  using SumBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value iv, mlir::ValueRange carried)>;
  void loop(mlir::Value from, mlir::Value to, int64_t step, Body body);
  llvm::SmallVector<mlir::Value> loop(mlir::Value from, mlir::Value to,
                                      int64_t step, mlir::ValueRange init,
                                      SumBody body);
  /// A loop that LLVM leaves as it is: more code would gain nothing.
  void rolledLoop(mlir::Value from, mlir::Value to, int64_t step, Body body);
  llvm::SmallVector<mlir::Value> rolledLoop(mlir::Value from, mlir::Value to,
                                            int64_t step, mlir::ValueRange init,
                                            SumBody body);
  /// One side is left out when the condition is constant.
  void branch(mlir::Value condition, llvm::function_ref<void()> then,
              llvm::function_ref<void()> otherwise = {});
  /// Runs `body` for the one of `cases` (not empty) that `value` equals.
  void choose(mlir::Value value, llvm::ArrayRef<int64_t> cases,
              llvm::function_ref<void(int64_t)> body);

  Buffer open(mlir::Value memref);
  /// `linear` as a position in `sizes`, the last fastest.
  llvm::SmallVector<mlir::Value> delinearize(mlir::Value linear,
                                             mlir::ValueRange sizes);
  /// `count` zeroed elements on the stack of the enclosing function, ready when
  /// it starts.
  mlir::Value stackZeros(mlir::Type element, int64_t count);
  /// `count` elements on the stack, 64-aligned, contents undefined.
  mlir::Value stackScratch(mlir::Type element, int64_t count);
  /// The address `offset` elements behind `pointer`.
  mlir::Value at(mlir::Value pointer, mlir::Type element, mlir::Value offset);

  /// `type` for one lane, vector<lanes x type> for more.
  static mlir::Type lanesOf(mlir::Type type, int64_t lanes);
  /// `mask`: null or the lanes to read; the others are zero.
  mlir::Value load(mlir::Value pointer, mlir::Type element, int64_t lanes,
                   mlir::Value mask = {});
  /// Lanes `stride` elements apart.
  mlir::Value gather(mlir::Value pointer, mlir::Type element, int64_t lanes,
                     mlir::Value stride, mlir::Value mask);
  void store(mlir::Value value, mlir::Value pointer, mlir::Value mask = {});
  void scatter(mlir::Value value, mlir::Value pointer, mlir::Value stride,
               mlir::Value mask);
  /// Past the caches, where CpuTarget::hasStreaming; `pointer` is aligned to
  /// the vector or to 64 bytes. `endStreams` before anyone else may read.
  void stream(mlir::Value value, mlir::Value pointer);
  void endStreams();
  mlir::Value splat(mlir::Value scalar, int64_t lanes);
  mlir::Value constant(mlir::TypedAttr scalar, int64_t lanes);
  mlir::Value zero(mlir::Type element, int64_t lanes);
  /// Lanes 0 to count - 1; null when that is all of them.
  mlir::Value laneMask(mlir::Value count, int64_t lanes);

  /// From an element's type to the (same or wider) accumulator's.
  mlir::Value widen(mlir::Value value, mlir::Type accumulator);
  mlir::Value plus(mlir::Value a, mlir::Value b);
  mlir::Value mulAdd(mlir::Value a, mlir::Value b, mlir::Value sum);

  /// The body of a kernel op on `lanes` lanes; returns what it yields.
  mlir::Value inlineBody(mlir::Block &body, mlir::ValueRange arguments,
                         int64_t lanes);
  /// The same of all values that a block's terminator has.
  llvm::SmallVector<mlir::Value>
  inlineBlock(mlir::Block &block, mlir::ValueRange arguments, int64_t lanes);

private:
  mlir::Value stackMemory(mlir::Type element, int64_t count);

  bool isRolled = false;
};

/// Memory's type of an element: i1 takes a byte.
mlir::Type getStorageType(mlir::Type element);

/// Bits of an accumulator in a vector register.
unsigned getAccumulatorBits(mlir::Type accumulator);

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_KERNELEMITTER_H
