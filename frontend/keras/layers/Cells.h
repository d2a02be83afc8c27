//===- Cells.h - what recurrent layers repeat -----------------------------===//

#ifndef TENON_FRONTEND_KERAS_LAYERS_CELLS_H
#define TENON_FRONTEND_KERAS_LAYERS_CELLS_H

#include "frontend/keras/Call.h"

namespace tenon::keras {

/// One step of a recurrent layer. Weights are read where the cell is made,
/// before the loop.
class Cell {
public:
  virtual ~Cell() = default;

  /// Sizes of one state behind the batch's, for inputs like `step`, which has
  /// no dimension for time.
  virtual llvm::SmallVector<llvm::SmallVector<int64_t>> stateSizes() = 0;

  /// Draws what is random but the same in all steps, before the loop.
  virtual void prepare(Size batch) = 0;

  /// What of a step's input does not depend on states: of all steps at once,
  /// time being dimension 1.
  virtual Tensor project(Tensor sequence) { return sequence; }

  /// The output of a step and the next states, from what `project` gave for
  /// the step. `b` is where the step is built.
  virtual Tensor step(GraphBuilder &b, Tensor x,
                      llvm::SmallVectorImpl<Tensor> &states) = 0;

  /// The type that states have.
  virtual mlir::Type stateType() = 0;

  /// What went wrong in steps; empty when nothing did.
  virtual std::string problem() = 0;
};

/// The cell that `layer` is; `sample` has the sizes of one step's input (the
/// batch's counts for nothing). Null after a failure of `c`.
std::unique_ptr<Cell> makeCell(Call &c, Layer &layer,
                               llvm::ArrayRef<int64_t> sample);

void addCells(LayerTable &table);

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_LAYERS_CELLS_H
