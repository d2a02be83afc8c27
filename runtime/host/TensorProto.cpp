// TensorProto { dtype = 1, tensor_shape = 2, tensor_content = 4,
// string_val = 8 }, TensorShapeProto { repeated Dim { size = 1 } dim = 2 }.
#include "host/Proto.h"

namespace tenon {

// The number of an element type in TensorFlow's files.
static uint32_t numberOf(tenon_dtype dtype) {
  struct Known {
    uint8_t code, bits, number;
  };
  static const Known known[] = {
      {TENON_FLOAT, 32, 1},     {TENON_FLOAT, 64, 2},   {TENON_INT, 32, 3},
      {TENON_UINT, 8, 4},       {TENON_INT, 16, 5},     {TENON_INT, 8, 6},
      {TENON_STRING, 128, 7},   {TENON_COMPLEX, 64, 8}, {TENON_INT, 64, 9},
      {TENON_BOOL, 8, 10},      {TENON_BFLOAT, 16, 14}, {TENON_UINT, 16, 17},
      {TENON_COMPLEX, 128, 18}, {TENON_FLOAT, 16, 19},  {TENON_UINT, 32, 22},
      {TENON_UINT, 64, 23}};
  for (const Known &type : known)
    if (type.code == dtype.code && type.bits == dtype.bits)
      return type.number;
  return 0;
}

TENON_HOST(serialize_tensor) {
  const tenon_tensor &input = call.inputs[0];
  int64_t count = call.inSize(0);
  Bytes shape(call);
  for (int32_t d = 0; d < input.ndim; ++d) {
    Bytes dim(call);
    if (input.shape[d]) {
      addTag(dim, 1, 0);
      addVarint(dim, uint64_t(input.shape[d]));
    }
    addField(shape, 2, dim);
  }
  StringWriter writer(call, 0);
  addTag(writer, 1, 0);
  addVarint(writer, numberOf(input.dtype));
  addField(writer, 2, shape);
  if (input.dtype.code == TENON_STRING) {
    for (int64_t i = 0; i < count; ++i)
      addField(writer, 8, call.strings(0)[i]);
  } else if (count) {
    addField(writer, 4, {call.in(0), size_t(count * (input.dtype.bits / 8))});
  }
  writer.end();
  return writer.finish();
}

} // namespace tenon
