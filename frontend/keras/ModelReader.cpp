//===- ModelReader.cpp - Keras's files ------------------------------------===//

#include "frontend/keras/ModelReader.h"

#include "frontend/FileMapping.h"
#include "frontend/keras/ZipReader.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace tenon::keras {

namespace {
Expected<Bytes> mapBytes(const std::string &path) {
  auto mapping = mapFile(path);
  if (!mapping)
    return mapping.takeError();
  return Bytes{(*mapping)->getBuffer(), *mapping};
}

Error setConfig(KerasModel &model, json::Value value) {
  json::Object *object = value.getAsObject();
  if (!object)
    return createStringError("the configuration is not a JSON object");
  model.config = std::move(*object);
  // What Keras 3 looks a model's class up by, which older files lack: only
  // theirs have none.
  size_t start = model.configText.find('{');
  if (!model.config.get("module") && start != std::string::npos)
    model.configText.insert(
        start + 1, model.config.getString("class_name") == "Sequential"
                       ? R"("module": "keras", "registered_name": null, )"
                       : R"("module": "keras.src.models.functional", )"
                         R"("registered_name": "Functional", )");
  if (const json::Object *compiled = model.config.getObject("compile_config"))
    model.compileConfig = *compiled;
  return readTopology(model);
}

Error parseConfig(KerasModel &model, StringRef text) {
  model.configText = text.str();
  auto value = parseJson(text);
  return value ? setConfig(model, std::move(*value)) : value.takeError();
}

/// What the optimizer keeps, where the file has it. Nothing is missing without:
/// training then starts afresh.
Error readOptimizer(KerasModel &model) {
  Hdf5File &file = *model.weights;
  auto group = file.find("optimizer_weights"); // of whole models in HDF5
  if (!group)
    return group.takeError();
  std::vector<std::string> names;
  if (*group) {
    auto texts = file.texts(**group, "weight_names");
    if (!texts)
      return texts.takeError();
    for (const std::string &name : *texts)
      names.push_back("optimizer_weights/" + name);
  }
  for (size_t i = 0; names.empty() || i < names.size(); ++i) {
    auto object = file.find(
        names.empty() ? "optimizer/vars/" + std::to_string(i) : names[i]);
    if (!object)
      return object.takeError();
    if (!*object || !(*object)->dataset)
      break;
    model.optimizer.push_back(&*(*object)->dataset);
  }
  return Error::success();
}

Error openWeights(KerasModel &model, Bytes bytes) {
  auto file = Hdf5File::open(std::move(bytes));
  if (!file)
    return file.takeError();
  model.weights = std::move(*file);
  auto root = model.weights->find("");
  if (!root)
    return root.takeError();
  if (Error error = readOptimizer(model))
    return error;
  auto listsLayers = [](const Hdf5Object &group) {
    return group.attributes.count("layer_names") ||
           group.attributes.count("layer_names0");
  };
  if (listsLayers(**root))
    return bindWeights(model, *root, "");
  auto group = model.weights->find("model_weights");
  if (!group)
    return group.takeError();
  return bindWeights(model, *group, "model_weights");
}

Error readArchive(KerasModel &model, Bytes bytes) {
  auto archive = ZipArchive::open(std::move(bytes));
  if (!archive)
    return archive.takeError();
  for (StringRef needed : {"config.json", "model.weights.h5"})
    if (!archive->has(needed))
      return createStringError("the archive has no '" + needed +
                               "', which a Keras model has");
  auto config = archive->read("config.json");
  if (!config)
    return config.takeError();
  if (Error error = parseConfig(model, config->data))
    return error;
  if (!model.unsupported.empty())
    return Error::success(); // will be reported; weights do not matter
  if (archive->has("metadata.json")) {
    auto metadata = archive->read("metadata.json");
    if (!metadata)
      return metadata.takeError();
    model.metadataText = metadata->data.str();
  }
  auto weights = archive->read("model.weights.h5");
  return weights ? openWeights(model, std::move(*weights))
                 : weights.takeError();
}

Error readHdf5(KerasModel &model, const Bytes &bytes) {
  auto file = Hdf5File::open(bytes);
  if (!file)
    return file.takeError();
  auto root = (*file)->find("");
  if (!root)
    return root.takeError();
  auto config = (*file)->texts(**root, "model_config");
  if (!config)
    return config.takeError();
  if (config->size() != 1)
    return createStringError(
        "the file has weights only ('model_config' is missing); give the "
        "model's JSON configuration and --load-weights FILE");
  if (Error error = parseConfig(model, (*config)[0]))
    return error;
  if (!model.unsupported.empty())
    return Error::success();
  auto training = (*file)->texts(**root, "training_config");
  if (!training)
    return training.takeError();
  if (training->size() == 1) {
    auto value = parseJson((*training)[0]);
    if (!value)
      return value.takeError();
    if (json::Object *object = value->getAsObject())
      model.compileConfig = std::move(*object);
  }
  return openWeights(model, bytes);
}

Error readJson(KerasModel &model, const std::string &path, const Bytes &bytes,
               const std::string &given) {
  if (Error error = parseConfig(model, bytes.data))
    return error;
  if (!model.unsupported.empty())
    return Error::success();
  std::string weights = given;
  if (weights.empty()) {
    SmallString<128> beside(path);
    sys::path::replace_extension(beside, ".weights.h5");
    weights = beside.str().str();
    if (!sys::fs::exists(weights))
      return createStringError("a configuration has no weights: expected '" +
                               weights + "' or --load-weights FILE");
  }
  auto file = mapBytes(weights);
  if (!file)
    return file.takeError();
  if (Error error = openWeights(model, std::move(*file)))
    return createStringError("'" + weights +
                             "': " + toString(std::move(error)));
  return Error::success();
}
} // namespace

FileKind recognize(const std::string &path) {
  auto file = MemoryBuffer::getFileSlice(path, 4096, 0);
  if (!file)
    return FileKind::Unknown;
  StringRef bytes = (*file)->getBuffer();
  if (bytes.starts_with(StringRef("PK\3\4", 4)))
    return FileKind::Archive;
  if (Hdf5File::recognize(bytes))
    return FileKind::Hdf5;
  bytes = bytes.ltrim();
  if (bytes.consume_front("{") && bytes.ltrim().starts_with("\""))
    return FileKind::Json;
  return FileKind::Unknown;
}

Expected<std::unique_ptr<KerasModel>>
readModel(const std::string &path, FileKind kind, const std::string &weights) {
  auto bytes = mapBytes(path);
  if (!bytes)
    return bytes.takeError();
  auto model = std::make_unique<KerasModel>();
  model->path = path;
  if (kind != FileKind::Json && !weights.empty())
    return createStringError("--load-weights is for a JSON configuration; "
                             "this file has weights");
  Error error = kind == FileKind::Archive ? readArchive(*model, *bytes)
                : kind == FileKind::Hdf5
                    ? readHdf5(*model, *bytes)
                    : readJson(*model, path, *bytes, weights);
  if (error)
    return std::move(error);
  return model;
}

} // namespace tenon::keras
