#include "compiler/pipeline/Signature.h"
#include "compiler/lowering/EntryABI.h"
#include "compiler/lowering/FoldPacks.h"
#include "compiler/pipeline/Hdf5Writer.h"
#include "dialects/graph/Graph.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;

namespace tenon {
namespace {

/// Gives dimensions their numbers in the signature.
class Describer {
public:
  /// `entry` is described under the name `name`. A symbol has a value for one
  /// call: entries that call one the same share its number, by `symbols`.
  Describer(func::FuncOp entry, StringRef name,
            llvm::StringMap<int64_t> &symbols, ArtifactSpec &spec)
      : entry(entry), name(name), symbols(symbols), spec(spec),
        shapes(entry.getContext()) {
    shapes.addEntry(entry);
  }

  LogicalResult run() {
    EntryInfo info;
    info.name = name.str();
    for (BlockArgument argument : entry.getArguments()) {
      auto dims = entry.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(),
                                                    "graph.dims");
      auto name = entry.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                     "graph.name");
      if (failed(describe(argument, name, dims, info.inputs)))
        return failure();
    }
    Operation *terminator = entry.getBody().front().getTerminator();
    for (OpOperand &result : terminator->getOpOperands()) {
      auto name = entry.getResultAttrOfType<StringAttr>(
          result.getOperandNumber(), "graph.name");
      if (failed(describe(result.get(), name, {}, info.outputs)))
        return failure();
    }
    spec.entries.push_back(std::move(info));
    return success();
  }

private:
  LogicalResult describe(Value value, StringAttr name, ArrayAttr dimNames,
                         std::vector<TensorInfo> &into) {
    TensorInfo info;
    info.name = name ? name.str() : std::to_string(into.size());
    auto type = cast<RankedTensorType>(value.getType());
    std::optional<DType> dtype = getDType(type.getElementType());
    if (!dtype)
      return emitError(value.getLoc())
             << "'" << info.name << "' has element type "
             << type.getElementType()
             << ", which no array outside the program can have";
    info.dtype = *dtype;
    for (auto [i, dim] : llvm::enumerate(shapes.dims(value))) {
      if (auto size = graph::ShapeContext::asConstant(dim)) {
        info.shape.push_back(*size);
        continue;
      }
      auto [it, isNew] = numbers.try_emplace(dim, spec.symbols.size());
      if (isNew) {
        auto dimName = dimNames && i < dimNames.size()
                           ? dyn_cast<StringAttr>(dimNames[i])
                           : StringAttr();
        if (dimName && !dimName.empty())
          it->second =
              symbols.try_emplace(dimName.getValue(), it->second).first->second;
        if (it->second == int64_t(spec.symbols.size()))
          spec.symbols.push_back(dimName ? dimName.str() : "");
      }
      info.shape.push_back(-1 - it->second);
    }
    if (auto argument = dyn_cast<BlockArgument>(value))
      if (auto given = entry.getArgAttrOfType<ElementsAttr>(
              argument.getArgNumber(), "graph.default"))
        info.defaultValue = defaultOf(given);
    into.push_back(std::move(info));
    return success();
  }

  static DefaultValue defaultOf(ElementsAttr value);

  func::FuncOp entry;
  StringRef name;
  llvm::StringMap<int64_t> &symbols;
  ArtifactSpec &spec;
  graph::ShapeContext shapes;
  llvm::DenseMap<AffineExpr, int64_t> numbers;
};

/// Row-major bytes of constant elements, as buffers hold them.
void writeElements(ElementsAttr value, MutableArrayRef<char> out) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    ArrayRef<char> data = resource.getData();
    std::memcpy(out.data(), data.data(), std::min(out.size(), data.size()));
    return;
  }
  auto dense = cast<DenseElementsAttr>(value);
  if (dense.getElementType().isInteger(1)) {
    for (auto [byte, bit] : llvm::zip(out, dense.getValues<bool>()))
      byte = bit;
    return;
  }
  ArrayRef<char> data = dense.getRawData();
  if (!dense.isSplat()) {
    std::memcpy(out.data(), data.data(), std::min(out.size(), data.size()));
    return;
  }
  for (size_t at = 0; at + data.size() <= out.size(); at += data.size())
    std::memcpy(out.data() + at, data.data(), data.size());
}

uint64_t bytesOf(ShapedType type) {
  return type.getNumElements() * elementBytes(type.getElementType());
}

DefaultValue Describer::defaultOf(ElementsAttr value) {
  DefaultValue result;
  auto type = cast<ShapedType>(value.getType());
  result.shape.assign(type.getShape().begin(), type.getShape().end());
  result.bytes.resize(bytesOf(type));
  writeElements(
      value, MutableArrayRef<char>(result.bytes.data(), result.bytes.size()));
  return result;
}

/// Variables that have a place in a Keras file, in the order of these.
void describeArchive(ModuleOp module, ArtifactSpec &spec) {
  auto about = module->getAttrOfType<DictionaryAttr>("graph.archive");
  if (!about)
    return;
  ArchiveInfo archive;
  archive.config = about.getAs<StringAttr>("config").str();
  archive.metadata = about.getAs<StringAttr>("metadata").str();
  std::vector<Hdf5Dataset> datasets;
  for (auto [i, variable] : llvm::enumerate(spec.variables)) {
    if (variable.place.empty())
      continue;
    datasets.push_back({variable.place, variable.dtype, variable.shape});
    archive.variables.push_back(int32_t(i));
  }
  archive.header = makeHdf5Header(datasets);
  spec.archive = std::move(archive);
}

int64_t integer(Operation *op, StringRef name) {
  return cast<IntegerAttr>(op->getAttr(name)).getInt();
}
} // namespace

LogicalResult describeEntries(ModuleOp module, ArtifactSpec &spec) {
  llvm::StringMap<int64_t> symbols;
  for (auto entry : module.getOps<func::FuncOp>())
    if (isEntryPoint(entry)) {
      // What a caller may pass is what the most general version takes.
      auto versions = versionsOf(entry);
      if (failed(versions) ||
          failed(Describer(versions->back(), entry.getSymName(), symbols, spec)
                     .run()))
        return failure();
    }
  return success();
}

void describeAliases(ModuleOp module, ArtifactSpec &spec) {
  llvm::StringMap<unsigned> numbers;
  for (auto [i, entry] : llvm::enumerate(spec.entries))
    numbers[entry.name] = i;
  for (auto entry : module.getOps<func::FuncOp>())
    if (auto aliases = entry->getAttrOfType<ArrayAttr>(kAliasesAttr))
      for (auto alias : aliases.getAsRange<StringAttr>())
        spec.entries[numbers.at(alias.getValue())].sameAs =
            numbers.at(entry.getSymName());
}

LogicalResult describeData(ModuleOp module, ArtifactSpec &spec) {
  spec.weightsBytes = integer(module, "tenon.weights_bytes");
  spec.stateBytes = integer(module, "tenon.state_bytes");
  for (auto global : module.getOps<memref::GlobalOp>()) {
    if (global->hasAttr("tenon.flag"))
      continue;
    MemRefType type = global.getType();
    uint64_t bytes = bytesOf(type), offset = integer(global, "tenon.offset");
    ElementsAttr value;
    if (auto name = global->getAttrOfType<StringAttr>("tenon.variable")) {
      VariableInfo info{name.str(),
                        {},
                        std::vector<int64_t>(type.getShape()),
                        offset,
                        bytes,
                        -1,
                        uint64_t(integer(global, "tenon.flag_offset")),
                        global->hasAttr("tenon.generator"),
                        {}};
      if (auto place = global->getAttrOfType<StringAttr>("tenon.place"))
        info.place = place.str();
      value = global->getAttrOfType<ElementsAttr>("tenon.initial");
      Type element = value ? cast<ShapedType>(value.getType()).getElementType()
                           : type.getElementType();
      if (std::optional<DType> dtype = getDType(element))
        info.dtype = *dtype;
      else if (element.isInteger(128))
        info.dtype = {kDTypeString, 128};
      if (value)
        info.initial = integer(global, "tenon.initial_offset");
      if (info.initial >= 0)
        offset = info.initial;
      else
        value = {};
      spec.variables.push_back(std::move(info));
    } else {
      value = dyn_cast_or_null<ElementsAttr>(global.getInitialValueAttr());
    }
    if (bytes == 0)
      continue;
    if (auto pack = global->getAttrOfType<DictionaryAttr>("tenon.pack"))
      spec.weights.push_back(
          {offset, bytes, [pack, type](MutableArrayRef<char> out) {
             writePacked(pack, type, out);
           }});
    else if (value)
      spec.weights.push_back(
          {offset, bytes,
           [value](MutableArrayRef<char> out) { writeElements(value, out); }});
  }
  llvm::stable_sort(spec.weights,
                    [](const WeightPiece &a, const WeightPiece &b) {
                      return a.offset < b.offset;
                    });
  for (Attribute message : cast<ArrayAttr>(module->getAttr("tenon.failures")))
    spec.failures.push_back(cast<StringAttr>(message).str());
  describeArchive(module, spec);
  return success();
}

} // namespace tenon
