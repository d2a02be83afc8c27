//===- Call.h - one call of a layer in translation ------------------------===//
//
// A layer's function reads arguments, configuration and weights here and gives
// results. The first thing that goes wrong is kept; from then on tensors are
// null and building does nothing, so layers need no checks of their own.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_KERAS_CALL_H
#define TENON_FRONTEND_KERAS_CALL_H

#include "frontend/keras/Formulas.h"
#include "frontend/keras/Layer.h"

namespace tenon::keras {

class LayerImporter;

/// What Keras passes to a layer, or gets from it.
struct Argument {
  enum Kind {
    Missing, ///< of a layer that could not be translated
    None,
    Tensor,
    List,
    Constant
  };
  Kind kind = None;
  mlir::Value tensor, mask;      // Tensor; the mask may be null
  std::vector<Argument> items;   // List
  std::vector<std::string> keys; // of a List that is a dict
  const llvm::json::Value *constant = nullptr;

  static Argument of(mlir::Value tensor, mlir::Value mask = {});
  static Argument list(std::vector<Argument> items);
  /// All tensors inside, in order.
  void flatten(std::vector<const Argument *> &all) const;
  bool isMissing() const;
};

class Call {
public:
  Call(LayerImporter &importer, Layer &layer, mlir::Location loc,
       mlir::OpBuilder &builder, graph::ShapeContext &shapes, bool training);

  GraphBuilder g;
  Layer &layer;
  /// What went wrong here; empty when a part of the layer reported it.
  std::string problem;
  Config config;
  /// Whether random layers and statistics work as in Model.fit.
  const bool training;

  void fail(const llvm::Twine &reason) {
    if (problem.empty())
      problem = reason.str();
    g.abandon();
  }
  bool failed() const { return g.failed() || !problem.empty(); }

  //===--- Arguments ------------------------------------------------------===//

  std::vector<Argument> arguments;
  std::map<std::string, Argument> keywords;

  /// An argument by position or name; None when it is not given.
  const Argument &argument(unsigned position, llvm::StringRef name) const;
  /// A tensor argument; null when it is None (or `required` fails).
  Tensor tensor(unsigned position, llvm::StringRef name, bool required = true);
  /// The first argument, which must be a tensor of at least `minRank`
  /// dimensions, or of exactly `rank`.
  Tensor input(int64_t minRank = 0);
  Tensor inputOfRank(int64_t rank);
  /// All tensors of the first argument, with their masks (null: none).
  llvm::SmallVector<Tensor> inputs();
  llvm::SmallVector<Tensor> masks();
  /// The mask of the first tensor of the first argument, or the one passed as
  /// `mask`; null without one.
  Tensor mask();
  Tensor wrap(mlir::Value value) { return Tensor(g, value); }

  //===--- Types and sizes ------------------------------------------------===//

  /// What the layer computes in.
  mlir::Type computeType() const { return compute; }
  /// The type that Keras calls `name`; null after a failure.
  mlir::Type typeNamed(llvm::StringRef name);
  /// `axis` of a tensor of `rank` dimensions, negative ones from the end.
  int64_t axis(int64_t axis, int64_t rank);
  /// Axes that configuration `key` names: a number or a list.
  llvm::SmallVector<int64_t> axes(llvm::StringRef key, int64_t rank);
  /// A size that must be known at compile time.
  int64_t staticDim(Tensor x, int64_t dim);
  /// "channels_first" by the configuration.
  bool channelsFirst();

  //===--- Weights --------------------------------------------------------===//

  /// The variable `name`, whose shape must be `shape` (-1: any), in the type
  /// that the layer computes in when it is a float.
  Tensor weight(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
                bool cast = true);
  /// The same, of any shape.
  Tensor weight(llvm::StringRef name);
  bool hasWeight(llvm::StringRef name) const;
  /// Changes the variable; happens in program order.
  void assign(llvm::StringRef name, Tensor value);
  /// A variable that no file holds: zeros at first.
  Tensor state(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
               mlir::Type type);
  void assignState(llvm::StringRef name, Tensor value);

  //===--- Parts and functions --------------------------------------------===//

  /// Calls the layer kept in `attribute`.
  Argument callPart(llvm::StringRef attribute, std::vector<Argument> arguments,
                    std::map<std::string, Argument> keywords = {});
  Argument callLayer(Layer &inner, std::vector<Argument> arguments,
                     std::map<std::string, Argument> keywords = {});
  /// The activation function that configuration `key` names; `x` itself when
  /// it names none.
  Tensor activation(Tensor x, llvm::StringRef key = "activation");
  Tensor activationOf(Tensor x, const llvm::json::Value *spec);

  //===--- Random numbers -------------------------------------------------===//

  /// Numbers from 0 to below 1, normally distributed ones: others in every
  /// call, as the layer's seed says.
  Tensor randomUniform(llvm::ArrayRef<Size> sizes, mlir::Type type);
  Tensor randomNormal(llvm::ArrayRef<Size> sizes, mlir::Type type);

  //===--- Results --------------------------------------------------------===//

  void set(Tensor value);
  void setList(llvm::ArrayRef<Tensor> values);
  /// The mask of the only result, or of the first one; for MaskRule::Own.
  void setMask(Tensor mask);
  Argument result;

  LayerImporter &importer;

private:
  Weight *find(llvm::StringRef name);
  Tensor read(Weight &weight, bool cast);
  Tensor random(llvm::StringRef op, llvm::ArrayRef<Size> sizes,
                mlir::Type type);

  mlir::Type compute;
};

/// The activation function `name` with its default arguments; null when there
/// is none of that name.
using Activation = Tensor (*)(Tensor);
Activation activationNamed(llvm::StringRef name);
/// relu(x) with Keras's arguments.
Tensor relu(Tensor x, double slope, std::optional<double> maximum,
            double threshold);
Tensor leakyRelu(Tensor x, double slope);
Tensor elu(Tensor x, double alpha);

/// Keras's name of an element type: "float32". Null when there is none.
mlir::Type elementTypeNamed(llvm::StringRef name, mlir::MLIRContext *context);
/// What a layer of this configuration computes in.
std::string computeTypeName(const llvm::json::Object &config);

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_CALL_H
