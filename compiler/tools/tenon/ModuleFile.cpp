//===- ModuleFile.cpp - modules of the graph dialect as files -------------===//

#include "compiler/tools/tenon/ModuleFile.h"

#include "compiler/backend/cpu/Files.h"
#include "compiler/backend/cpu/WeightsObject.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <fcntl.h>
#include <unistd.h>

using namespace mlir;
using llvm::Error;

namespace tenon {

namespace {

constexpr StringLiteral kWeightsAttr = "graph.weights";
constexpr uint64_t kDataOffset = 4096;
constexpr size_t kSmallBytes = 1024;

/// Every constant that is a resource, once, in order of appearance.
llvm::SetVector<Attribute> collectResources(ModuleOp module) {
  llvm::SetVector<Attribute> found;
  module->walk([&](Operation *op) {
    for (NamedAttribute attribute : op->getAttrs())
      attribute.getValue().walk(
          [&](DenseResourceElementsAttr elements) { found.insert(elements); });
  });
  return found;
}

/// Bytes of `type`'s elements as MLIR stores them; none when it has no size.
std::optional<uint64_t> getBytes(ShapedType type) {
  if (!type.hasStaticShape())
    return std::nullopt;
  Type element = type.getElementType();
  uint64_t bits = 0;
  if (auto complex = dyn_cast<ComplexType>(element))
    bits = 2 * complex.getElementType().getIntOrFloatBitWidth();
  else if (element.isIntOrFloat())
    bits = element.getIntOrFloatBitWidth();
  else
    return std::nullopt;
  uint64_t bytes = llvm::divideCeil(bits, 8);
  for (int64_t size : type.getShape())
    if (__builtin_mul_overflow(bytes, uint64_t(size), &bytes))
      return std::nullopt;
  return bytes;
}

class Reader {
public:
  Reader(StringRef path, MLIRContext &context) : path(path), context(context) {}

  OwningOpRef<ModuleOp> read() {
    ParserConfig config(&context);
    OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(path, config);
    if (!module || failed(attachWeights(*module)) ||
        failed(checkResources(*module)))
      return nullptr;
    return module;
  }

private:
  LogicalResult fail(const Twine &message) {
    return emitError(UnknownLoc::get(&context)) << message.str();
  }

  LogicalResult attachWeights(ModuleOp module) {
    Attribute attribute = module->removeAttr(kWeightsAttr);
    if (!attribute)
      return success();
    auto description = dyn_cast<DictionaryAttr>(attribute);
    StringAttr file;
    ArrayAttr tensors;
    if (description) {
      file = description.getAs<StringAttr>("file");
      tensors = description.getAs<ArrayAttr>("tensors");
    }
    if (!file || !tensors)
      return fail("'graph.weights' needs 'file' and 'tensors'");
    if (failed(mapFile(file)))
      return failure();
    for (Attribute tensor : tensors)
      if (failed(attach(dyn_cast<DictionaryAttr>(tensor))))
        return failure();
    return success();
  }

  LogicalResult mapFile(StringRef name) {
    weightsPath = llvm::sys::path::parent_path(path);
    llvm::sys::path::append(weightsPath, name);
    auto buffer = llvm::MemoryBuffer::getFile(weightsPath, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!buffer)
      return fail("cannot read '" + weightsPath.str() +
                  "': " + buffer.getError().message());
    file = std::move(*buffer);
    StringRef bytes = file->getBuffer();
    if (bytes.size() < kDataOffset || !bytes.starts_with("TNNWGT1") ||
        llvm::support::endian::read64le(bytes.data() + 8) !=
            bytes.size() - kDataOffset)
      return fail("'" + weightsPath.str() + "' is not a file of weights");
    return success();
  }

  LogicalResult attach(DictionaryAttr tensor) {
    auto key = tensor ? tensor.getAs<StringAttr>("name") : StringAttr();
    auto offset = tensor ? tensor.getAs<IntegerAttr>("offset") : IntegerAttr();
    auto size = tensor ? tensor.getAs<IntegerAttr>("bytes") : IntegerAttr();
    if (!key || !offset || !size || !offset.getType().isInteger(64) ||
        !size.getType().isInteger(64))
      return fail("a tensor of 'graph.weights' needs 'name', 'offset' and "
                  "'bytes'");
    uint64_t begin = offset.getInt(), bytes = size.getInt();
    uint64_t available = file->getBufferSize() - kDataOffset;
    if (begin > available || bytes > available - begin || begin % 64)
      return fail("weight '" + key.str() + "' lies outside of '" +
                  weightsPath.str() + "'");
    auto &manager = DenseResourceElementsHandle::getManagerInterface(&context);
    if (!manager.getBlobManager().lookup(key))
      return success(); // The module does not use it.
    ArrayRef<char> data(file->getBufferStart() + kDataOffset + begin, bytes);
    manager.getBlobManager().update(
        key, UnmanagedAsmResourceBlob::allocateWithAlign(
                 data, 64, [keep = file](void *, size_t, size_t) {},
                 /*dataIsMutable=*/false));
    return success();
  }

  /// The bytes may come from anywhere; what uses them trusts their number.
  LogicalResult checkResources(ModuleOp module) {
    for (Attribute attribute : collectResources(module)) {
      auto elements = cast<DenseResourceElementsAttr>(attribute);
      StringRef key = elements.getRawHandle().getKey();
      AsmResourceBlob *blob = elements.getRawHandle().getBlob();
      if (!blob)
        return fail("resource '" + key + "' has no data");
      std::optional<uint64_t> bytes = getBytes(elements.getType());
      if (!bytes || *bytes != blob->getData().size())
        return fail("resource '" + key + "' has " +
                    Twine(blob->getData().size()) +
                    " bytes, which are not those of its type");
    }
    return success();
  }

  StringRef path;
  MLIRContext &context;
  SmallString<128> weightsPath;
  std::shared_ptr<llvm::MemoryBuffer> file;
};

/// The module's large constants in the order of the file.
struct Layout {
  ArtifactSpec spec; // only weights and weightsBytes
  SmallVector<Attribute> tensors;
};

Layout makeLayout(ModuleOp module, bool bytecode) {
  Builder builder(module.getContext());
  Layout layout;
  llvm::StringSet<> seen;
  for (Attribute attribute : collectResources(module)) {
    auto handle = cast<DenseResourceElementsAttr>(attribute).getRawHandle();
    AsmResourceBlob *blob = handle.getBlob();
    // Bytecode leaves out all resources or none, text only the large ones.
    if (!blob || (!bytecode && blob->getData().size() <= kSmallBytes) ||
        !seen.insert(handle.getKey()).second)
      continue;
    ArrayRef<char> data = blob->getData();
    WeightPiece piece;
    piece.offset = llvm::alignTo(layout.spec.weightsBytes, 64);
    piece.bytes = data.size();
    piece.write = [data](llvm::MutableArrayRef<char> out) {
      std::memcpy(out.data(), data.data(), data.size());
    };
    layout.tensors.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("bytes", builder.getI64IntegerAttr(piece.bytes)),
         builder.getNamedAttr("name", builder.getStringAttr(handle.getKey())),
         builder.getNamedAttr("offset",
                              builder.getI64IntegerAttr(piece.offset))}));
    layout.spec.weightsBytes = piece.offset + piece.bytes;
    layout.spec.weights.push_back(std::move(piece));
  }
  return layout;
}

llvm::Expected<std::string> print(ModuleOp module, bool bytecode) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (bytecode) {
    BytecodeWriterConfig config;
    config.setElideResourceDataFlag();
    if (failed(writeBytecodeToFile(module, stream, config)))
      return llvm::createStringError("cannot write bytecode");
    return text;
  }
  // Two digits for each byte, and the prefix with the alignment.
  OpPrintingFlags flags;
  flags.elideLargeResourceString(2 * kSmallBytes + 16);
  flags.enableDebugInfo(/*enable=*/true, /*prettyForm=*/false);
  module->print(stream, flags);
  stream << '\n';
  return text;
}

/// "#loc1 = " or "!type = ": how text with aliases begins.
bool isAlias(StringRef text) {
  if (!text.consume_front("#") && !text.consume_front("!"))
    return false;
  StringRef rest = text.drop_while(llvm::isAlnum);
  return rest.size() < text.size() && rest.starts_with(" = ");
}

} // namespace

bool isModuleFile(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFileSlice(path, 4096, 0);
  if (!buffer)
    return false;
  StringRef text = (*buffer)->getBuffer();
  if (isBytecode((*buffer)->getMemBufferRef()))
    return true;
  for (text = text.ltrim(); text.starts_with("//"); text = text.ltrim())
    text = text.drop_until([](char c) { return c == '\n'; });
  return text.starts_with("module") || text.starts_with("\"builtin.module\"") ||
         text.starts_with("func.func") || text.starts_with("graph.") ||
         text.starts_with("{-#") || isAlias(text);
}

OwningOpRef<ModuleOp> readModuleFile(llvm::StringRef path,
                                     MLIRContext &context) {
  return Reader(path, context).read();
}

Error writeModuleFile(ModuleOp module, llvm::StringRef path, bool bytecode) {
  llvm::Expected<OutputFile> output = OutputFile::create(path);
  if (!output)
    return output.takeError();
  Layout layout = makeLayout(module, bytecode);
  SmallString<128> weightsPath(path);
  llvm::sys::path::replace_extension(weightsPath, "weights");
  OutputFile weights;
  if (!layout.tensors.empty()) {
    llvm::Expected<OutputFile> file = OutputFile::create(weightsPath);
    if (!file)
      return file.takeError();
    weights = std::move(*file);
    int fd = ::open(weights.getTemporaryPath().c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0)
      return llvm::createStringError("cannot open '" + weightsPath + "'");
    Error error = writeWeightsFile(layout.spec, fd, /*threads=*/0);
    ::close(fd);
    if (error)
      return error;
    Builder builder(module.getContext());
    module->setAttr(
        kWeightsAttr,
        builder.getDictionaryAttr(
            {builder.getNamedAttr(
                 "file",
                 builder.getStringAttr(llvm::sys::path::filename(weightsPath))),
             builder.getNamedAttr("tensors",
                                  builder.getArrayAttr(layout.tensors))}));
  }
  llvm::Expected<std::string> text = print(module, bytecode);
  module->removeAttr(kWeightsAttr);
  if (!text)
    return text.takeError();
  if (Error error = output->write(*text))
    return error;
  if (!layout.tensors.empty())
    if (Error error = weights.commit())
      return error;
  return output->commit();
}

} // namespace tenon
