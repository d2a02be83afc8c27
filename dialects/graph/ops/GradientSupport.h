#ifndef TENON_DIALECTS_GRAPH_OPS_GRADIENTSUPPORT_H
#define TENON_DIALECTS_GRAPH_OPS_GRADIENTSUPPORT_H

#include "dialects/graph/ops/WindowSupport.h"

/// Which elements a window meets, and which windows an element is in.
namespace tenon::graph {

/// The input's index along `dim` of element `element` of window `window`; it
/// may be outside. `low` is the padding.
mlir::Value placeOf(mlir::OpBuilder &b, mlir::Location loc,
                    const WindowDim &dim, mlir::Value window,
                    mlir::Value element, mlir::Value low);

/// `place` as an index that may be read. Where it can be outside, whether it
/// is inside is added to `inside` (i1, null for true).
mlir::Value checkedPlace(mlir::OpBuilder &b, mlir::Location loc,
                         const WindowDim &dim, mlir::Value place,
                         mlir::Value size, mlir::Value &inside);

/// All windows that one element of the input is in, as code inside of a
/// linalg.generic whose loops are [N, spatial..., C] of the input.
class WindowIndices {
public:
  WindowIndices(LoweringContext &lowering, llvm::ArrayRef<WindowDim> window);

  /// A term from a window's index and the element's index in that window. Both
  /// may be read whether or not the window counts.
  using Term = llvm::function_ref<mlir::Value(
      mlir::OpBuilder &, mlir::Location, llvm::ArrayRef<mlir::Value> window,
      llvm::ArrayRef<mlir::Value> element)>;
  /// start + the terms of all windows.
  mlir::Value sumOver(mlir::OpBuilder &b, mlir::Location loc, mlir::Value start,
                      Term term) const;

private:
  struct Candidate;
  mlir::Value addTerms(mlir::OpBuilder &b, mlir::Location loc, unsigned dim,
                       mlir::Value total, llvm::SmallVector<mlir::Value> window,
                       llvm::SmallVector<mlir::Value> element,
                       mlir::Value inside, bool unroll,
                       llvm::ArrayRef<mlir::Value> places, Term term) const;
  Candidate candidate(mlir::OpBuilder &b, mlir::Location loc, unsigned dim,
                      mlir::Value number, mlir::Value place) const;
  int64_t candidates(unsigned dim) const;

  llvm::ArrayRef<WindowDim> window;
  llvm::SmallVector<mlir::Value> lows, outputs;
};

/// Iterations that are written out rather than looped over.
inline constexpr int64_t kUnrolledWindow = 32;

} // namespace tenon::graph

#endif // TENON_DIALECTS_GRAPH_OPS_GRADIENTSUPPORT_H
