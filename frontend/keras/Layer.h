//===- Layer.h - a Keras model in memory ----------------------------------===//
//
// What the readers make of a file and the importer works on: a tree of layers
// with their configurations and weights, and for models the calls that connect
// them.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_KERAS_LAYER_H
#define TENON_FRONTEND_KERAS_LAYER_H

#include "frontend/Frontend.h"
#include "frontend/keras/Config.h"
#include "frontend/keras/Hdf5Reader.h"

#include "llvm/ADT/StringMap.h"

#include <deque>
#include <map>
#include <memory>

namespace tenon::keras {

class Call;
class Declaration;
struct Layer;

/// What happens to the mask of a layer's first argument.
enum class MaskRule {
  Destroy, ///< results have none
  Keep,    ///< results have it
  Own      ///< the layer says
};

/// A class of layers: what it holds and what it computes.
struct LayerKind {
  void (*declare)(Declaration &) = nullptr; // null: nothing
  void (*call)(Call &) = nullptr;
  MaskRule masks = MaskRule::Destroy;
};
using LayerTable = llvm::StringMap<LayerKind>;

/// The classes of all families (layers/<Family>.cpp), and the functions of
/// keras.ops that may stand between layers.
const LayerTable &layerKinds();
const LayerTable &operationKinds();

/// A variable of a layer.
struct Weight {
  std::string name; // in the layer: "kernel", "lstm_cell/kernel"
  bool trainable = true;
  /// In files of Keras 3: the part of the layer that has it ("" or "cell"),
  /// and its number there.
  std::string part;
  unsigned index = 0;
  std::string path;  // Keras's: "sequential/dense/kernel"
  std::string place; // where a file of Keras 3 has it: "layers/dense/vars/0"
  const Hdf5Array *value = nullptr;
  std::string symbol; // in the module, once it is there
};

/// Output `tensor` of call `call` of layer `layer`, a place in the topology.
struct TensorRef {
  unsigned layer = 0, call = 0, tensor = 0;
};

/// One call of a layer in a functional model. Tensors in the arguments are
/// "__keras_tensor__" objects, or lists of name, call and tensor.
struct LayerCall {
  const llvm::json::Value *arguments = nullptr, *keywords = nullptr;
  bool legacy = false;
};

/// How the layers of a model are connected.
struct Topology {
  bool sequential = false;
  std::vector<Layer *> layers;
  llvm::StringMap<unsigned> index; // by name
  std::vector<std::vector<LayerCall>> calls;
  std::vector<TensorRef> inputs, outputs;
  std::vector<std::string> inputKeys;  // of a dict of inputs, else empty
  std::vector<std::string> outputKeys; // of a dict of outputs, else empty
  bool manyOutputs = false;            // a list or dict, even of one
};

struct Layer {
  std::string name, className;
  llvm::json::Object config;
  const LayerKind *kind = nullptr; // null: not supported, which was reported
  bool trainable = true;
  bool isOperation = false; // a function of keras.ops
  std::string scope;        // where its variables' paths begin
  std::string place;        // of its variables in files of Keras 3
  std::vector<Weight> weights;
  std::vector<std::pair<std::string, Layer *>> parts;
  std::unique_ptr<Topology> topology; // of a model

  Layer *part(llvm::StringRef attribute) const {
    for (const auto &[name, layer] : parts)
      if (name == attribute)
        return layer;
    return nullptr;
  }
};

/// A whole model file.
struct KerasModel {
  std::string path;
  Layer *root = nullptr;
  std::deque<Layer> layers;
  std::vector<UnsupportedNode> unsupported;
  llvm::json::Object config, compileConfig;
  std::string configText, metadataText; // as the file has them
  std::unique_ptr<Hdf5File> weights;
  /// What the optimizer keeps, in Keras's order.
  std::vector<const Hdf5Array *> optimizer;
};

/// How a layer's class says what the layer holds.
class Declaration {
public:
  Declaration(class TopologyReader &reader, Layer &layer, std::string &problem)
      : config(layer.config, problem), reader(reader), layer(layer) {}

  Config config;
  llvm::StringRef layerClass() const { return layer.className; }

  /// The next variable, in the order in which Keras makes them; `index` is its
  /// number in files where that is another one.
  void weight(llvm::StringRef name, bool trainable = true,
              llvm::StringRef part = "", std::optional<unsigned> index = {});
  /// A layer inside, kept by Keras in `attribute`; `place` is where files have
  /// its variables.
  void part(llvm::StringRef attribute, const llvm::json::Value &config,
            llvm::StringRef place);
  void part(llvm::StringRef attribute, const llvm::json::Value &config) {
    part(attribute, config, attribute);
  }

private:
  TopologyReader &reader;
  Layer &layer;
};

/// Keras's name of a class in files: "LSTMCell" is "lstm_cell".
std::string snakeCase(llvm::StringRef className);

/// Calls `perform` with each layer of a model, in the order in which Keras
/// lists their weights: a layer before those inside of it. Each is met once.
void forAllLayers(Layer &root, llvm::function_ref<void(Layer &)> perform);

/// Makes the layers of `model.config`. Errors: what is not a model.
llvm::Error readTopology(KerasModel &model);

/// Finds the weights of all layers in `model.weights`: in the group `legacy`
/// by order, or without it by the places that Keras 3 uses.
llvm::Error bindWeights(KerasModel &model, const Hdf5Object *legacy,
                        llvm::StringRef legacyPath);

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_LAYER_H
