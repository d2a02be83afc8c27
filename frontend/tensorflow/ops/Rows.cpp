//===- Rows.cpp - the table of all families -------------------------------===//

#include "frontend/tensorflow/ops/Rows.h"
#include "frontend/tensorflow/BodyImporter.h"

namespace tenon::tf {

const RowTable &rows() {
  static const RowTable table = [] {
    RowTable built;
    addElementwiseRows(built);
    addContractionRows(built);
    addConvolutionRows(built);
    addPoolingRows(built);
    addReductionRows(built);
    addShapeRows(built);
    addIndexingRows(built);
    addNormalizationRows(built);
    addStateRows(built);
    addControlRows(built);
    addSequenceRows(built);
    return built;
  }();
  return table;
}

} // namespace tenon::tf
