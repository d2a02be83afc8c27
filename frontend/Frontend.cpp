//===- Frontend.cpp - from a model file to a module of the graph dialect --===//

#include "frontend/Frontend.h"

#include "dialects/graph/Graph.h"
#include "frontend/keras/ModelImporter.h"
#include "frontend/keras/ModelReader.h"
#include "frontend/tensorflow/GraphReader.h"
#include "frontend/tensorflow/ModelImporter.h"
#include "frontend/tensorflow/RaiseControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace tenon {

namespace {
constexpr llvm::StringRef kFormats[] = {
    "graphdef",   "graphdef-text", "keras",     "keras-h5",
    "keras-json", "metagraph",     "savedmodel"};

keras::FileKind kerasKindOf(llvm::StringRef format) {
  if (format == "keras")
    return keras::FileKind::Archive;
  if (format == "keras-h5")
    return keras::FileKind::Hdf5;
  if (format == "keras-json")
    return keras::FileKind::Json;
  return keras::FileKind::Unknown;
}

tf::FileKind kindOf(llvm::StringRef format) {
  if (format == "graphdef")
    return tf::FileKind::GraphDef;
  if (format == "graphdef-text")
    return tf::FileKind::TextGraphDef;
  if (format == "metagraph")
    return tf::FileKind::MetaGraph;
  if (format == "savedmodel")
    return tf::FileKind::SavedModel;
  return tf::FileKind::Unknown;
}
} // namespace

ArrayRef<StringRef> modelFormats() { return kFormats; }

OwningOpRef<ModuleOp> importModel(StringRef path, const ImportOptions &options,
                                  MLIRContext &context) {
  context.loadDialect<graph::GraphDialect, func::FuncDialect>();
  auto error = [&](const llvm::Twine &text) {
    emitError(UnknownLoc::get(&context)) << text.str();
    return nullptr;
  };
  keras::FileKind kerasKind = options.format.empty()
                                  ? keras::recognize(path.str())
                                  : kerasKindOf(options.format);
  if (kerasKind != keras::FileKind::Unknown) {
    auto model = keras::readModel(path.str(), kerasKind, options.loadWeights);
    if (!model)
      return error(llvm::toString(model.takeError()));
    return keras::importModel(**model, options, context);
  }
  if (!options.loadWeights.empty())
    return error("--load-weights is for a Keras model's JSON configuration");
  tf::FileKind kind = kindOf(options.format);
  if (kind == tf::FileKind::Unknown) {
    if (!options.format.empty())
      return error("unknown format '" + options.format + "'");
    auto recognized = tf::recognize(path.str());
    if (!recognized)
      return error(llvm::toString(recognized.takeError()));
    kind = *recognized;
  }
  if (kind == tf::FileKind::Unknown)
    return error("not a model file of a known format");
  auto model = tf::readGraph(path.str(), kind);
  if (!model)
    return error(llvm::toString(model.takeError()));
  if (llvm::Error failed = tf::raiseControlFlow(**model))
    return error(llvm::toString(std::move(failed)));
  return tf::importGraphModel(**model, options, context);
}

} // namespace tenon
