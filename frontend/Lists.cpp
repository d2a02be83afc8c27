//===- Lists.cpp - lists of tensors, and of what is not one tensor --------===//

#include "frontend/Lists.h"

using namespace mlir;

namespace tenon {

//===----------------------------------------------------------------------===//
// Values with several tensors
//===----------------------------------------------------------------------===//

void forEachTensor(ImportedValue &value,
                   function_ref<void(Value &, bool)> visit) {
  if (value.tensor)
    visit(value.tensor, false);
  if (value.sizes)
    visit(value.sizes, true);
  for (ImportedValue &part : value.parts)
    forEachTensor(part, visit);
}

bool isVisible(Binder &binder, Value value) {
  Block *here = binder.builder().getInsertionBlock();
  return value && value.getParentRegion()->isAncestor(here->getParent());
}

bool isVisible(Binder &binder, AffineExpr size) {
  bool visible = true;
  size.walk([&](AffineExpr part) {
    auto symbol = dyn_cast<AffineSymbolExpr>(part);
    if (!symbol)
      return;
    auto origin = binder.shapes().origin(symbol.getPosition());
    visible &= origin.lhs ? isVisible(binder, origin.lhs) &&
                                isVisible(binder, origin.rhs)
                          : isVisible(binder, origin.value);
  });
  return visible;
}

void forgetInvisible(Binder &binder, ImportedValue &value) {
  for (AffineExpr &size : value.itemDims)
    if (size && !isVisible(binder, size))
      size = {};
  if (value.elementContents &&
      llvm::any_of(*value.elementContents,
                   [&](AffineExpr size) { return !isVisible(binder, size); }))
    value.elementContents.reset();
  if (value.condition && !isVisible(binder, value.condition))
    value.condition = {};
  for (ImportedValue &part : value.parts)
    forgetInvisible(binder, part);
  if (value.item) {
    ImportedValue item = *value.item;
    forgetInvisible(binder, item);
    value.item = std::make_shared<ImportedValue>(std::move(item));
  }
}

static Value zeros(Binder &binder, Type type, ArrayRef<AffineExpr> dims) {
  return binder.make("graph.fill", type,
                     {binder.shapeTensor(dims), binder.scalar(type, 0)});
}

ImportedValue standIn(Binder &binder, ImportedValue value) {
  forEachTensor(value, [&](Value &tensor, bool) {
    if (isVisible(binder, tensor))
      return;
    graph::Dims dims;
    for (AffineExpr size : binder.dims(tensor))
      dims.push_back(isVisible(binder, size) ? size
                                             : binder.shapes().constant(0));
    tensor = zeros(binder, Binder::type(tensor), dims);
  });
  return value;
}

bool isAlike(Binder &binder, const ImportedValue &a, const ImportedValue &b) {
  auto sameTensor = [&](Value x, Value y) {
    return bool(x) == bool(y) && (!x || (Binder::type(x) == Binder::type(y) &&
                                         binder.rank(x) == binder.rank(y)));
  };
  if (a.kind != b.kind || a.parts.size() != b.parts.size() ||
      !sameTensor(a.tensor, b.tensor) || !sameTensor(a.sizes, b.sizes) ||
      a.itemDims.size() != b.itemDims.size() || bool(a.item) != bool(b.item))
    return false;
  if (a.item && !isAlike(binder, *a.item, *b.item))
    return false;
  for (auto [x, y] : llvm::zip(a.parts, b.parts))
    if (!isAlike(binder, x, y))
      return false;
  return a.tensor || !a.parts.empty() || a.item || a == b;
}

void mergeKnowledge(ImportedValue &value, const ImportedValue &other) {
  for (auto [size, another] : llvm::zip(value.itemDims, other.itemDims))
    if (size != another)
      size = {};
  if (value.kind == ImportedValue::List) {
    if (value.untouched)
      value.elementContents = other.elementContents;
    else if (!other.untouched && value.elementContents != other.elementContents)
      value.elementContents.reset();
  }
  value.untouched = value.untouched && other.untouched;
  value.declared = value.declared && other.declared;
  if (value.condition != other.condition)
    value.condition = {};
  for (auto [part, another] : llvm::zip(value.parts, other.parts))
    mergeKnowledge(part, another);
  if (value.item && other.item) {
    ImportedValue item = *value.item;
    mergeKnowledge(item, *other.item);
    value.item = std::make_shared<ImportedValue>(std::move(item));
  }
}

bool isEquallyKnown(const ImportedValue &a, const ImportedValue &b) {
  if (a.itemDims != b.itemDims || a.elementContents != b.elementContents ||
      a.parts.size() != b.parts.size() || bool(a.item) != bool(b.item))
    return false;
  for (auto [x, y] : llvm::zip(a.parts, b.parts))
    if (!isEquallyKnown(x, y))
      return false;
  return !a.item || isEquallyKnown(*a.item, *b.item);
}

//===----------------------------------------------------------------------===//
// Lists of tensors
//===----------------------------------------------------------------------===//

ImportedValue listOf(Value tensor) {
  ImportedValue list;
  if (tensor) {
    list.kind = ImportedValue::List;
    list.tensor = tensor;
    list.elementType = Binder::type(tensor);
  }
  return list;
}

namespace {
/// Small tensors that say where items are.
class Places {
public:
  explicit Places(Binder &b) : b(b), i64(b.builder().getI64Type()) {}

  Value numbers(ArrayRef<int64_t> values) {
    return b.integersConstant(values, i64);
  }
  Value number(int64_t value) { return b.scalar(i64, double(value)); }
  Value shape(Value tensor) { return b.make("graph.shape_of", i64, tensor); }
  /// The size of the first dimension, an i64 vector of one element.
  Value rows(Value tensor) {
    return b.make("graph.slice", i64,
                  {shape(tensor), numbers(int64_t(0)), numbers(1)});
  }
  Value concat(ArrayRef<Value> values) {
    return b.make("graph.concat", Binder::type(values.front()),
                  ValueRange(values), b.attribute("axis", int64_t(0)));
  }
  Value expand(Value value, int64_t axis) {
    return b.make("graph.expand_dims", Binder::type(value), value,
                  b.attribute("axes", ArrayRef<int64_t>{axis}));
  }
  Value flat(Value tensor) {
    if (!tensor || b.rank(tensor) == 1)
      return tensor;
    return b.make("graph.reshape", Binder::type(tensor), {tensor, numbers(-1)});
  }
  Value sub(Value lhs, Value rhs) {
    return b.make("graph.sub", i64, {lhs, rhs});
  }
  Value add(Value lhs, Value rhs) {
    return b.make("graph.add", i64, {lhs, rhs});
  }
  /// The number of elements of each item.
  Value counts(Value sizes) {
    return b.make("graph.reduce_prod", i64, sizes,
                  b.attribute("axes", ArrayRef<int64_t>{1}));
  }
  /// A column of a matrix.
  Value column(Value matrix, int64_t index) {
    return b.make("graph.reshape", Binder::type(matrix),
                  {b.make("graph.slice", Binder::type(matrix),
                          {matrix, numbers({0, index}), numbers({-1, 1})}),
                   numbers(-1)});
  }
  /// The sum, an i64 vector of one element.
  Value sum(Value numbers) {
    return b.make("graph.reduce_sum", i64, numbers,
                  {b.attribute("axes", ArrayRef<int64_t>{0}),
                   b.attribute("keep_dims", b.builder().getBoolAttr(true))});
  }
  /// `count` rows of a tensor from `first` on; both are i64 vectors of one
  /// element, and a count of -1 means all.
  Value slice(Value tensor, Value first, Value count) {
    int64_t others = b.rank(tensor) - 1;
    if (others > 0) {
      first = concat({first, numbers(SmallVector<int64_t>(others, 0))});
      count = concat({count, numbers(SmallVector<int64_t>(others, -1))});
    }
    return b.make("graph.slice", Binder::type(tensor), {tensor, first, count});
  }
  /// The sum of the elements that stand before (at) place `index`.
  Value sumWhere(StringRef comparison, Value values, Value index) {
    Value zero = number(0), one = number(1);
    Value count = b.make("graph.reshape", i64, {rows(values), numbers({})});
    Value places = b.make("graph.range", i64, {zero, count, one});
    Value chosen = b.make(comparison, b.builder().getI1Type(), {places, index});
    return sum(b.make("graph.select", i64, {chosen, values, zero}));
  }
  /// `value` with zeros behind it, as many rows as `count` says.
  Value padded(Value value, Value count) {
    Value missing = sub(count, rows(value));
    Value sizes = missing;
    if (b.rank(value) > 1) {
      Value others =
          b.make("graph.slice", i64, {shape(value), numbers(1), numbers(-1)});
      sizes = concat({missing, others});
    }
    Type type = Binder::type(value);
    return concat(
        {value, b.make("graph.fill", type, {sizes, b.scalar(type, 0)})});
  }

  Binder &b;
  Type i64;
};

/// An item of the sizes in a vector, of which some are known.
Value shaped(Binder &b, Value elements, Value sizes,
             ArrayRef<AffineExpr> known) {
  Places at(b);
  if (llvm::all_of(known,
                   [&](AffineExpr size) { return size && isVisible(b, size); }))
    return b.make("graph.reshape", Binder::type(elements),
                  {elements, b.shapeTensor(known)});
  SmallVector<Value> parts;
  for (auto [d, size] : llvm::enumerate(known))
    parts.push_back(
        size && isVisible(b, size)
            ? b.shapeTensor(size)
            : at.slice(sizes, at.numbers(int64_t(d)), at.numbers(1)));
  return b.make("graph.reshape", Binder::type(elements),
                {elements, parts.size() == 1 ? parts[0] : at.concat(parts)});
}

/// The elements of a small integer tensor when all are known.
std::optional<std::vector<AffineExpr>> contentsOf(Binder &b, Value item) {
  if (b.failed() || !isa<IntegerType>(Binder::type(item)) || b.rank(item) > 1)
    return std::nullopt;
  auto contents = b.shapes().contents(item);
  if (!contents || llvm::is_contained(*contents, AffineExpr()))
    return std::nullopt;
  return contents->vec();
}

/// What is known of the items of a list when `item` is another one of them.
void noteItem(Binder &b, ImportedValue &list, Value item) {
  auto contents = contentsOf(b, item);
  if (list.untouched)
    list.elementContents = contents;
  else if (contents != list.elementContents)
    list.elementContents.reset();
  if (list.sizes)
    for (auto [d, size] : llvm::enumerate(b.dims(item)))
      list.itemDims[d] =
          list.untouched || list.itemDims[d] == size ? size : AffineExpr();
  list.untouched = false;
}

/// Shapes stay known on their way through the stack of a loop.
Value knownItem(Binder &b, const ImportedValue &list, int64_t rank) {
  Value known = b.shapeTensor(*list.elementContents);
  if (!b.failed() && rank == 0)
    known = b.make("graph.reshape", Binder::type(known),
                   {known, b.integersConstant({}, b.builder().getI64Type())});
  return b.failed() ? Value() : b.cast(known, list.elementType);
}

int64_t itemRank(Binder &b, const ImportedValue &list) {
  return list.sizes ? int64_t(list.itemDims.size()) : b.rank(list.tensor) - 1;
}

/// Checks that a tensor can be an item of the list, and makes the list ragged
/// where it has another size than the other items.
bool makeRoom(Binder &b, ImportedValue &list, Value item) {
  if (b.failed())
    return false;
  if (Binder::type(item) != list.elementType) {
    b.fail("the element has another type than the list");
    return false;
  }
  int64_t rank = itemRank(b, list);
  if (b.rank(item) != rank) {
    b.fail("an element of " + llvm::Twine(b.rank(item)) +
           " dimensions is put into a list of elements of " +
           llvm::Twine(rank));
    return false;
  }
  if (!list.sizes && !list.declared &&
      b.dims(item) != b.dims(list.tensor).drop_front())
    list = ragged(b, list);
  return !b.failed();
}
} // namespace

ImportedValue filledList(Binder &binder, ImportedValue list,
                         ArrayRef<AffineExpr> element) {
  if (list.tensor || !list.parts.empty() || binder.failed())
    return list;
  if (list.listShape && !list.elementType)
    list.elementType = list.listShape->elementType;
  list.listShape = nullptr;
  if (!list.elementType) {
    binder.fail("nothing is known of the list's elements");
    return list;
  }
  Places at(binder);
  Value sizes = at.expand(binder.cast(list.length, at.i64), 0);
  if (!element.empty())
    sizes = at.concat({sizes, binder.shapeTensor(element)});
  list.tensor = binder.make("graph.fill", list.elementType,
                            {sizes, binder.scalar(list.elementType, 0)});
  return list;
}

bool isUnknownList(const ImportedValue &value) {
  return value.kind == ImportedValue::List && !value.tensor &&
         value.parts.empty() && !value.item;
}

ImportedValue inFormOf(Binder &binder, ImportedValue value,
                       const ImportedValue &other) {
  if (isUnknownList(value) && other.kind == ImportedValue::Either) {
    ImportedValue list = value;
    value = other;
    for (ImportedValue &part : value.parts)
      part = filledLike(binder, list, part);
    return value;
  }
  if (isUnknownList(value) && other.kind == ImportedValue::List)
    value = filledLike(binder, value, other);
  if (other.sizes && value.kind == ImportedValue::List)
    value = ragged(binder, value);
  if (value.parts.size() == other.parts.size())
    for (auto [part, model] : llvm::zip(value.parts, other.parts))
      part = inFormOf(binder, part, model);
  return value;
}

ImportedValue filledLike(Binder &b, const ImportedValue &list,
                         const ImportedValue &other) {
  ImportedValue result = list;
  if (!isUnknownList(list) || other.kind != ImportedValue::List ||
      isUnknownList(other) || b.failed())
    return result;
  if (other.item) {
    result.item = other.item;
    result.listShape = nullptr;
    ImportedValue empty = list;
    for (const ImportedValue &part : other.parts) {
      empty.elementType = part.elementType;
      result.parts.push_back(filledLike(b, empty, part));
    }
    forgetInvisible(b, result);
    return result;
  }
  if (!result.elementType)
    result.elementType = other.elementType;
  if (!other.sizes) {
    graph::Dims element(b.dims(other.tensor).drop_front());
    if (llvm::all_of(element,
                     [&](AffineExpr size) { return isVisible(b, size); }))
      return filledList(b, result, element);
    result.itemDims.assign(element.begin(), element.end());
  } else {
    result.itemDims = other.itemDims;
  }
  Places at(b);
  Value length = at.expand(b.cast(list.length, at.i64), 0);
  result.listShape = nullptr;
  result.tensor = zeros(b, result.elementType, b.shapes().constant(0));
  result.sizes =
      b.make("graph.fill", at.i64,
             {at.concat({length, at.numbers(int64_t(result.itemDims.size()))}),
              at.number(0)});
  forgetInvisible(b, result);
  return result;
}

ImportedValue ragged(Binder &b, ImportedValue list) {
  if (list.sizes || !list.tensor || b.failed())
    return list;
  Places at(b);
  int64_t rank = b.rank(list.tensor) - 1;
  list.itemDims = b.dims(list.tensor).drop_front().vec();
  Value row =
      rank ? at.slice(at.shape(list.tensor), at.numbers(1), at.numbers(-1))
           : at.numbers({});
  list.sizes = b.make(
      "graph.broadcast_to", at.i64,
      {at.expand(row, 0), at.concat({at.rows(list.tensor), at.numbers(rank)})});
  list.tensor = at.flat(list.tensor);
  return list;
}

/// The sizes from `first` on that the items of a ragged list have in common;
/// where they differ, the largest: an item that nothing was put into has none.
static SmallVector<Value> commonSizes(Binder &b, const ImportedValue &list,
                                      size_t first) {
  Places at(b);
  int64_t rank = list.itemDims.size();
  // Of no items 0.
  Value none =
      b.make("graph.fill", at.i64, {at.numbers({1, rank}), at.number(0)});
  Value most = b.make("graph.reduce_max", at.i64, at.concat({none, list.sizes}),
                      b.attribute("axes", ArrayRef<int64_t>{0}));
  SmallVector<Value> sizes;
  for (auto [d, size] : llvm::enumerate(list.itemDims))
    if (d >= first)
      sizes.push_back(
          size && isVisible(b, size)
              ? b.shapeTensor(size)
              : at.slice(most, at.numbers(int64_t(d)), at.numbers(1)));
  return sizes;
}

Value stacked(Binder &b, const ImportedValue &list) {
  if (b.failed() || (list.tensor && !list.sizes))
    return list.tensor;
  if (!list.tensor) {
    b.fail("lists of lists are supported as stacks only");
    return {};
  }
  Places at(b);
  SmallVector<Value> sizes = {at.rows(list.sizes)};
  sizes.append(commonSizes(b, list, 0));
  return b.make("graph.reshape", list.elementType,
                {list.tensor, at.concat(sizes)});
}

std::pair<Value, Value> joinedItems(Binder &b, const ImportedValue &list) {
  if (b.failed())
    return {};
  if (list.itemDims.empty()) {
    b.fail("elements of a list that are scalars cannot be joined");
    return {};
  }
  Places at(b);
  Value lengths = at.column(list.sizes, 0);
  SmallVector<Value> sizes = {at.sum(lengths)};
  sizes.append(commonSizes(b, list, 1));
  return {b.make("graph.reshape", list.elementType,
                 {list.tensor, at.concat(sizes)}),
          lengths};
}

ImportedValue piecesOf(Binder &b, Value value, Value lengths) {
  if (b.failed())
    return {};
  Places at(b);
  lengths = b.cast(lengths, at.i64);
  graph::Dims dims(b.dims(value));
  ImportedValue list = listOf(value);
  list.itemDims.assign(dims.begin(), dims.end());
  list.itemDims[0] = {};
  list.sizes = at.expand(lengths, 1);
  SmallVector<Value> whole = {at.sum(lengths)};
  if (dims.size() > 1) {
    Value others = at.slice(at.shape(value), at.numbers(1), at.numbers(-1));
    whole.push_back(others);
    list.sizes =
        b.make("graph.concat", at.i64,
               {list.sizes,
                b.make("graph.broadcast_to", at.i64,
                       {at.expand(others, 0),
                        at.concat({at.rows(lengths),
                                   at.numbers(int64_t(dims.size()) - 1)})})},
               b.attribute("axis", int64_t(1)));
  }
  // Fails where the lengths do not add up to the whole.
  list.tensor = at.flat(
      b.make("graph.reshape", list.elementType, {value, at.concat(whole)}));
  return list;
}

Value itemCount(Binder &b, const ImportedValue &list) {
  if (!list.parts.empty())
    return itemCount(b, list.parts.front());
  return Places(b).rows(list.sizes ? list.sizes : list.tensor);
}

//===----------------------------------------------------------------------===//
// Items
//===----------------------------------------------------------------------===//

namespace {
/// An item with all that differs between items in tensors: its own lists are
/// ragged.
ImportedValue unfolded(Binder &b, ImportedValue item) {
  if (item.kind == ImportedValue::List && item.parts.empty()) {
    if (!item.tensor)
      b.fail("nothing is known of the inner list's elements");
    return ragged(b, item);
  }
  if (item.kind == ImportedValue::Either)
    for (ImportedValue &part : item.parts)
      if (part.kind == ImportedValue::List && !part.tensor &&
          part.parts.empty()) {
        // A value of the branch that is not there.
        part = ImportedValue();
        part.kind = ImportedValue::Absent;
      }
  for (ImportedValue &part : item.parts)
    if (part.kind != ImportedValue::Absent)
      part = unfolded(b, part);
  return item;
}

/// The tensors of an item, and what is left of it.
ImportedValue templateOf(ImportedValue item, SmallVectorImpl<Value> &tensors) {
  forEachTensor(item, [&](Value &tensor, bool) { tensors.push_back(tensor); });
  return item;
}

/// Ragged lists of one size become tensors again.
ImportedValue folded(Binder &b, ImportedValue item) {
  for (ImportedValue &part : item.parts)
    part = folded(b, part);
  if (!item.sizes || !llvm::all_of(item.itemDims, [&](AffineExpr size) {
        return size && isVisible(b, size);
      }))
    return item;
  item.tensor = stacked(b, item);
  item.sizes = {};
  item.itemDims.clear();
  return item;
}

ImportedValue withTensors(Binder &b, const ImportedValue &item,
                          ArrayRef<Value> tensors) {
  ImportedValue result = item;
  result.condition = {};
  forEachTensor(result, [&](Value &tensor, bool) {
    tensor = tensors.front();
    tensors = tensors.drop_front();
  });
  return b.failed() ? ImportedValue() : folded(b, result);
}

/// A list of what is no tensor gets its parts when the first item comes; the
/// tensors of `item`, or nothing when it does not fit.
SmallVector<Value> prepareParts(Binder &b, ImportedValue &list,
                                ImportedValue item) {
  SmallVector<Value> tensors;
  item = unfolded(b, std::move(item));
  item.condition = {};
  if (b.failed())
    return {};
  item = templateOf(std::move(item), tensors);
  if (tensors.empty())
    b.fail("an element of the list is nothing");
  if (list.parts.empty()) {
    if (list.tensor)
      b.fail("a list is put into a list of tensors");
    list.listShape = nullptr;
    const ImportedValue empty = list;
    for (Value tensor : tensors) {
      ImportedValue part = empty;
      part.elementType = Binder::type(tensor);
      list.parts.push_back(filledList(b, part, b.dims(tensor)));
    }
    list.item = std::make_shared<ImportedValue>(item);
  } else if (!isAlike(b, *list.item, item)) {
    b.fail("the elements of a list are not of one kind");
  } else {
    ImportedValue merged = *list.item;
    if (list.untouched)
      merged = item;
    else
      mergeKnowledge(merged, item);
    list.item = std::make_shared<ImportedValue>(std::move(merged));
  }
  list.untouched = false;
  return b.failed() ? SmallVector<Value>() : tensors;
}

bool isTensor(const ImportedValue &value) {
  return value.kind == ImportedValue::Tensor;
}

/// Handles stand for nothing at run time: all items are the last one.
bool isHandle(const ImportedValue &value) {
  return value.kind == ImportedValue::Text;
}
} // namespace

ImportedValue pushItem(Binder &b, ImportedValue list,
                       const ImportedValue &item) {
  if (b.failed())
    return {};
  if (!isTensor(item) || !list.parts.empty()) {
    SmallVector<Value> tensors = prepareParts(b, list, item);
    for (auto [part, tensor] : llvm::zip(list.parts, tensors))
      part = pushItem(b, part, ImportedValue::of(tensor));
    return list;
  }
  if (!makeRoom(b, list, item.tensor))
    return {};
  Places at(b);
  noteItem(b, list, item.tensor);
  if (!list.sizes) {
    list.tensor = at.concat({list.tensor, at.expand(item.tensor, 0)});
    return list;
  }
  list.tensor = at.concat({list.tensor, at.flat(item.tensor)});
  list.sizes = at.concat({list.sizes, at.expand(at.shape(item.tensor), 0)});
  return list;
}

std::pair<ImportedValue, ImportedValue> popItem(Binder &b, ImportedValue list) {
  if (b.failed())
    return {};
  Places at(b);
  if (!list.parts.empty()) {
    SmallVector<Value> tensors;
    for (ImportedValue &part : list.parts) {
      auto [rest, item] = popItem(b, part);
      part = rest;
      tensors.push_back(item.tensor);
    }
    ImportedValue item = withTensors(b, *list.item, tensors);
    return {std::move(list), std::move(item)};
  }
  int64_t rank = itemRank(b, list);
  Value item;
  if (!list.sizes) {
    Type i32 = b.builder().getI32Type();
    Value minusOne = b.integersConstant(-1, i32),
          one = b.integersConstant(1, i32), zero = b.integersConstant(0, i32);
    if (!list.elementContents)
      item = b.make("graph.strided_slice", list.elementType,
                    {list.tensor, minusOne, zero, one},
                    b.attribute("shrink_axis_mask", int64_t(1)));
    list.tensor = b.make("graph.strided_slice", list.elementType,
                         {list.tensor, zero, minusOne, one},
                         b.attribute("begin_mask", int64_t(1)));
  } else {
    Value last = at.sub(at.rows(list.sizes), at.numbers(1));
    Value row = at.flat(at.slice(list.sizes, last, at.numbers(1)));
    Value count = at.sum(at.counts(at.slice(list.sizes, last, at.numbers(1))));
    Value rest = at.sub(at.rows(list.tensor), count);
    item = shaped(b, at.slice(list.tensor, rest, count), row, list.itemDims);
    list.sizes = at.slice(list.sizes, at.numbers(int64_t(0)), last);
    list.tensor = at.slice(list.tensor, at.numbers(int64_t(0)), rest);
  }
  if (list.elementContents)
    item = knownItem(b, list, rank);
  return {list, ImportedValue::of(item)};
}

ImportedValue getItem(Binder &b, const ImportedValue &list, Value index) {
  if (b.failed())
    return {};
  if (list.item && isHandle(*list.item))
    return *list.item;
  if (!list.parts.empty()) {
    SmallVector<Value> tensors;
    for (const ImportedValue &part : list.parts)
      tensors.push_back(getItem(b, part, index).tensor);
    return withTensors(b, *list.item, tensors);
  }
  if (list.elementContents)
    return ImportedValue::of(knownItem(b, list, itemRank(b, list)));
  if (!list.sizes)
    return ImportedValue::of(
        b.make("graph.list_get_item", list.elementType, {list.tensor, index}));
  Places at(b);
  Value place = b.cast(index, at.i64), counts = at.counts(list.sizes);
  Value first = at.sumWhere("graph.less", counts, place);
  Value count = at.sumWhere("graph.equal", counts, place);
  Value row = b.make("graph.list_get_item", at.i64, {list.sizes, index});
  return ImportedValue::of(
      shaped(b, at.slice(list.tensor, first, count), row, list.itemDims));
}

ImportedValue setItem(Binder &b, ImportedValue list, Value index,
                      const ImportedValue &item, bool grow) {
  if (b.failed())
    return {};
  if (isHandle(item) && isUnknownList(list)) {
    list.item = std::make_shared<ImportedValue>(item);
    list.listShape = nullptr;
  }
  if (isHandle(item) && list.item && isHandle(*list.item)) {
    list.untouched = false;
    return list;
  }
  if (!isTensor(item) || !list.parts.empty()) {
    SmallVector<Value> tensors = prepareParts(b, list, item);
    for (auto [part, tensor] : llvm::zip(list.parts, tensors))
      part = setItem(b, part, index, ImportedValue::of(tensor), grow);
    return list;
  }
  if (!makeRoom(b, list, item.tensor))
    return {};
  noteItem(b, list, item.tensor);
  SmallVector<NamedAttribute> attributes;
  if (grow)
    attributes.push_back(b.unit("grow"));
  if (!list.sizes) {
    list.tensor = b.make("graph.list_set_item", list.elementType,
                         {list.tensor, index, item.tensor}, attributes);
    return list;
  }
  Places at(b);
  Value place = b.cast(index, at.i64), counts = at.counts(list.sizes);
  Value first = at.sumWhere("graph.less", counts, place);
  Value next = at.add(first, at.sumWhere("graph.equal", counts, place));
  list.tensor = at.concat({at.slice(list.tensor, at.numbers(int64_t(0)), first),
                           at.flat(item.tensor),
                           at.slice(list.tensor, next, at.numbers(-1))});
  list.sizes = b.make("graph.list_set_item", at.i64,
                      {list.sizes, index, at.shape(item.tensor)}, attributes);
  return list;
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

ImportedValue zerosLike(Binder &b, ImportedValue value) {
  auto zeroed = [&](Value tensor) {
    Type type = Binder::type(tensor);
    Value sizes = b.make("graph.shape_of", b.builder().getI64Type(), tensor);
    return b.make("graph.fill", type, {sizes, b.scalar(type, 0)});
  };
  if (value.item) {
    // Of parts that say how large the items' lists are nothing changes.
    ImportedValue item = *value.item;
    size_t i = 0;
    forEachTensor(item, [&](Value &, bool isSize) {
      if (!isSize)
        value.parts[i] = zerosLike(b, value.parts[i]);
      ++i;
    });
    return value;
  }
  value.elementContents.reset();
  if (value.tensor)
    value.tensor = zeroed(value.tensor);
  else if (value.listShape)
    value.listShape = std::make_shared<ListShape>(*value.listShape);
  for (ImportedValue &part : value.parts)
    part = zerosLike(b, part);
  return value;
}

static ImportedValue combine(Binder &b, ImportedValue x, ImportedValue y,
                             StringRef op) {
  bool noX = x.kind == ImportedValue::Absent && x.symbol.empty(),
       noY = y.kind == ImportedValue::Absent && y.symbol.empty();
  if (b.failed() || noX)
    return y;
  if (noY)
    return x;
  if (x.kind == ImportedValue::List && y.kind == ImportedValue::List) {
    if (bool(x.sizes) != bool(y.sizes)) {
      x = ragged(b, x);
      y = ragged(b, y);
    }
  }
  if (x.tensor && y.tensor && !x.sizes &&
      Binder::type(x.tensor) == Binder::type(y.tensor)) {
    mergeKnowledge(x, y);
    x.elementContents.reset();
    x.tensor = b.make(op, Binder::type(x.tensor), {x.tensor, y.tensor});
    return x;
  }
  if (!isAlike(b, x, y)) {
    b.fail("values of different kinds are added");
    return {};
  }
  mergeKnowledge(x, y);
  x.elementContents.reset();
  if (x.sizes) {
    Places at(b);
    auto joined = [&](Value p, Value q, StringRef by) {
      Value most = b.make("graph.maximum", at.i64, {at.rows(p), at.rows(q)});
      return b.make(by, Binder::type(p),
                    {at.padded(p, most), at.padded(q, most)});
    };
    x.tensor = joined(x.tensor, y.tensor, op);
    x.sizes = joined(x.sizes, y.sizes, "graph.maximum");
    return x;
  }
  if (x.item) {
    ImportedValue item = *x.item;
    size_t i = 0;
    forEachTensor(item, [&](Value &, bool isSize) {
      x.parts[i] =
          combine(b, x.parts[i], y.parts[i], isSize ? "graph.maximum" : op);
      ++i;
    });
    return x;
  }
  for (auto [part, other] : llvm::zip(x.parts, y.parts))
    part = combine(b, part, other, op);
  return x;
}

ImportedValue sumOf(Binder &b, ImportedValue x, ImportedValue y) {
  return combine(b, std::move(x), std::move(y), "graph.add");
}

} // namespace tenon
