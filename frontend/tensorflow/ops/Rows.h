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

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_ROWS_H
