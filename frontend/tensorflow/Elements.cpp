//===- Elements.cpp - TensorFlow's types and tensors in MLIR --------------===//

#include "frontend/tensorflow/Elements.h"

#include "dialects/graph/Graph.h"
#include "frontend/Elements.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace tenon::tf {

Type elementTypeOf(DataType dtype, MLIRContext *context) {
  Builder b(context);
  int number = int(dtype);
  if (number > 100) // a reference
    number -= 100;
  switch (DataType(number)) {
  case DataType::DT_FLOAT:
    return b.getF32Type();
  case DataType::DT_DOUBLE:
    return b.getF64Type();
  case DataType::DT_HALF:
    return b.getF16Type();
  case DataType::DT_BFLOAT16:
    return b.getBF16Type();
  case DataType::DT_BOOL:
    return b.getI1Type();
  case DataType::DT_INT8:
    return b.getI8Type();
  case DataType::DT_INT16:
    return b.getI16Type();
  case DataType::DT_INT32:
    return b.getI32Type();
  case DataType::DT_INT64:
    return b.getI64Type();
  case DataType::DT_UINT8:
    return b.getIntegerType(8, /*isSigned=*/false);
  case DataType::DT_UINT16:
    return b.getIntegerType(16, /*isSigned=*/false);
  case DataType::DT_UINT32:
    return b.getIntegerType(32, /*isSigned=*/false);
  case DataType::DT_UINT64:
    return b.getIntegerType(64, /*isSigned=*/false);
  case DataType::DT_COMPLEX64:
    return ComplexType::get(b.getF32Type());
  case DataType::DT_COMPLEX128:
    return ComplexType::get(b.getF64Type());
  case DataType::DT_STRING:
    return graph::StringType::get(context);
  default:
    return {};
  }
}

std::string typeName(Type elementType) {
  if (elementType.isF32())
    return "float32";
  if (elementType.isF64())
    return "float64";
  if (elementType.isF16())
    return "float16";
  if (elementType.isBF16())
    return "bfloat16";
  if (auto integer = dyn_cast<IntegerType>(elementType)) {
    if (integer.getWidth() == 1)
      return "bool";
    return (integer.isUnsigned() ? "uint" : "int") +
           std::to_string(integer.getWidth());
  }
  if (auto complex = dyn_cast<ComplexType>(elementType))
    return complex.getElementType().isF32() ? "complex64" : "complex128";
  return "string";
}

ElementsAttr elementsOf(const TensorData &tensor, StringRef name,
                        MLIRContext *context) {
  Type elementType = elementTypeOf(tensor.dtype, context);
  auto type = RankedTensorType::get(tensor.shape, elementType);
  if (tensor.dtype == DataType::DT_STRING) {
    SmallVector<StringRef> strings(tensor.strings.begin(),
                                   tensor.strings.end());
    return DenseStringElementsAttr::get(type, strings);
  }
  return elementsFromBytes(type, tensor.bytes, tensor.splat, tensor.owner,
                           name);
}

} // namespace tenon::tf
