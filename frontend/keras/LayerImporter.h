//===- LayerImporter.h - layers of one entry point become graph ops -------===//

#ifndef TENON_FRONTEND_KERAS_LAYERIMPORTER_H
#define TENON_FRONTEND_KERAS_LAYERIMPORTER_H

#include "frontend/keras/Call.h"

#include "mlir/IR/BuiltinOps.h"

namespace tenon::keras {

class LayerImporter {
public:
  LayerImporter(KerasModel &model, mlir::ModuleOp module,
                graph::ShapeContext &shapes, bool training)
      : model(model), module(module), shapes(shapes), training(training) {}

  /// Calls a layer at the builder's place. The result is missing after a
  /// failure, which `unsupported` has.
  Argument call(Layer &layer, std::vector<Argument> arguments,
                std::map<std::string, Argument> keywords,
                mlir::OpBuilder &builder);

  /// The module's variable for a weight.
  mlir::FlatSymbolRefAttr variable(Layer &layer, Weight &weight);
  /// Variables for all weights, used or not, in Keras's order and with their
  /// places in files.
  void declareAll();
  /// An array of the file. Null: no model has elements of this type.
  mlir::ElementsAttr valueOf(const Hdf5Array &array, llvm::StringRef name);
  /// A variable `name` of the layer that no file holds.
  mlir::FlatSymbolRefAttr stateVariable(Layer &layer, llvm::StringRef name,
                                        mlir::RankedTensorType type,
                                        bool generator);

  /// What the weights met so far and outputs of layers add to the loss.
  std::vector<graph::Tensor> takeLosses(graph::GraphBuilder &g);

  KerasModel &model;
  std::vector<UnsupportedNode> unsupported;

private:
  void report(const Layer &layer, llvm::StringRef reason);
  Argument callModel(Layer &layer, std::vector<Argument> arguments,
                     mlir::OpBuilder &builder);
  Argument callSequential(Layer &layer, Argument value,
                          mlir::OpBuilder &builder);
  Argument asInput(const Layer &input, const Argument &given,
                   mlir::OpBuilder &at);
  Argument callFunctional(Layer &layer, const std::vector<Argument> &inputs,
                          mlir::OpBuilder &builder);
  void addActivityLoss(Call &call);
  std::string freeSymbol(llvm::StringRef name);
  void build(mlir::OperationState &state);

  mlir::ModuleOp module;
  graph::ShapeContext &shapes;
  bool training;
  bool exports = false; // variables say where files have them
  llvm::SmallVector<mlir::Value> activityLosses;
  std::string prefix; // "model/" before the names of layers inside
  unsigned depth = 0;
};

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_LAYERIMPORTER_H
