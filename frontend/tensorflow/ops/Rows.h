//===- Rows.h - the families of TensorFlow's operations -------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_ROWS_H
#define TENON_FRONTEND_TENSORFLOW_OPS_ROWS_H

#include "frontend/OpImporter.h"

namespace tenon::tf {

void addElementwiseRows(RowTable &table);
void addContractionRows(RowTable &table);
void addConvolutionRows(RowTable &table);
void addPoolingRows(RowTable &table);
void addReductionRows(RowTable &table);
void addShapeRows(RowTable &table);
void addIndexingRows(RowTable &table);
void addNormalizationRows(RowTable &table);
void addRandomRows(RowTable &table);
void addStateRows(RowTable &table);
void addControlRows(RowTable &table);
void addSequenceRows(RowTable &table);
void addStringsRows(RowTable &table);
void addHostRows(RowTable &table);
void addSparseRows(RowTable &table);
void addLinearAlgebraRows(RowTable &table);
void addGradientRows(RowTable &table);
void addOptimizerRows(RowTable &table);
void addImageRows(RowTable &table);
void addQuantizationRows(RowTable &table);
void addPartitionRows(RowTable &table);
void addSignalRows(RowTable &table);
void addDistributionRows(RowTable &table);

/// Input `i` when it is the tensor of a message (ParseTensor) whose shape is
/// not known otherwise; sizes of -1 are read there. Nothing for other inputs.
std::optional<mlir::Value>
parsedTensor(Binder &b, unsigned i,
             const std::optional<llvm::SmallVector<int64_t>> &shape);
/// The elements of such an input, a vector.
std::optional<mlir::Value> parsedElements(Binder &b, unsigned i);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_ROWS_H
