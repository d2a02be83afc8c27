// TensorProto { dtype = 1, tensor_shape = 2, tensor_content = 4, string_val =
// 8, and lists of numbers by type }, TensorShapeProto { repeated Dim { size = 1
// } dim = 2 }.
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

namespace {

// The list of a type's elements: those of fixed width stand as they are.
struct ElementList {
  uint32_t field;
  bool fixed;
  int32_t width; // of one number, of which complex elements have two
};

ElementList listOf(tenon_dtype dtype) {
  int32_t width = dtype.bits / 8;
  switch (numberOf(dtype)) {
  case 1:
    return {5, true, width};
  case 2:
    return {6, true, width};
  case 8:
    return {9, true, width / 2};
  case 18:
    return {12, true, width / 2};
  case 9:
    return {10, false, width};
  case 10:
    return {11, false, width};
  case 14:
  case 19:
    return {13, false, width};
  case 22:
    return {16, false, width};
  case 23:
    return {17, false, width};
  default:
    return {7, false, width};
  }
}

// A message's shape and where its elements are.
struct ParsedTensor {
  uint32_t type = 0;
  int64_t sizes[32];
  int32_t rank = 0;
  tenon_string content = {"", 0};

  bool read(tenon_string message) {
    ProtoReader reader(message);
    while (reader.next()) {
      if (reader.field == 1 && reader.wire == 0)
        type = uint32_t(reader.number);
      else if (reader.field == 4 && reader.wire == 2)
        content = reader.bytes;
      else if (reader.field == 2 && reader.wire == 2 &&
               !readShape(reader.bytes))
        return false;
    }
    return !reader.bad;
  }

private:
  bool readShape(tenon_string message) {
    ProtoReader shape(message);
    rank = 0;
    while (shape.next()) {
      if (shape.field != 2 || shape.wire != 2)
        continue;
      if (rank == 32)
        return false;
      sizes[rank] = 0;
      ProtoReader dim(shape.bytes);
      while (dim.next())
        if (dim.field == 1 && dim.wire == 0)
          sizes[rank] = int64_t(dim.number);
      if (dim.bad || sizes[rank++] < 0)
        return false;
    }
    return !shape.bad;
  }
};

// The texts, of which the last one stands for those that are missing. They
// stay in the message, which must live as long.
bool readTexts(HostCall &call, tenon_string message, int64_t count) {
  Bytes texts(call);
  auto *to = call.out<tenon_string>(0);
  int64_t done = 0, start = 0;
  ProtoReader reader(message);
  while (reader.next())
    if (reader.field == 8 && reader.wire == 2 && done < count) {
      texts.add(reader.bytes);
      to[done++] = {reinterpret_cast<const char *>(start), reader.bytes.size};
      start = texts.size;
    }
  if (texts.failed)
    return false;
  for (int64_t i = 0; i < done; ++i)
    to[i].data =
        to[i].size ? texts.data + reinterpret_cast<intptr_t>(to[i].data) : "";
  for (int64_t i = done; i < count; ++i)
    to[i] = done ? to[done - 1] : tenon_string{"", 0};
  return true;
}

// The numbers of a list, of which the last element stands for missing ones.
bool readNumbers(HostCall &call, tenon_string message, int64_t count) {
  const tenon_tensor &result = call.outputs[0];
  ElementList list = listOf(result.dtype);
  int64_t bytes = count * (result.dtype.bits / 8), done = 0;
  char *to = call.out(0);
  auto add = [&](const void *from, int64_t size) {
    size = size < bytes - done ? size : bytes - done;
    memcpy(to + done, from, size_t(size));
    done += size;
  };
  ProtoReader reader(message);
  while (reader.next()) {
    if (reader.field != list.field)
      continue;
    if (reader.wire != 2) {
      add(&reader.number, list.width);
    } else if (list.fixed) {
      add(reader.bytes.data, int64_t(reader.bytes.size));
    } else {
      ProtoReader numbers(reader.bytes);
      while (numbers.at != numbers.end && !numbers.bad) {
        uint64_t number = numbers.varint();
        if (!numbers.bad)
          add(&number, list.width);
      }
      reader.bad = numbers.bad;
    }
  }
  int32_t width = result.dtype.bits / 8;
  if (reader.bad || done % width)
    return false;
  for (; done < bytes; done += width) {
    if (done)
      memcpy(to + done, to + done - width, size_t(width));
    else
      memset(to, 0, size_t(width));
  }
  return true;
}

} // namespace

TENON_HOST(parse_tensor) {
  tenon_string message = *call.strings(0);
  tenon_tensor &result = call.outputs[0];
  ParsedTensor parsed;
  if (!parsed.read(message))
    return call.fail("could not parse the bytes of a tensor");
  if (parsed.type != numberOf(result.dtype))
    return call.fail("the tensor has TensorFlow's type number %u, expected %u",
                     parsed.type, numberOf(result.dtype));
  bool flat = call.flag("flat");
  int64_t total = 1;
  for (int32_t d = 0; d < parsed.rank; ++d)
    if (__builtin_mul_overflow(total, parsed.sizes[d], &total))
      return call.fail("the tensor is too large");
  bool same = flat || parsed.rank == result.ndim;
  for (int32_t d = 0; same && !flat && d < result.ndim; ++d) {
    int64_t wanted = call.integer("shape", d);
    same = wanted < 0 || wanted == parsed.sizes[d];
    result.shape[d] = parsed.sizes[d];
  }
  if (!same)
    return call.fail("the tensor has another shape than expected");
  if (flat)
    result.shape[0] = total;
  // No message has so few bytes of so many elements but one of equal ones.
  if (total > int64_t(1) << 40 || !call.allocate(0))
    return call.fail("the tensor is too large");
  int64_t bytes = total * (result.dtype.bits / 8);
  if (result.dtype.code == TENON_STRING)
    return readTexts(call, message, total);
  if (parsed.content.size) {
    if (int64_t(parsed.content.size) != bytes)
      return call.fail("a tensor of %lld bytes has %zu", (long long)bytes,
                       parsed.content.size);
    memcpy(result.data, parsed.content.data, size_t(bytes));
    return true;
  }
  return readNumbers(call, message, total) ||
         call.fail("could not parse the bytes of a tensor");
}

} // namespace tenon
