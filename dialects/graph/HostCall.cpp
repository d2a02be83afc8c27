#include "dialects/graph/HostCall.h"
#include "dialects/graph/ops/Control.h"
#include "dialects/graph/ops/Elementwise.h"
#include "dialects/graph/ops/Indexing.h"
#include "dialects/graph/ops/Sequence.h"
#include "dialects/graph/ops/Shape.h"
#include "dialects/graph/ops/State.h"
#include "dialects/kernel/HostCall.h"
#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::graph;

#include "dialects/graph/HostCall.cpp.inc"

namespace {

/// An op's attributes as the runtime reads them (runtime/host/Host.h): the
/// node's name, then records of a name, a kind, a count and that many values.
class AttributeWriter {
public:
  explicit AttributeWriter(StringRef node) { word(node); }

  void add(StringRef name, Attribute value) {
    if (auto text = dyn_cast<StringAttr>(value)) {
      begin(name, 's', 1);
      string(text.getValue());
    } else if (auto integer = dyn_cast<IntegerAttr>(value)) {
      begin(name, 'i', 1);
      number(integer.getType().isInteger(1) ? integer.getValue().getZExtValue()
                                            : integer.getInt());
    } else if (auto real = dyn_cast<FloatAttr>(value)) {
      begin(name, 'f', 1);
      number(real.getValueAsDouble());
    } else if (isa<UnitAttr>(value)) {
      begin(name, 'i', 1);
      number(int64_t(1));
    } else if (auto integers = dyn_cast<DenseI64ArrayAttr>(value)) {
      begin(name, 'i', integers.size());
      for (int64_t element : integers.asArrayRef())
        number(element);
    } else if (auto reals = dyn_cast<DenseF64ArrayAttr>(value)) {
      begin(name, 'f', reals.size());
      for (double element : reals.asArrayRef())
        number(element);
    } else if (auto symbol = dyn_cast<FlatSymbolRefAttr>(value)) {
      begin(name, 's', 1);
      string(symbol.getValue());
    } else if (auto list = dyn_cast<ArrayAttr>(value)) {
      begin(name, 's', list.size());
      for (Attribute element : list)
        string(cast<StringAttr>(element).getValue());
    }
  }

  Value tensor(OpBuilder &b, Location loc) {
    bytes.push_back(0); // an empty name ends the list
    auto type = RankedTensorType::get({int64_t(bytes.size())}, b.getI8Type());
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::getFromRawBuffer(type, bytes));
  }

private:
  void word(StringRef text) {
    for (char c : text)
      bytes.push_back(c ? c : '?');
    bytes.push_back(0);
  }
  void begin(StringRef name, char kind, int64_t count) {
    word(name);
    bytes.push_back(kind);
    number(count);
  }
  template <typename Number> void number(Number value) {
    auto *from = reinterpret_cast<const char *>(&value);
    bytes.append(from, from + sizeof value);
  }
  void string(StringRef text) {
    number(int64_t(text.size()));
    bytes.append(text.begin(), text.end());
  }

  SmallVector<char> bytes;
};

/// The source node that a location stands for.
StringRef nodeName(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName().getValue();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (StringRef name = nodeName(part); !name.empty())
        return name;
  return "";
}

/// DLPack's code and the bits of an element of the graph.
void addType(Type type, SmallVectorImpl<int32_t> &into) {
  enum { Int, UInt, Float, String, Brain, Complex, Bool };
  if (isa<StringType>(type))
    into.append({String, 128});
  else if (type.isInteger(1))
    into.append({Bool, 8});
  else if (auto complex = dyn_cast<ComplexType>(type))
    into.append(
        {Complex,
         int32_t(2 * complex.getElementType().getIntOrFloatBitWidth())});
  else
    into.append({type.isBF16()              ? Brain
                 : isa<FloatType>(type)     ? Float
                 : type.isUnsignedInteger() ? UInt
                                            : Int,
                 int32_t(type.getIntOrFloatBitWidth())});
}

/// Whether a size of the result is for the op itself to decide.
bool sizesItself(Value result, ShapeContext &shapes) {
  return llvm::any_of(shapes.dims(result), [&](AffineExpr dim) {
    bool own = false;
    dim.walk([&](AffineExpr part) {
      if (auto symbol = dyn_cast<AffineSymbolExpr>(part)) {
        Value source = shapes.origin(symbol.getPosition()).value;
        own |= source && source.getDefiningOp() == result.getDefiningOp();
      }
    });
    return own;
  });
}

} // namespace

LogicalResult graph::lowerHostCall(Operation *op, LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = op->getLoc();
  AttributeWriter attributes(nodeName(loc));
  for (NamedAttribute attribute : op->getAttrDictionary())
    attributes.add(attribute.getName(), attribute.getValue());
  SmallVector<Value> inputs{attributes.tensor(b, loc)}, destinations;
  SmallVector<int32_t> inputTypes, outputTypes;
  SmallVector<bool> allocated;
  SmallVector<Type> results;
  addType(b.getI8Type(), inputTypes);
  for (Value operand : op->getOperands()) {
    inputs.push_back(lowering.get(operand));
    addType(getElementTypeOrSelf(operand.getType()), inputTypes);
  }
  for (Value result : op->getResults()) {
    addType(getElementTypeOrSelf(result.getType()), outputTypes);
    allocated.push_back(sizesItself(result, lowering.shapes));
    if (allocated.back()) {
      results.push_back(LoweringContext::type(result.getType()));
      continue;
    }
    destinations.push_back(lowering.empty(result));
    results.push_back(destinations.back().getType());
  }
  auto unit = [&](bool present) {
    return present ? b.getUnitAttr() : UnitAttr();
  };
  auto call = kernel::HostCallOp::create(
      b, loc, results, b.getStringAttr(cast<HostCall>(op).getHostFunction()),
      inputs, destinations, b.getDenseBoolArrayAttr(allocated),
      b.getDenseI32ArrayAttr(inputTypes), b.getDenseI32ArrayAttr(outputTypes),
      unit(hasEffect<MemoryEffects::Read>(op)),
      unit(hasEffect<MemoryEffects::Write>(op)));
  for (auto [result, value] : llvm::zip(op->getResults(), call.getOutputs()))
    lowering.set(result, value);
  return success();
}

SmallVector<Value> graph::callHost(LoweringContext &lowering, Location loc,
                                   StringRef function,
                                   ArrayRef<NamedAttribute> attributes,
                                   ValueRange inputs, ValueRange destinations,
                                   ArrayRef<Type> types) {
  OpBuilder &b = lowering.builder;
  AttributeWriter writer(nodeName(loc));
  for (NamedAttribute attribute : attributes)
    writer.add(attribute.getName(), attribute.getValue());
  SmallVector<Value> all{writer.tensor(b, loc)};
  llvm::append_range(all, inputs);
  SmallVector<int32_t> inputTypes, outputTypes;
  addType(b.getI8Type(), inputTypes);
  for (auto [i, type] : llvm::enumerate(types))
    addType(type, i < inputs.size() ? inputTypes : outputTypes);
  SmallVector<bool> allocated(destinations.size(), false);
  auto call = kernel::HostCallOp::create(
      b, loc, destinations.getTypes(), b.getStringAttr(function), all,
      destinations, b.getDenseBoolArrayAttr(allocated),
      b.getDenseI32ArrayAttr(inputTypes), b.getDenseI32ArrayAttr(outputTypes),
      UnitAttr(), UnitAttr());
  return SmallVector<Value>(call.getOutputs());
}

Value graph::lowerStrings(LoweringContext &lowering, Location loc,
                          RankedTensorType type,
                          DenseStringElementsAttr value) {
  OpBuilder &b = lowering.builder;
  // The bytes one after the other, and where each string ends. Equal strings
  // of a whole tensor are there once.
  SmallVector<char> bytes;
  SmallVector<int64_t> ends;
  for (StringRef text : value.getRawStringData()) {
    bytes.append(text.begin(), text.end());
    ends.push_back(bytes.size());
  }
  if (bytes.empty())
    bytes.push_back(0);
  if (ends.empty())
    ends.push_back(0);
  auto constant = [&](Type element, ArrayRef<char> data, int64_t count) {
    return arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::getFromRawBuffer(
            RankedTensorType::get({count}, element), data));
  };
  Value data = constant(b.getI8Type(), bytes, bytes.size());
  Value limits = constant(b.getI64Type(),
                          {reinterpret_cast<const char *>(ends.data()),
                           ends.size() * sizeof(int64_t)},
                          ends.size());
  RankedTensorType lowered = LoweringContext::type(type);
  Value empty = tensor::EmptyOp::create(b, loc, lowered.getShape(),
                                        lowered.getElementType());
  return callHost(lowering, loc, "strings", {}, {data, limits}, empty,
                  {b.getI8Type(), b.getI64Type(), type.getElementType()})
      .front();
}

bool graph::takesStrings(Operation *op) {
  if (auto scatter = dyn_cast<TensorScatterOp>(op))
    return scatter.getMode() == "update";
  return isa<HostCall, ConstantOp, IfOp, WhileOp, ReadOp, AssignOp, SelectOp,
             ReshapeOp, ExpandDimsOp, SqueezeOp, TransposeOp, BroadcastToOp,
             EnsureShapeOp, FillOp, TileOp, ConcatOp, PackOp, UnpackOp, SplitOp,
             SliceOp, StridedSliceOp, GatherOp, GatherNdOp, ShapeOfOp,
             ReverseOp, RollOp, DynamicStitchOp, ListGetItemOp, ListSetItemOp>(
      op);
}
