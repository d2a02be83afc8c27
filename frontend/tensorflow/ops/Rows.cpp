//===- Rows.cpp - the table of all families -------------------------------===//

#include "frontend/tensorflow/ops/Rows.h"
#include "frontend/tensorflow/BodyImporter.h"
#include "frontend/tensorflow/RaiseControlFlow.h"

namespace tenon::tf {

namespace {
struct Family {
  llvm::StringRef name;
  void (*add)(RowTable &);
};
constexpr Family kFamilies[] = {
    {"Elementwise", addElementwiseRows},
    {"Contraction", addContractionRows},
    {"Convolution", addConvolutionRows},
    {"Pooling", addPoolingRows},
    {"Reduction", addReductionRows},
    {"Shape", addShapeRows},
    {"Indexing", addIndexingRows},
    {"Normalization", addNormalizationRows},
    {"Gradients", addGradientRows},
    {"Image", addImageRows},
    {"Quantization", addQuantizationRows},
    {"Partition", addPartitionRows},
    {"Signal", addSignalRows},
    {"Random", addRandomRows},
    {"Distribution", addDistributionRows},
    {"State", addStateRows},
    {"Optimizers", addOptimizerRows},
    {"Control", addControlRows},
    {"Sequence", addSequenceRows},
    {"Strings", addStringsRows},
    {"Host", addHostRows},
    {"Sparse", addSparseRows},
    {"LinearAlgebra", addLinearAlgebraRows},
};
} // namespace

const RowTable &rows() {
  static const RowTable table = [] {
    RowTable built;
    for (const Family &family : kFamilies)
      family.add(built);
    return built;
  }();
  return table;
}

std::vector<OperationFamily> operationFamilies() {
  std::vector<OperationFamily> result;
  for (const Family &family : kFamilies) {
    RowTable table;
    family.add(table);
    OperationFamily &listed = result.emplace_back();
    listed.name = family.name.str();
    for (const auto &row : table)
      listed.operations.push_back(row.first().str());
    if (family.add == addControlRows)
      for (llvm::StringRef raised : kRaisedOperations)
        listed.operations.push_back(raised.str());
    llvm::sort(listed.operations);
  }
  return result;
}

} // namespace tenon::tf
