//===- Elements.cpp - tensors of a model file as attributes ---------------===//

#include "frontend/Elements.h"

#include "dialects/graph/ShapeContext.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;

namespace tenon {

namespace {
/// Larger tensors stay where the file has them.
constexpr size_t kInlineBytes = 1024;
} // namespace

ElementsAttr elementsFromBytes(RankedTensorType type, ArrayRef<char> bytes,
                               bool splat, std::shared_ptr<const void> owner,
                               StringRef name) {
  Type elementType = type.getElementType();
  Type part = elementType;
  size_t parts = 1;
  if (auto complex = dyn_cast<ComplexType>(elementType)) {
    part = complex.getElementType();
    parts = 2;
  }
  size_t unit = parts * std::max(part.getIntOrFloatBitWidth() / 8, 1u);
  bool empty = bytes.empty();
  // Elements of small integer tensors are asked for by shape inference.
  bool small =
      splat || empty || bytes.size() <= kInlineBytes ||
      (elementType.isInteger() &&
       bytes.size() <= unit * size_t(graph::ShapeContext::maxContents));
  if (small && elementType.isInteger(1)) {
    SmallVector<bool> values;
    for (char byte : bytes)
      values.push_back(byte != 0);
    return DenseElementsAttr::get(type, values);
  }
  // The file promises no alignment.
  if (reinterpret_cast<uintptr_t>(bytes.data()) % std::max<size_t>(unit, 1)) {
    auto words = std::make_shared<std::vector<uint64_t>>(bytes.size() / 8 + 1);
    memcpy(words->data(), bytes.data(), bytes.size());
    bytes = {reinterpret_cast<const char *>(words->data()), bytes.size()};
    owner = words;
  }
  if (small)
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  AsmResourceBlob blob(
      bytes, unit, [owner](void *, size_t, size_t) mutable { owner.reset(); },
      /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(type, name, std::move(blob));
}

} // namespace tenon
