//===- TensorReader.cpp - tensors inside protocol buffers -----------------===//

#include "frontend/tensorflow/GraphModel.h"

#include <cstring>

namespace tenon::tf {

unsigned elementBytes(DataType dtype) {
  switch (dtype) {
  case DataType::DT_BOOL:
  case DataType::DT_INT8:
  case DataType::DT_UINT8:
  case DataType::DT_QINT8:
  case DataType::DT_QUINT8:
    return 1;
  case DataType::DT_INT16:
  case DataType::DT_UINT16:
  case DataType::DT_QINT16:
  case DataType::DT_QUINT16:
  case DataType::DT_HALF:
  case DataType::DT_BFLOAT16:
    return 2;
  case DataType::DT_INT32:
  case DataType::DT_UINT32:
  case DataType::DT_QINT32:
  case DataType::DT_FLOAT:
    return 4;
  case DataType::DT_INT64:
  case DataType::DT_UINT64:
  case DataType::DT_DOUBLE:
  case DataType::DT_COMPLEX64:
    return 8;
  case DataType::DT_COMPLEX128:
    return 16;
  default:
    return 0;
  }
}

llvm::StringRef dtypeName(DataType dtype) {
  switch (dtype) {
  case DataType::DT_FLOAT:
    return "float32";
  case DataType::DT_DOUBLE:
    return "float64";
  case DataType::DT_HALF:
    return "float16";
  case DataType::DT_BFLOAT16:
    return "bfloat16";
  case DataType::DT_INT8:
    return "int8";
  case DataType::DT_INT16:
    return "int16";
  case DataType::DT_INT32:
    return "int32";
  case DataType::DT_INT64:
    return "int64";
  case DataType::DT_UINT8:
    return "uint8";
  case DataType::DT_UINT16:
    return "uint16";
  case DataType::DT_UINT32:
    return "uint32";
  case DataType::DT_UINT64:
    return "uint64";
  case DataType::DT_BOOL:
    return "bool";
  case DataType::DT_COMPLEX64:
    return "complex64";
  case DataType::DT_COMPLEX128:
    return "complex128";
  case DataType::DT_STRING:
    return "string";
  case DataType::DT_RESOURCE:
    return "resource";
  case DataType::DT_VARIANT:
    return "variant";
  case DataType::DT_QINT8:
    return "qint8";
  case DataType::DT_QUINT8:
    return "quint8";
  case DataType::DT_QINT16:
    return "qint16";
  case DataType::DT_QUINT16:
    return "quint16";
  case DataType::DT_QINT32:
    return "qint32";
  default:
    return "an unknown type";
  }
}

std::optional<int64_t> elementCount(llvm::ArrayRef<int64_t> shape,
                                    int64_t unit) {
  int64_t count = unit;
  bool empty = false;
  for (int64_t size : shape) {
    if (size < 0)
      return std::nullopt;
    if (size == 0) {
      empty = true;
      continue;
    }
    // Sizes beside a zero are checked too: strides multiply them.
    if (count > kMaxTensorBytes / size)
      return std::nullopt;
    count *= size;
  }
  return empty ? 0 : count;
}

namespace {
llvm::Error failure(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

/// Elements that the message holds as numbers, in the tensor's own type.
template <typename Stored, typename List>
llvm::Error takeList(const List &list, int64_t count, TensorData &result) {
  int64_t given = list.size();
  if (given > count)
    return failure("a tensor of " + llvm::Twine(count) + " elements has " +
                   llvm::Twine(given) + " values");
  // A list is shortened by leaving out repetitions of its last value.
  result.splat = given <= 1 && count > 1;
  int64_t kept = result.splat ? 1 : count;
  if (kept > (int64_t(1) << 31) / int64_t(sizeof(Stored)))
    return failure("a tensor of " + llvm::Twine(count) +
                   " elements is written as a list");
  auto buffer = std::make_shared<std::vector<Stored>>(kept);
  for (int64_t i = 0; i < kept; ++i)
    (*buffer)[i] = given == 0
                       ? Stored()
                       : static_cast<Stored>(list.Get(std::min(i, given - 1)));
  result.bytes = {reinterpret_cast<const char *>(buffer->data()),
                  buffer->size() * sizeof(Stored)};
  result.owner = buffer;
  return llvm::Error::success();
}

/// Complex numbers are pairs of values.
template <typename Part, typename List>
llvm::Error takeComplex(const List &list, int64_t count, TensorData &result) {
  int64_t given = list.size() / 2;
  if (list.size() % 2 || given > count)
    return failure("a tensor of " + llvm::Twine(count) +
                   " complex elements has " + llvm::Twine(list.size()) +
                   " parts");
  result.splat = given <= 1 && count > 1;
  int64_t kept = result.splat ? 1 : count;
  if (kept > (int64_t(1) << 31) / int64_t(2 * sizeof(Part)))
    return failure("a tensor of " + llvm::Twine(count) +
                   " elements is written as a list");
  auto buffer = std::make_shared<std::vector<Part>>(2 * kept);
  for (int64_t i = 0; i < 2 * kept && given; ++i)
    (*buffer)[i] = list.Get(std::min(i / 2, given - 1) * 2 + i % 2);
  result.bytes = {reinterpret_cast<const char *>(buffer->data()),
                  buffer->size() * sizeof(Part)};
  result.owner = buffer;
  return llvm::Error::success();
}

/// Elements of the list that `proto`'s type uses.
llvm::Error takeValues(const tfproto::TensorProto &proto, unsigned unit,
                       int64_t count, TensorData &result) {
  switch (result.dtype) {
  case DataType::DT_FLOAT:
    return takeList<float>(proto.float_val(), count, result);
  case DataType::DT_DOUBLE:
    return takeList<double>(proto.double_val(), count, result);
  case DataType::DT_HALF:
  case DataType::DT_BFLOAT16:
    return takeList<uint16_t>(proto.half_val(), count, result);
  case DataType::DT_BOOL:
    return takeList<uint8_t>(proto.bool_val(), count, result);
  case DataType::DT_INT64:
    return takeList<int64_t>(proto.int64_val(), count, result);
  case DataType::DT_UINT32:
    return takeList<uint32_t>(proto.uint32_val(), count, result);
  case DataType::DT_UINT64:
    return takeList<uint64_t>(proto.uint64_val(), count, result);
  case DataType::DT_COMPLEX64:
    return takeComplex<float>(proto.scomplex_val(), count, result);
  case DataType::DT_COMPLEX128:
    return takeComplex<double>(proto.dcomplex_val(), count, result);
  default: // the narrow integers share one list
    if (unit == 1)
      return takeList<int8_t>(proto.int_val(), count, result);
    if (unit == 2)
      return takeList<int16_t>(proto.int_val(), count, result);
    return takeList<int32_t>(proto.int_val(), count, result);
  }
}
} // namespace

llvm::Expected<TensorData> readTensor(const tfproto::TensorProto &proto,
                                      std::shared_ptr<const void> owner) {
  TensorData result;
  result.dtype = proto.dtype();
  if (proto.tensor_shape().unknown_rank())
    return failure("a constant tensor without a shape");
  if (proto.tensor_shape().dim_size() > kMaxRank)
    return failure("a tensor of " +
                   llvm::Twine(proto.tensor_shape().dim_size()) +
                   " dimensions");
  for (const auto &dim : proto.tensor_shape().dim())
    result.shape.push_back(dim.size());
  unsigned unit = elementBytes(result.dtype);
  if (result.dtype == DataType::DT_STRING)
    unit = sizeof(std::string);
  if (!unit)
    return failure("a constant tensor of type " + dtypeName(result.dtype));
  std::optional<int64_t> bytes = elementCount(result.shape, unit);
  if (!bytes)
    return failure("a tensor with an impossible shape");
  int64_t count = *bytes / unit;

  if (result.dtype == DataType::DT_STRING) {
    if (proto.string_val_size() > count)
      return failure("a tensor of " + llvm::Twine(count) + " strings has " +
                     llvm::Twine(proto.string_val_size()) + " values");
    result.splat = proto.string_val_size() <= 1 && count > 1;
    int64_t kept = result.splat ? 1 : count;
    if (kept > (int64_t(1) << 26))
      return failure("a tensor of " + llvm::Twine(count) + " strings");
    for (int64_t i = 0; i < kept; ++i)
      result.strings.push_back(proto.string_val_size() == 0
                                   ? std::string()
                                   : proto.string_val(std::min<int64_t>(
                                         i, proto.string_val_size() - 1)));
    return result;
  }

  if (!proto.tensor_content().empty()) {
    if (int64_t(proto.tensor_content().size()) != *bytes)
      return failure("a tensor of " + llvm::Twine(*bytes) + " bytes has " +
                     llvm::Twine(proto.tensor_content().size()));
    result.bytes = {proto.tensor_content().data(),
                    proto.tensor_content().size()};
    result.owner = std::move(owner);
    return result;
  }

  if (llvm::Error error = takeValues(proto, unit, count, result))
    return std::move(error);
  return result;
}

} // namespace tenon::tf
