//===- Signature.cpp - the embedded description of a model ----------------===//

#include "compiler/backend/cpu/Signature.h"

#include "runtime/signature_generated.h"

#include "llvm/BinaryFormat/Magic.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
namespace fb = tenon::signature;

namespace tenon {

namespace {

using Builder = flatbuffers::FlatBufferBuilder;

flatbuffers::Offset<fb::Tensor> writeTensor(Builder &builder,
                                            const TensorInfo &info) {
  auto name = builder.CreateSharedString(info.name);
  auto shape = builder.CreateVector(info.shape);
  flatbuffers::Offset<flatbuffers::Vector<int64_t>> defaultShape;
  flatbuffers::Offset<flatbuffers::Vector<uint8_t>> defaultBytes;
  flatbuffers::Offset<
      flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>>
      defaultStrings;
  if (const auto &value = info.defaultValue) {
    defaultShape = builder.CreateVector(value->shape);
    if (info.dtype.code == kDTypeString) {
      defaultStrings = builder.CreateVectorOfStrings(value->strings);
    } else {
      builder.ForceVectorAlignment(value->bytes.size(), 1, 16);
      defaultBytes = builder.CreateVector(
          reinterpret_cast<const uint8_t *>(value->bytes.data()),
          value->bytes.size());
    }
  }
  return fb::CreateTensor(builder, name, info.dtype.code, info.dtype.bits,
                          shape, info.defaultValue.has_value(), defaultShape,
                          defaultBytes, defaultStrings);
}

/// Inputs and results of entries, which are often those of another entry.
class TensorLists {
public:
  using List =
      flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<fb::Tensor>>>;

  explicit TensorLists(Builder &builder) : builder(builder) {}

  List write(ArrayRef<TensorInfo> infos) {
    for (auto [list, place] : written)
      if (list == infos)
        return place;
    std::vector<flatbuffers::Offset<fb::Tensor>> tensors;
    for (const TensorInfo &info : infos)
      tensors.push_back(writeTensor(builder, info));
    List place = builder.CreateVector(tensors);
    written.emplace_back(infos, place);
    return place;
  }

private:
  Builder &builder;
  std::vector<std::pair<ArrayRef<TensorInfo>, List>> written;
};

template <typename Strings>
std::vector<std::string> readStrings(const Strings *strings) {
  std::vector<std::string> result;
  if (strings)
    for (const auto *string : *strings)
      result.push_back(string->str());
  return result;
}

std::string readString(const flatbuffers::String *string) {
  return string ? string->str() : std::string();
}

std::vector<int64_t> readShape(const flatbuffers::Vector<int64_t> *shape) {
  return shape ? std::vector<int64_t>(shape->begin(), shape->end())
               : std::vector<int64_t>();
}

template <typename Tensors>
std::vector<TensorInfo> readTensors(const Tensors *tensors) {
  std::vector<TensorInfo> infos;
  if (!tensors)
    return infos;
  for (const fb::Tensor *tensor : *tensors) {
    TensorInfo info;
    info.name = readString(tensor->name());
    info.dtype = {tensor->code(), tensor->bits()};
    info.shape = readShape(tensor->shape());
    if (tensor->has_default()) {
      DefaultValue value;
      value.shape = readShape(tensor->default_shape());
      if (const auto *bytes = tensor->default_bytes())
        value.bytes.assign(bytes->begin(), bytes->end());
      value.strings = readStrings(tensor->default_strings());
      info.defaultValue = std::move(value);
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

} // namespace

std::string writeSignature(const ArtifactSpec &spec) {
  Builder builder;
  std::vector<flatbuffers::Offset<fb::Entry>> entries;
  std::vector<uint8_t> stateless;
  TensorLists lists(builder);
  for (const EntryInfo &entry : spec.entries) {
    auto name = builder.CreateString(entry.name);
    auto inputs = lists.write(entry.inputs);
    auto outputs = lists.write(entry.outputs);
    entries.push_back(
        fb::CreateEntry(builder, name, inputs, outputs, entry.arenaBytes));
    stateless.push_back(entry.stateless);
  }
  std::vector<flatbuffers::Offset<fb::Variable>> variables;
  for (const VariableInfo &variable : spec.variables) {
    auto name = builder.CreateString(variable.name);
    auto shape = builder.CreateVector(variable.shape);
    variables.push_back(fb::CreateVariable(
        builder, name, variable.dtype.code, variable.dtype.bits, shape,
        variable.stateOffset, variable.bytes, variable.flagOffset,
        variable.initial, variable.generator));
  }
  auto name = builder.CreateString(spec.name);
  auto entriesVector = builder.CreateVector(entries);
  auto variablesVector = builder.CreateVector(variables);
  auto symbols = builder.CreateVectorOfStrings(spec.symbols);
  auto failures = builder.CreateVectorOfStrings(spec.failures);
  auto kernels = builder.CreateVectorOfStrings(spec.kernels);
  auto statelessVector = builder.CreateVector(stateless);
  flatbuffers::Offset<fb::Archive> archive;
  if (spec.archive) {
    auto config = builder.CreateString(spec.archive->config);
    auto metadata = builder.CreateString(spec.archive->metadata);
    auto header = builder.CreateVector(
        reinterpret_cast<const uint8_t *>(spec.archive->header.data()),
        spec.archive->header.size());
    auto order = builder.CreateVector(spec.archive->variables);
    archive = fb::CreateArchive(builder, config, metadata, header, order);
  }
  builder.Finish(fb::CreateModel(builder, name, entriesVector, variablesVector,
                                 symbols, failures, kernels, spec.arenaBytes,
                                 spec.weightsBytes, spec.stateBytes,
                                 spec.zerosBytes, spec.parallel,
                                 statelessVector, archive),
                 fb::ModelIdentifier());
  return std::string(reinterpret_cast<const char *>(builder.GetBufferPointer()),
                     builder.GetSize());
}

static ArtifactSpec describe(const fb::Model &model) {
  ArtifactSpec spec;
  spec.name = readString(model.name());
  if (const auto *entries = model.entries())
    for (const fb::Entry *entry : *entries) {
      EntryInfo info;
      info.name = readString(entry->name());
      info.inputs = readTensors(entry->inputs());
      info.outputs = readTensors(entry->outputs());
      info.arenaBytes = entry->arena_bytes();
      spec.entries.push_back(std::move(info));
    }
  if (const auto *variables = model.variables())
    for (const fb::Variable *variable : *variables)
      spec.variables.push_back({readString(variable->name()),
                                {variable->code(), variable->bits()},
                                readShape(variable->shape()),
                                variable->state_offset(),
                                variable->bytes(),
                                variable->initial(),
                                variable->flag_offset(),
                                variable->generator(),
                                {}});
  spec.symbols = readStrings(model.symbols());
  spec.failures = readStrings(model.failures());
  spec.kernels = readStrings(model.kernels());
  spec.arenaBytes = model.arena_bytes();
  spec.weightsBytes = model.weights_bytes();
  spec.stateBytes = model.state_bytes();
  spec.zerosBytes = model.zeros_bytes();
  spec.parallel = model.parallel();
  return spec;
}

Expected<ArtifactSpec> readSignature(StringRef bytes) {
  // The table wants alignment, which a section of a file need not have.
  std::vector<uint64_t> aligned(bytes.size() / 8 + 1);
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  const auto *data = reinterpret_cast<const uint8_t *>(aligned.data());
  flatbuffers::Verifier verifier(data, bytes.size());
  if (!fb::VerifyModelBuffer(verifier))
    return createStringError("the embedded signature is damaged");
  return describe(*fb::GetModel(data));
}

/// Looks for a signature in an executable, which has no sections.
static Expected<ArtifactSpec> searchSignature(StringRef file) {
  StringRef identifier = fb::ModelIdentifier();
  for (size_t at = file.find(identifier); at != StringRef::npos;
       at = file.find(identifier, at + 1)) {
    // The offset of the root stands before it, at a multiple of 16.
    const auto *data = reinterpret_cast<const uint8_t *>(file.data()) + at - 4;
    if (at % 16 != 4 || reinterpret_cast<uintptr_t>(data) % 8)
      continue;
    flatbuffers::Verifier verifier(data, file.size() - at + 4);
    if (fb::VerifyModelBuffer(verifier))
      return describe(*fb::GetModel(data));
  }
  return createStringError("this file was not made by tenon");
}

/// The contents of the signature's section; empty when there is none.
static StringRef findSection(const object::ObjectFile &file) {
  for (const object::SectionRef &section : file.sections()) {
    Expected<StringRef> name = section.getName();
    if (!name) {
      consumeError(name.takeError());
      continue;
    }
    if (*name != kSignatureSection)
      continue;
    if (Expected<StringRef> contents = section.getContents())
      return *contents;
    else
      consumeError(contents.takeError());
  }
  return {};
}

Expected<ArtifactSpec> readArtifact(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError(buffer.getError().message());
  MemoryBufferRef ref = (*buffer)->getMemBufferRef();
  if (identify_magic(ref.getBuffer()) == file_magic::archive) {
    auto archive = object::Archive::create(ref);
    if (!archive)
      return archive.takeError();
    Error error = Error::success();
    std::string found;
    for (const object::Archive::Child &child : (*archive)->children(error)) {
      Expected<MemoryBufferRef> member = child.getMemoryBufferRef();
      if (!member)
        return joinErrors(std::move(error), member.takeError());
      auto object = object::ObjectFile::createObjectFile(*member);
      if (!object) {
        consumeError(object.takeError());
        continue;
      }
      found = findSection(**object).str();
      if (!found.empty())
        break;
    }
    if (error)
      return error;
    if (!found.empty())
      return readSignature(found);
  } else {
    auto object = object::ObjectFile::createObjectFile(ref);
    if (!object)
      return object.takeError();
    StringRef found = findSection(**object);
    return found.empty() ? searchSignature(ref.getBuffer())
                         : readSignature(found);
  }
  return createStringError("this file was not made by tenon");
}

bool isNativeFile(StringRef path) {
  file_magic magic;
  if (sys::fs::is_directory(path) || identify_magic(path, magic))
    return false;
  return magic == file_magic::archive ||
         (magic >= file_magic::elf && magic <= file_magic::elf_core);
}

} // namespace tenon
