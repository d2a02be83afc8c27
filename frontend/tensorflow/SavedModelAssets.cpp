//===- SavedModelAssets.cpp - files that belong to a model ----------------===//
//
// A model names its vocabularies and the like by the tensors that hold their
// paths. The files become part of the program: such a tensor is a constant
// that begins with "asset://" and the name, then a zero and the contents,
// which the runtime takes for the file (runtime/host/Files.cpp).
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/CheckpointReader.h"
#include "frontend/tensorflow/GraphReader.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

namespace tenon::tf {

/// A name that leads nowhere but into the folder of assets.
static bool staysInside(llvm::StringRef name) {
  if (name.empty() || name.contains('\0') || llvm::sys::path::is_absolute(name))
    return false;
  for (llvm::StringRef part : llvm::make_range(llvm::sys::path::begin(name),
                                               llvm::sys::path::end(name)))
    if (part == "..")
      return false;
  return true;
}

/// Turns the tensor that holds an asset's path into its contents.
static llvm::Error embed(const tfproto::AssetFileDef &asset,
                         const std::string &directory, GraphModel &model) {
  const std::string &name = asset.filename();
  if (!staysInside(name))
    return llvm::createStringError("the asset '" + name +
                                   "' is not a file inside of the model");
  auto tensor = parseTensorName(asset.tensor_info().name());
  if (!tensor)
    return tensor.takeError();
  auto found = model.graph.index.find(tensor->first);
  if (found == model.graph.index.end())
    return llvm::createStringError("the asset '" + name +
                                   "' belongs to node '" + tensor->first +
                                   "', which is not in the graph");
  std::string path = directory + "/assets/" + name;
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return llvm::createStringError("the asset '" + path +
                                   "': " + file.getError().message());
  tfproto::NodeDef &def = model.synthetic.emplace_back();
  Node &node = model.graph.nodes[found->second];
  def.set_name(node.name);
  def.set_op("Const");
  auto &attributes = *def.mutable_attr();
  attributes["dtype"].set_type(DataType::DT_STRING);
  auto &value = *attributes["value"].mutable_tensor();
  value.set_dtype(DataType::DT_STRING);
  value.mutable_tensor_shape();
  value.add_string_val("asset://" + name + std::string(1, '\0') +
                       (*file)->getBuffer().str());
  node.op = "Const";
  node.def = &def;
  node.inputs.clear();
  return llvm::Error::success();
}

llvm::Error embedAssets(const tfproto::MetaGraphDef &meta,
                        const std::string &directory, GraphModel &model) {
  for (const auto &asset : meta.asset_file_def())
    if (llvm::Error error = embed(asset, directory, model))
      return error;
  // TensorFlow 1 lists them in a collection.
  auto listed = meta.collection_def().find("saved_model_assets");
  if (listed == meta.collection_def().end())
    return llvm::Error::success();
  for (const auto &any : listed->second.any_list().value()) {
    tfproto::AssetFileDef asset;
    if (!asset.ParseFromString(any.value()))
      return llvm::createStringError(
          "the collection 'saved_model_assets' is malformed");
    if (llvm::Error error = embed(asset, directory, model))
      return error;
  }
  return llvm::Error::success();
}

} // namespace tenon::tf
