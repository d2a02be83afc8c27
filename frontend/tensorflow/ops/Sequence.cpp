//===- Sequence.cpp - lists and arrays of tensors -------------------------===//
//
// A list is a tensor with one more dimension in front. What shape its elements
// have may be known only when one is put in: until then the value has no tensor
// (see ImportedValue). A TensorArray is the list that its flow carries.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/ops/Sequence.h"
#include "frontend/tensorflow/ops/Rows.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace tenon::tf {

namespace {
ImportedValue listOf(Value tensor) {
  ImportedValue list;
  if (tensor) {
    list.kind = ImportedValue::List;
    list.tensor = tensor;
    list.elementType = Binder::type(tensor);
  }
  return list;
}

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

ImportedValue list(Binder &b, unsigned i) {
  const ImportedValue &value = b.raw(i);
  if (!b.failed() && value.kind != ImportedValue::List)
    b.fail("input " + llvm::Twine(i) + " is not a list");
  return b.failed() ? ImportedValue() : value;
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
  if (b.failed() || value.tensor)
    return value.tensor;
  std::optional<graph::Dims> element = value.listShape->element;
  if (!element && shapeInput)
    element = knownElement(b, *shapeInput);
  if (!element) {
    b.fail("the shape of the list's elements is not known before they are "
           "read");
    return {};
  }
  value.listShape->element = element;
  return listTensor(b, value, *element);
}

void reserve(Binder &b, unsigned shapeInput, Value length) {
  ImportedValue result = emptyList(b, b.elementType("element_dtype"), length);
  if (b.failed())
    return;
  if (auto element = knownElement(b, shapeInput))
    result = listOf(listTensor(b, result, *element));
  b.set(0, result);
}

/// The elements of a small integer tensor when all are known.
std::optional<graph::Dims> contentsOf(Binder &b, Value item) {
  if (b.failed() || !isa<IntegerType>(Binder::type(item)) || b.rank(item) > 1)
    return std::nullopt;
  auto contents = b.shapes().contents(item);
  if (!contents || llvm::is_contained(*contents, AffineExpr()))
    return std::nullopt;
  return graph::Dims(*contents);
}

void setItem(Binder &b, const ImportedValue &target, Value index, Value item,
             bool grow) {
  if (b.failed())
    return;
  if (Binder::type(item) != target.elementType)
    return b.fail("the element has another type than the list");
  if (!target.tensor)
    target.listShape->element = graph::Dims(b.dims(item));
  Value tensor = tensorOf(b, target);
  SmallVector<NamedAttribute> attributes;
  if (grow)
    attributes.push_back(b.unit("grow"));
  ImportedValue result =
      listOf(b.make("graph.list_set_item", target.elementType,
                    {tensor, index, item}, attributes));
  auto contents = contentsOf(b, item);
  if (target.untouched || contents == target.elementContents)
    result.elementContents = contents;
  b.set(0, result);
}

Value getItem(Binder &b, Value tensor, Value index) {
  return b.make("graph.list_get_item", Binder::type(tensor), {tensor, index});
}

Value lengthOf(Binder &b, const ImportedValue &value) {
  Type i32 = b.builder().getI32Type();
  if (b.failed())
    return {};
  if (!value.tensor)
    return b.cast(value.length, i32);
  Value sizes = b.make("graph.shape_of", i32, value.tensor);
  return b.make("graph.strided_slice", i32,
                {sizes, b.integersConstant(0, i32), b.integersConstant(1, i32),
                 b.integersConstant(1, i32)},
                b.attribute("shrink_axis_mask", int64_t(1)));
}

void pushBack(Binder &b) {
  ImportedValue target = list(b, 0);
  Value item = b.input(1);
  if (b.failed())
    return;
  Value row = b.make("graph.expand_dims", Binder::type(item), item,
                     b.attribute("axes", ArrayRef<int64_t>{0}));
  if (!target.tensor)
    target.listShape->element = graph::Dims(b.dims(item));
  Value tensor = tensorOf(b, target);
  b.set(0, listOf(b.make("graph.concat", target.elementType, {tensor, row},
                         b.attribute("axis", int64_t(0)))));
}

void popBack(Binder &b) {
  ImportedValue source = list(b, 0);
  Value tensor = tensorOf(b, source, 1);
  if (b.failed())
    return;
  Type type = source.elementType, i32 = b.builder().getI32Type();
  Value minusOne = b.integersConstant(-1, i32),
        one = b.integersConstant(1, i32), zero = b.integersConstant(0, i32);
  b.set(0, listOf(b.make("graph.strided_slice", type,
                         {tensor, zero, minusOne, one},
                         b.attribute("begin_mask", int64_t(1)))));
  b.set(1, b.make("graph.strided_slice", type, {tensor, minusOne, zero, one},
                  b.attribute("shrink_axis_mask", int64_t(1))));
}

/// All elements one after another along their first dimension.
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

/// `tensor` scattered to a list by indices; in order 0, 1, ... it is the list.
void scatter(Binder &b, const ImportedValue &target, Value indices,
             Value tensor) {
  if (b.failed())
    return;
  if (b.rank(tensor) < 1 || b.rank(indices) != 1)
    return b.fail("expected a tensor of elements and a vector of indices");
  if (!target.tensor)
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

void addListRows(RowTable &table) {
  table["TensorListReserve"] = [](Binder &b) { reserve(b, 0, b.input(1)); };
  table["EmptyTensorList"] = [](Binder &b) {
    reserve(b, 0, b.scalar(b.builder().getI32Type(), 0));
  };
  table["TensorListFromTensor"] = [](Binder &b) {
    Value tensor = b.input(0);
    if (tensor && b.rank(tensor) < 1)
      b.fail("a scalar is no list");
    b.set(0, listOf(tensor));
  };
  table["TensorListSetItem"] = [](Binder &b) {
    ImportedValue target = list(b, 0);
    setItem(b, target, b.input(1), b.input(2),
            b.flag("resize_if_index_out_of_bounds", false));
  };
  table["TensorListGetItem"] = [](Binder &b) {
    ImportedValue source = list(b, 0);
    Value tensor = tensorOf(b, source, 2);
    if (!source.elementContents)
      return b.set(0, getItem(b, tensor, b.input(1)));
    // Shapes stay known on their way through the stack of a loop.
    Value known = b.shapeTensor(*source.elementContents);
    if (!b.failed() && b.rank(tensor) == 1)
      known = b.make("graph.reshape", Binder::type(known),
                     {known, b.integersConstant({}, b.builder().getI64Type())});
    b.set(0, b.failed() ? Value() : b.cast(known, source.elementType));
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
    ImportedValue source = list(b, 0);
    Value tensor = tensorOf(b, source);
    b.set(0, concatenated(b, tensor));
    b.set(1, elementLengths(b, tensor));
  };
  table["TensorListLength"] = [](Binder &b) {
    b.set(0, lengthOf(b, list(b, 0)));
  };
  table["TensorListElementShape"] = importElementShape;
  table["TensorListPushBack"] = pushBack;
  table["TensorListPopBack"] = popBack;
}

//===----------------------------------------------------------------------===//
// Gradients of arrays. What is written to the gradient of an array is added to
// it: each write makes a list that is zero elsewhere, and the flows, which
// carry the lists, are added by the graph itself.
//===----------------------------------------------------------------------===//

constexpr StringLiteral kGradient = "gradient";

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
  if (b.failed() || b.raw(0).symbol != kGradient || !target.tensor)
    return target;
  Value sizes =
      b.make("graph.shape_of", b.builder().getI64Type(), target.tensor);
  return listOf(b.make("graph.fill", target.elementType,
                       {sizes, b.scalar(target.elementType, 0)}));
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
  auto expanded = [&](Value value, ArrayRef<int64_t> axes) {
    return b.make("graph.expand_dims", Binder::type(value), value,
                  b.attribute("axes", axes));
  };
  return b.make(
      "graph.tensor_scatter", Binder::type(total),
      {total, expanded(one.index, {0, 1}), expanded(one.element, {0})},
      b.textAttribute("mode", "add"));
}

/// The pieces of `value` along its first dimension, all of one length.
void split(Binder &b, const ImportedValue &target, Value value, Value lengths) {
  if (b.failed())
    return;
  if (b.rank(value) < 1 || b.rank(lengths) != 1)
    return b.fail("expected a tensor of at least one dimension and a vector of "
                  "lengths");
  AffineExpr count = b.dims(lengths)[0], length;
  if (auto known = b.shapes().contents(lengths);
      known && !known->empty() && llvm::all_equal(*known))
    length = known->front();
  if (!length)
    length = b.shapes().exactQuotient(b.dims(value)[0], count);
  if (!length)
    return b.fail("the lengths of the pieces must be known at compile time and "
                  "be equal");
  graph::Dims dims{count, length};
  llvm::append_range(dims, b.dims(value).drop_front());
  Value tensor = b.reshape(value, dims);
  if (target.listShape)
    target.listShape->element = graph::Dims(ArrayRef(dims).drop_front());
  b.set(0, listOf(tensor));
}

/// Results: handle, flow. The flow carries the list.
void importTensorArray(Binder &b) {
  if (b.flag("dynamic_size", false))
    return b.fail("arrays that grow are not supported");
  ImportedValue handle;
  handle.kind = ImportedValue::Text;
  handle.elementType = b.elementType("dtype");
  ImportedValue flow = emptyList(b, handle.elementType, b.input(0));
  b.set(0, handle);
  b.set(1, flow);
}

void addArrayRows(RowTable &table) {
  table["TensorArrayV3"] = importTensorArray;
  table["TensorArrayWriteV3"] = [](Binder &b) {
    ImportedValue target = writtenList(b, 3);
    setItem(b, target, b.input(1), b.input(2), /*grow=*/false);
  };
  table["TensorArrayReadV3"] = [](Binder &b) {
    ImportedValue source = list(b, 2);
    b.set(0, getItem(b, tensorOf(b, source), b.input(1)));
  };
  table["TensorArrayGatherV3"] = [](Binder &b) {
    ImportedValue source = list(b, 2);
    b.set(0, gather(b, tensorOf(b, source), b.input(1)));
  };
  table["TensorArrayScatterV3"] = [](Binder &b) {
    ImportedValue target = writtenList(b, 3);
    scatter(b, target, b.input(1), b.input(2));
  };
  table["TensorArrayConcatV3"] = [](Binder &b) {
    ImportedValue source = list(b, 1);
    Value tensor = tensorOf(b, source);
    b.set(0, concatenated(b, tensor));
    b.set(1, elementLengths(b, tensor));
  };
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

bool importListSum(Binder &b) {
  bool any = false;
  for (unsigned i = 0; i < b.inputCount(); ++i)
    any |= b.raw(i).kind == ImportedValue::List;
  if (!any || b.failed())
    return false;
  Value total, first;
  SmallVector<OneElement> single;
  for (unsigned i = 0; i < b.inputCount(); ++i) {
    const ImportedValue &value = b.raw(i);
    if (value.kind == ImportedValue::Tensor && b.rank(value.tensor) == 0)
      continue; // a flow that nothing was written to
    Value tensor = tensorOf(b, list(b, i));
    if (b.failed())
      return true;
    if (auto one = onlyElement(tensor)) {
      first = first ? first : tensor;
      single.push_back(*one);
    } else {
      total = total ? b.make("graph.add", Binder::type(tensor), {total, tensor})
                    : tensor;
    }
  }
  // Without another list the first of the single elements starts the sum.
  for (const OneElement &one : ArrayRef(single).drop_front(total ? 0 : 1))
    total = addElement(b, total ? total : first, one);
  total = total ? total : first;
  b.set(0, listOf(total));
  return true;
}

void addSequenceRows(RowTable &table) {
  addListRows(table);
  addArrayRows(table);
}

} // namespace tenon::tf
