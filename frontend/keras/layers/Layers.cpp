//===- Layers.cpp - the families of layers --------------------------------===//

#include "frontend/keras/layers/Layers.h"

#include "frontend/keras/Support.h"

using namespace mlir;

namespace tenon::keras {

namespace {
struct Family {
  StringRef name;
  void (*add)(LayerTable &);
};
constexpr Family kFamilies[] = {
    {"Core", addCoreLayers},
    {"Activation", addActivationLayers},
    {"Convolution", addConvolutionLayers},
    {"Pooling", addPoolingLayers},
    {"Normalization", addNormalizationLayers},
    {"Recurrent", addRecurrentLayers},
    {"Attention", addAttentionLayers},
    {"Merging", addMergingLayers},
    {"Reshaping", addReshapingLayers},
    {"Regularization", addRegularizationLayers},
    {"Preprocessing", addPreprocessingLayers},
};

std::vector<std::string> sortedNames(const LayerTable &table) {
  std::vector<std::string> names;
  for (const auto &entry : table)
    names.push_back(entry.getKey().str());
  llvm::sort(names);
  return names;
}
} // namespace

const LayerTable &layerKinds() {
  static const LayerTable table = [] {
    LayerTable all;
    for (const Family &family : kFamilies)
      family.add(all);
    return all;
  }();
  return table;
}

const LayerTable &operationKinds() {
  static const LayerTable table = [] {
    LayerTable all;
    addOperations(all);
    return all;
  }();
  return table;
}

std::vector<OperationFamily> layerFamilies() {
  std::vector<OperationFamily> families;
  for (const Family &family : kFamilies) {
    LayerTable table;
    family.add(table);
    families.push_back({family.name.str(), sortedNames(table)});
  }
  families.push_back({"keras.ops", sortedNames(operationKinds())});
  return families;
}

} // namespace tenon::keras
