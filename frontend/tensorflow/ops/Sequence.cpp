//===- Sequence.cpp - lists and arrays of tensors -------------------------===//
//
// A list is a tensor with one more dimension in front. What shape its elements
// have may be known only when one is put in: until then the value has no tensor
// (see ImportedValue). A TensorArray is the list that its flow carries.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/ops/Sequence.h"
#include "frontend/Lists.h"
#include "frontend/tensorflow/ops/Rows.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// A list of `length` elements of which only the type is known.
ImportedValue emptyList(Binder &b, Type elementType, Value length) {
  if (b.failed())
    return {};
  if (b.rank(length) != 0) {
    b.fail("the number of elements must be a scalar");
    return {};
  }
  ImportedValue list;
  list.kind = ImportedValue::List;
  list.elementType = elementType;
  list.length = length;
  list.listShape = std::make_shared<ListShape>();
  list.untouched = true;
  return list;
}

ImportedValue anyList(Binder &b, unsigned i) {
  const ImportedValue &value = b.raw(i);
  if (!b.failed() && value.kind != ImportedValue::List)
    b.fail("input " + llvm::Twine(i) + " is not a list");
  return b.failed() ? ImportedValue() : value;
}

/// A list of tensors.
ImportedValue list(Binder &b, unsigned i) {
  ImportedValue value = anyList(b, i);
  if (!value.parts.empty())
    b.fail("lists of lists are supported as stacks only");
  return b.failed() ? ImportedValue() : value;
}

/// A list whose elements have the shape that the model says.
ImportedValue declaredList(ImportedValue list) {
  list.declared = true;
  return list;
}

/// Sizes of one element that a shape input fully knows, else nothing.
std::optional<graph::Dims> knownElement(Binder &b, unsigned shapeInput) {
  Value shape = b.input(shapeInput);
  if (!shape || b.rank(shape) != 1)
    return std::nullopt;
  auto contents = b.shapes().contents(shape);
  if (!contents)
    return std::nullopt;
  graph::Dims dims;
  for (AffineExpr size : *contents) {
    auto known = graph::ShapeContext::asConstant(size);
    if (!size || (known && *known < 0))
      return std::nullopt;
    dims.push_back(size);
  }
  return dims;
}

/// The list's tensor, which must exist by now; an element's shape from input
/// `shapeInput` makes one of zeros.
Value tensorOf(Binder &b, const ImportedValue &value,
               std::optional<unsigned> shapeInput = {}) {
  if (b.failed() || !isUnknownList(value))
    return stacked(b, value);
  std::optional<graph::Dims> element = value.listShape->element;
  if (!element && shapeInput)
    element = knownElement(b, *shapeInput);
  if (!element) {
    b.fail("the shape of the list's elements is not known before they are "
           "read");
    return {};
  }
  value.listShape->element = element;
  return filledList(b, value, *element).tensor;
}

void reserve(Binder &b, unsigned shapeInput, Value length) {
  // What a list of lists or optionals holds says the first one.
  bool opaque = b.isOpaque("element_dtype");
  Type type = opaque ? Type() : b.elementType("element_dtype");
  ImportedValue result = emptyList(b, type, length);
  if (opaque)
    b.set(0, result);
  if (b.failed() || opaque)
    return;
  if (auto element = knownElement(b, shapeInput))
    result = declaredList(filledList(b, result, *element));
  b.set(0, result);
}

/// Whether elements of that type fit; the first ones decide for a list of which
/// that is not known.
bool takes(Binder &b, const ImportedValue &target, Type type) {
  if (!target.elementType && target.listShape &&
      (!target.listShape->elementType ||
       target.listShape->elementType == type)) {
    target.listShape->elementType = type;
    return true;
  }
  if (target.elementType == type)
    return true;
  b.fail("the element has another type than the list");
  return false;
}

/// A list that something is put into, of which the first item says what it is
/// where nobody else did.
ImportedValue target(Binder &b, ImportedValue list, const ImportedValue &item) {
  if (b.failed() || !isUnknownList(list) ||
      item.kind != ImportedValue::Tensor ||
      !takes(b, list, Binder::type(item.tensor)))
    return list;
  list.listShape->element = graph::Dims(b.dims(item.tensor));
  return filledList(b, list, *list.listShape->element);
}

void setInto(Binder &b, const ImportedValue &list, Value index,
             const ImportedValue &item, bool grow) {
  if (!b.failed())
    b.set(0, setItem(b, target(b, list, item), index, item, grow));
}

/// Item `index`; where nothing was put in yet, zeros of the shape in input
/// `shapeInput`.
ImportedValue itemOf(Binder &b, ImportedValue source, Value index,
                     std::optional<unsigned> shapeInput = {}) {
  if (!b.failed() && isUnknownList(source))
    source = listOf(tensorOf(b, source, shapeInput));
  return getItem(b, source, index);
}

Value lengthOf(Binder &b, const ImportedValue &value) {
  Type i32 = b.builder().getI32Type();
  if (b.failed())
    return {};
  if (isUnknownList(value))
    return b.cast(value.length, i32);
  return b.make("graph.reshape", i32,
                {b.cast(itemCount(b, value), i32),
                 b.integersConstant({}, b.builder().getI64Type())});
}

Value concat(Binder &b, Value first, Value second) {
  return b.make("graph.concat", Binder::type(second), {first, second},
                b.attribute("axis", int64_t(0)));
}

Value expanded(Binder &b, Value value, ArrayRef<int64_t> axes) {
  return b.make("graph.expand_dims", Binder::type(value), value,
                b.attribute("axes", axes));
}

Value difference(Binder &b, Value lhs, Value rhs) {
  return b.make("graph.sub", Binder::type(lhs), {lhs, rhs});
}

/// The size of the first dimension, an i64 vector of one element.
Value rowCount(Binder &b, Value tensor) {
  Type i64 = b.builder().getI64Type();
  Value sizes = b.make("graph.shape_of", i64, tensor);
  return b.make(
      "graph.slice", i64,
      {sizes, b.integersConstant(0, i64), b.integersConstant(1, i64)});
}

/// `tensor` without its last `count` rows, and these; `count` is an i64 vector
/// of one element.
std::pair<Value, Value> withoutLast(Binder &b, Value tensor, Value count) {
  if (b.failed())
    return {};
  Type type = Binder::type(tensor), i64 = b.builder().getI64Type();
  int64_t others = b.rank(tensor) - 1;
  Value zeros = b.integersConstant(SmallVector<int64_t>(others + 1, 0), i64);
  auto withOthers = [&](Value first, int64_t other) {
    return concat(b, first,
                  b.integersConstant(SmallVector<int64_t>(others, other), i64));
  };
  Value rest = difference(b, rowCount(b, tensor), count);
  return {b.make("graph.slice", type, {tensor, zeros, withOthers(rest, -1)}),
          b.make("graph.slice", type,
                 {tensor, withOthers(rest, 0), withOthers(count, -1)})};
}

/// Hands on what has no one kind; nobody will use it.
bool passAbsent(Binder &b, ArrayRef<unsigned> inputs, unsigned results) {
  for (unsigned i : inputs)
    if (const ImportedValue &value = b.raw(i);
        value.kind == ImportedValue::Absent && !value.symbol.empty()) {
      for (unsigned k = 0; k < results; ++k)
        b.set(k, value);
      return true;
    }
  return false;
}

/// Input `i`: a tensor, or what else an element of a list can be.
ImportedValue element(Binder &b, unsigned i) {
  const ImportedValue &value = b.raw(i);
  if (value.kind == ImportedValue::List ||
      value.kind == ImportedValue::Either || value.kind == ImportedValue::Text)
    return value;
  ImportedValue item = ImportedValue::of(b.input(i));
  item.optional = value.optional;
  return item;
}

/// Does `action` with a list, or with both lists of which one is chosen.
template <typename Action>
ImportedValue withEach(const ImportedValue &value, Action action) {
  if (value.kind != ImportedValue::Either)
    return action(value, -1);
  ImportedValue result = value;
  for (int side : {0, 1})
    result.parts[side] = action(value.parts[side], side);
  return result;
}

void pushBack(Binder &b) {
  if (passAbsent(b, {0, 1}, 1))
    return;
  ImportedValue list = b.raw(0), item = element(b, 1);
  if (isUnknownList(list) && item.kind == ImportedValue::Either) {
    // Two lists, each with elements of its own.
    ImportedValue both = item;
    both.condition = {};
    for (ImportedValue &part : both.parts) {
      bool isNothing = part.kind == ImportedValue::Absent;
      part = list;
      part.listShape = std::make_shared<ListShape>(*list.listShape);
      if (isNothing)
        part.kind = ImportedValue::Absent;
    }
    list = both;
  }
  ImportedValue result = withEach(list, [&](ImportedValue part, int side) {
    const ImportedValue &mine = side >= 0 && item.kind == ImportedValue::Either
                                    ? item.parts[side]
                                    : item;
    if (part.kind == ImportedValue::Absent ||
        mine.kind == ImportedValue::Absent)
      return part;
    if (part.kind != ImportedValue::List)
      b.fail("input 0 is not a list");
    return pushItem(b, target(b, part, mine), mine);
  });
  b.set(0, result);
}

void popBack(Binder &b) {
  if (passAbsent(b, {0}, 2))
    return;
  ImportedValue item;
  if (b.raw(0).kind == ImportedValue::Either) {
    item = b.raw(0);
    item.condition = {};
  }
  ImportedValue rest = withEach(b.raw(0), [&](ImportedValue part, int side) {
    if (part.kind == ImportedValue::Absent)
      return part;
    if (part.kind != ImportedValue::List)
      b.fail("input 0 is not a list");
    if (!b.failed() && isUnknownList(part) && side >= 0) {
      // Nothing was ever put into it.
      part.kind = ImportedValue::Absent;
      item.parts[side] = part;
      return part;
    }
    if (!b.failed() && isUnknownList(part))
      part = listOf(tensorOf(b, part, 1));
    auto [others, last] = popItem(b, part);
    (side < 0 ? item : item.parts[side]) = last;
    return others;
  });
  b.set(0, rest);
  b.set(1, item);
}

/// The elements of one list, then of another.
void concatLists(Binder &b) {
  ImportedValue lists[] = {list(b, 0), list(b, 1)};
  for (int i : {0, 1})
    if (!b.failed()) {
      lists[i] = filledLike(b, lists[i], lists[1 - i]);
      lists[i] = listOf(tensorOf(b, lists[i]));
    }
  if (!b.failed() && takes(b, lists[0], lists[1].elementType))
    b.set(0, listOf(concat(b, lists[0].tensor, lists[1].tensor)));
}

/// A list of `count` elements (with -1 as many as the indices need), rows of
/// input 0 at the indices in input 1, zeros elsewhere.
void scatterList(Binder &b, Value count) {
  Value tensor = b.input(0), indices = b.input(1);
  if (b.failed())
    return;
  if (b.rank(tensor) < 1 || b.rank(indices) != 1 || b.rank(count) != 0)
    return b.fail("expected a tensor of elements, a vector of indices and a "
                  "number");
  Type type = Binder::type(tensor), i64 = b.builder().getI64Type();
  Value minusOne = b.integersConstant(-1, i64), one = b.scalar(i64, 1);
  Value places = concat(b, minusOne, b.cast(indices, i64));
  Value most = b.make("graph.reduce_max", i64, places,
                      b.attribute("axes", ArrayRef<int64_t>{0}));
  Value needed = b.make("graph.add", i64, {most, one});
  Value given = b.cast(count, i64);
  Value isGiven = b.make("graph.greater_equal", b.builder().getI1Type(),
                         {given, b.scalar(i64, 0)});
  Value length = b.make("graph.select", i64, {isGiven, given, needed});
  if (b.failed())
    return;
  graph::Dims element(b.dims(tensor).drop_front());
  Value sizes = expanded(b, length, {0});
  if (!element.empty())
    sizes = concat(b, sizes, b.shapeTensor(element));
  Value zeros = b.make("graph.fill", type, {sizes, b.scalar(type, 0)});
  b.set(0, listOf(b.make("graph.tensor_scatter", type,
                         {zeros, expanded(b, indices, {1}), tensor},
                         b.textAttribute("mode", "update"))));
}

/// The first `size` elements, and zeros where there are none.
void resize(Binder &b) {
  ImportedValue source = list(b, 0);
  Value size = b.input(1);
  if (b.failed())
    return;
  if (b.rank(size) != 0)
    return b.fail("the number of elements must be a scalar");
  if (!b.failed() && isUnknownList(source)) {
    source.length = size;
    return b.set(0, source);
  }
  source.tensor = stacked(b, source);
  source.sizes = {};
  if (b.failed())
    return;
  Type i64 = b.builder().getI64Type();
  Value wanted = expanded(b, b.cast(size, i64), {0});
  Value count = rowCount(b, source.tensor);
  Value kept = b.make("graph.minimum", i64, {wanted, count});
  auto [first, last] =
      withoutLast(b, source.tensor, difference(b, count, kept));
  if (b.failed())
    return;
  graph::Dims element(b.dims(source.tensor).drop_front());
  Value sizes = difference(b, wanted, kept);
  if (!element.empty())
    sizes = concat(b, sizes, b.shapeTensor(element));
  Value zeros = b.make("graph.fill", source.elementType,
                       {sizes, b.scalar(source.elementType, 0)});
  b.set(0, listOf(concat(b, first, zeros)));
}

/// All elements of one shape one after another along their first dimension.
Value concatenated(Binder &b, Value tensor) {
  if (b.failed())
    return {};
  graph::Dims dims(b.dims(tensor));
  if (dims.size() < 2) {
    b.fail("elements of a list that are scalars cannot be joined");
    return {};
  }
  graph::Dims joined = {dims[0] * dims[1]};
  joined.append(dims.begin() + 2, dims.end());
  return b.reshape(tensor, joined);
}

/// Element's first size for each element.
Value elementLengths(Binder &b, Value tensor) {
  Type i64 = b.builder().getI64Type();
  if (b.failed() || b.rank(tensor) < 2)
    return {};
  graph::Dims dims(b.dims(tensor));
  Value sizes = b.shapeTensor({dims[0], dims[1]});
  auto at = [&](int64_t i, bool shrink) {
    SmallVector<NamedAttribute> masks;
    if (shrink)
      masks.push_back(b.attribute("shrink_axis_mask", int64_t(1)));
    return b.make("graph.strided_slice", i64,
                  {sizes, b.integersConstant(i, i64),
                   b.integersConstant(i + 1, i64), b.integersConstant(1, i64)},
                  masks);
  };
  return b.make("graph.fill", i64, {at(0, false), at(1, true)});
}

void concatItems(Binder &b, const ImportedValue &source) {
  if (!b.failed() && source.sizes) {
    auto [tensor, lengths] = joinedItems(b, source);
    b.set(0, tensor);
    return b.set(1, lengths);
  }
  Value tensor = tensorOf(b, source);
  b.set(0, concatenated(b, tensor));
  b.set(1, elementLengths(b, tensor));
}

/// `tensor` scattered to a list by indices; in order 0, 1, ... it is the list.
void scatter(Binder &b, const ImportedValue &target, Value indices,
             Value tensor) {
  if (b.failed())
    return;
  if (b.rank(tensor) < 1 || b.rank(indices) != 1)
    return b.fail("expected a tensor of elements and a vector of indices");
  if (isUnknownList(target))
    target.listShape->element = graph::Dims(b.dims(tensor).drop_front());
  Value before = tensorOf(b, target);
  Value rows = b.make("graph.expand_dims", Binder::type(indices), indices,
                      b.attribute("axes", ArrayRef<int64_t>{1}));
  b.set(0, listOf(b.make("graph.tensor_scatter", target.elementType,
                         {before, rows, tensor},
                         b.textAttribute("mode", "update"))));
}

Value gather(Binder &b, Value tensor, Value indices) {
  return b.make("graph.gather", Binder::type(tensor), {tensor, indices},
                b.attribute("axis", int64_t(0)));
}

void importElementShape(Binder &b) {
  ImportedValue source = list(b, 0);
  Type type = b.elementType("shape_type");
  Value tensor = tensorOf(b, source);
  if (!b.failed())
    b.set(0, b.cast(b.shapeTensor(b.dims(tensor).drop_front()), type));
}

void split(Binder &b, const ImportedValue &target, Value value, Value lengths);

void addListRows(RowTable &table) {
  table["TensorListReserve"] = [](Binder &b) { reserve(b, 0, b.input(1)); };
  table["EmptyTensorList"] = [](Binder &b) {
    reserve(b, 0, b.scalar(b.builder().getI32Type(), 0));
  };
  table["TensorListFromTensor"] = [](Binder &b) {
    Value tensor = b.input(0);
    if (tensor && b.rank(tensor) < 1)
      b.fail("a scalar is no list");
    b.set(0, declaredList(listOf(tensor)));
  };
  table["TensorListSetItem"] = [](Binder &b) {
    setInto(b, anyList(b, 0), b.input(1), element(b, 2),
            b.flag("resize_if_index_out_of_bounds", false));
  };
  table["TensorListGetItem"] = [](Binder &b) {
    b.set(0, itemOf(b, anyList(b, 0), b.input(1), 2));
  };
  table["TensorListStack"] = [](Binder &b) {
    ImportedValue source = list(b, 0);
    b.set(0, tensorOf(b, source, 1));
  };
  table["TensorListGather"] = [](Binder &b) {
    ImportedValue source = list(b, 0);
    b.set(0, gather(b, tensorOf(b, source, 2), b.input(1)));
  };
  table["TensorListScatterIntoExistingList"] = [](Binder &b) {
    ImportedValue target = list(b, 0);
    scatter(b, target, b.input(2), b.input(1));
  };
  table["TensorListConcat"] = table["TensorListConcatV2"] = [](Binder &b) {
    concatItems(b, list(b, 0));
  };
  table["TensorListLength"] = [](Binder &b) {
    b.set(0, lengthOf(b, list(b, 0)));
  };
  table["TensorListElementShape"] = importElementShape;
  table["TensorListPushBack"] = pushBack;
  table["TensorListPopBack"] = popBack;
  table["TensorListResize"] = resize;
  table["TensorListConcatLists"] = concatLists;
  table["TensorListScatter"] = [](Binder &b) {
    scatterList(b, b.scalar(b.builder().getI32Type(), -1));
  };
  table["TensorListScatterV2"] = [](Binder &b) { scatterList(b, b.input(3)); };
  table["TensorListSplit"] = [](Binder &b) {
    split(b, {}, b.input(0), b.input(2));
  };
}

/// An optional is the value that it holds.
void addOptionalRows(RowTable &table) {
  table["OptionalNone"] = [](Binder &b) {
    ImportedValue none;
    none.kind = ImportedValue::Absent;
    b.set(0, none);
  };
  table["OptionalFromValue"] = [](Binder &b) {
    if (passAbsent(b, {0}, 1))
      return;
    if (b.inputCount() != 1)
      return b.fail("optionals of several components are not supported");
    ImportedValue value = element(b, 0);
    value.optional = true;
    b.set(0, value);
  };
  table["OptionalHasValue"] = [](Binder &b) {
    const ImportedValue &value = b.raw(0);
    bool absent = value.kind == ImportedValue::Absent;
    if (!b.failed() && absent && !value.symbol.empty())
      b.fail(value.symbol);
    b.set(0, b.failed() ? Value()
                        : b.scalar(b.builder().getI1Type(), absent ? 0 : 1));
  };
  table["OptionalGetValue"] = [](Binder &b) {
    const ImportedValue &value = b.raw(0);
    if (!b.failed() && value.kind == ImportedValue::Absent &&
        value.symbol.empty())
      b.fail("the optional has no value");
    ImportedValue held = value;
    // One side knows of no value: it is never asked.
    while (held.kind == ImportedValue::Either && !b.failed()) {
      int side = held.parts[0].kind == ImportedValue::Absent;
      if (held.parts[1 - side].kind != ImportedValue::Absent)
        break;
      ImportedValue part = held.parts[side];
      held = std::move(part);
    }
    held.optional = false;
    b.set(0, held);
  };
}

//===----------------------------------------------------------------------===//
// Gradients of arrays. What is written to the gradient of an array is added to
// it: each write makes a list that is zero elsewhere, and the flows, which
// carry the lists, are added by the graph itself.
//===----------------------------------------------------------------------===//

constexpr StringLiteral kGradient = "gradient", kGrowing = "growing";

void importArrayGrad(Binder &b) {
  ImportedValue handle = b.raw(0), flow = b.raw(1);
  if (b.failed())
    return;
  handle.symbol = kGradient;
  b.set(0, handle);
  b.set(1, flow);
}

/// The list that is written to by way of handle 0 and flow `i`.
ImportedValue writtenList(Binder &b, unsigned i) {
  ImportedValue target = list(b, i);
  if (b.failed() || b.raw(0).symbol != kGradient || isUnknownList(target))
    return target;
  return zerosLike(b, target);
}

/// A list of zeros but for one element.
struct OneElement {
  Value index, element;
};
std::optional<OneElement> onlyElement(Value tensor) {
  Operation *set = tensor.getDefiningOp();
  if (!set || set->getName().getStringRef() != "graph.list_set_item")
    return std::nullopt;
  Operation *base = set->getOperand(0).getDefiningOp();
  if (!base || base->getName().getStringRef() != "graph.fill" ||
      !(matchPattern(base->getOperand(1), m_AnyZeroFloat()) ||
        matchPattern(base->getOperand(1), m_Zero())))
    return std::nullopt;
  return OneElement{set->getOperand(1), set->getOperand(2)};
}

Value addElement(Binder &b, Value total, const OneElement &one) {
  return b.make(
      "graph.tensor_scatter", Binder::type(total),
      {total, expanded(b, one.index, {0, 1}), expanded(b, one.element, {0})},
      b.textAttribute("mode", "add"));
}

/// Whether all elements of a vector are one value, whatever it is.
bool isUniform(Binder &b, Value lengths) {
  Operation *producer = lengths.getDefiningOp();
  if (producer && producer->getName().getStringRef() == "graph.fill")
    return true;
  auto known = b.shapes().contents(lengths);
  return known && !known->empty() && known->front() && llvm::all_equal(*known);
}

/// The pieces of `value` along its first dimension.
void split(Binder &b, const ImportedValue &target, Value value, Value lengths) {
  if (b.failed())
    return;
  if (b.rank(value) < 1 || b.rank(lengths) != 1)
    return b.fail("expected a tensor of at least one dimension and a vector of "
                  "lengths");
  AffineExpr length;
  if (isUniform(b, lengths))
    length = b.shapes().exactQuotient(b.dims(value)[0], b.dims(lengths)[0]);
  if (!length)
    return b.set(0, piecesOf(b, value, lengths));
  graph::Dims dims{b.dims(lengths)[0], length};
  llvm::append_range(dims, b.dims(value).drop_front());
  Value tensor = b.reshape(value, dims);
  if (target.listShape)
    target.listShape->element = graph::Dims(ArrayRef(dims).drop_front());
  b.set(0, listOf(tensor));
}

/// Results: handle, flow. The flow carries the list.
void importTensorArray(Binder &b) {
  ImportedValue handle;
  handle.kind = ImportedValue::Text;
  if (b.flag("dynamic_size", false))
    handle.symbol = kGrowing;
  handle.elementType = b.elementType("dtype");
  ImportedValue flow = emptyList(b, handle.elementType, b.input(0));
  b.set(0, handle);
  b.set(1, flow);
}

void addArrayRows(RowTable &table) {
  table["TensorArrayV3"] = importTensorArray;
  table["TensorArrayWriteV3"] = [](Binder &b) {
    setInto(b, writtenList(b, 3), b.input(1), ImportedValue::of(b.input(2)),
            b.raw(0).symbol == kGrowing);
  };
  table["TensorArrayReadV3"] = [](Binder &b) {
    b.set(0, itemOf(b, list(b, 2), b.input(1)));
  };
  table["TensorArrayGatherV3"] = [](Binder &b) {
    ImportedValue source = list(b, 2);
    b.set(0, gather(b, tensorOf(b, source), b.input(1)));
  };
  table["TensorArrayScatterV3"] = [](Binder &b) {
    ImportedValue target = writtenList(b, 3);
    scatter(b, target, b.input(1), b.input(2));
  };
  table["TensorArrayConcatV3"] = [](Binder &b) { concatItems(b, list(b, 1)); };
  table["TensorArraySizeV3"] = [](Binder &b) {
    b.set(0, lengthOf(b, list(b, 1)));
  };
  table["TensorArraySplitV3"] = [](Binder &b) {
    ImportedValue target = writtenList(b, 3);
    split(b, target, b.input(1), b.input(2));
  };

  table["TensorArrayGradV3"] = importArrayGrad;
  table["TensorArrayCloseV3"] = [](Binder &b) { b.raw(0); };
}
} // namespace

/// Adds lists of tensors of one shape. Single elements are added one by one.
static ImportedValue denseSum(Binder &b, ArrayRef<Value> tensors) {
  Value total, first;
  SmallVector<OneElement> single;
  for (Value tensor : tensors)
    if (auto one = onlyElement(tensor)) {
      first = first ? first : tensor;
      single.push_back(*one);
    } else {
      total = total ? b.make("graph.add", Binder::type(tensor), {total, tensor})
                    : tensor;
    }
  // Without another list the first of the single elements starts the sum.
  for (const OneElement &one : ArrayRef(single).drop_front(total ? 0 : 1))
    total = addElement(b, total ? total : first, one);
  return listOf(total ? total : first);
}

bool importListSum(Binder &b) {
  bool any = false, known = false;
  for (unsigned i = 0; i < b.inputCount(); ++i) {
    const ImportedValue &value = b.raw(i);
    any |= value.kind == ImportedValue::List ||
           value.kind == ImportedValue::Either;
    known |= value.kind == ImportedValue::List && !isUnknownList(value);
  }
  if (!any || b.failed())
    return false;
  SmallVector<ImportedValue> parts;
  for (unsigned i = 0; i < b.inputCount(); ++i) {
    ImportedValue part = b.raw(i);
    if (part.kind == ImportedValue::Tensor && b.rank(part.tensor) == 0)
      continue; // a flow that nothing was written to
    if (part.untouched && isUnknownList(part) && known)
      continue; // zeros of which nothing is known
    if (isUnknownList(part))
      part = listOf(tensorOf(b, part));
    parts.push_back(part);
  }
  if (b.failed())
    return true;
  if (llvm::all_of(parts, [](const ImportedValue &part) {
        return part.kind == ImportedValue::List && part.tensor && !part.sizes;
      })) {
    SmallVector<Value> tensors;
    for (const ImportedValue &part : parts)
      tensors.push_back(part.tensor);
    b.set(0, denseSum(b, tensors));
    return true;
  }
  ImportedValue total = parts.front();
  for (const ImportedValue &part : ArrayRef(parts).drop_front())
    total = sumOf(b, total, part);
  b.set(0, total);
  return true;
}

bool importListZeros(Binder &b) {
  if (b.inputCount() != 1 || (b.raw(0).kind != ImportedValue::List &&
                              b.raw(0).kind != ImportedValue::Either))
    return false;
  b.set(0, zerosLike(b, b.raw(0)));
  return true;
}

void addSequenceRows(RowTable &table) {
  addListRows(table);
  addOptionalRows(table);
  addArrayRows(table);
}

} // namespace tenon::tf
