//===- TopologyReader.h - from a configuration to connected layers --------===//

#ifndef TENON_FRONTEND_KERAS_TOPOLOGYREADER_H
#define TENON_FRONTEND_KERAS_TOPOLOGYREADER_H

#include "frontend/keras/Layer.h"

namespace tenon::keras {

class TopologyReader {
public:
  explicit TopologyReader(KerasModel &model) : model(model) {}

  llvm::Error run();

  /// The layer that `value` describes; null when it describes none.
  Layer *readLayer(const llvm::json::Value &value, llvm::StringRef scope,
                   llvm::StringRef place, bool trainable);

  /// The tensor that a list of name, call and tensor means; `shifted` when
  /// calls of models are counted from 1.
  static std::optional<TensorRef> readRef(const Topology &topology,
                                          const llvm::json::Array &list,
                                          bool shifted);

private:
  void fill(Layer &layer, const llvm::json::Object &object);
  void readModel(Layer &layer);
  bool readCalls(std::vector<LayerCall> &calls,
                 const llvm::json::Object &object);
  bool readRefs(const Topology &topology, const llvm::json::Value *value,
                bool legacy, std::vector<TensorRef> &refs,
                std::vector<std::string> &keys, bool &single);
  void refuse(const Layer &layer, const llvm::Twine &reason);

  KerasModel &model;
  std::map<int64_t, Layer *> sharedLayers;
  unsigned nesting = 0;
  bool tooLarge = false;
};

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_TOPOLOGYREADER_H
