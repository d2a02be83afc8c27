//===- Npz.cpp - NumPy's archives of arrays -------------------------------===//

#include "compiler/tools/tenon/Npz.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <zlib.h>

using namespace llvm;
using namespace llvm::support;

namespace tenon {

namespace {

Error broken(StringRef what) {
  return createStringError("not an .npz file: " + what);
}

/// Undoes deflate without zlib's header, as zip stores it.
Expected<std::string> inflateBytes(StringRef compressed, uint64_t size) {
  // Deflate cannot do better than 1032 to 1: a larger size is a lie.
  if (size / 1032 > compressed.size())
    return broken("an array's size is wrong");
  std::string bytes(size, '\0');
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return createStringError("zlib cannot start");
  stream.next_in =
      reinterpret_cast<Bytef *>(const_cast<char *>(compressed.data()));
  stream.next_out = reinterpret_cast<Bytef *>(bytes.data());
  uint64_t left = compressed.size(), room = size;
  int status = Z_OK;
  while (status == Z_OK && (stream.avail_in || left || room)) {
    uInt in = std::min<uint64_t>(left, 1u << 30);
    uInt out = std::min<uint64_t>(room, 1u << 30);
    stream.avail_in = in;
    stream.avail_out = out;
    status = inflate(&stream, Z_NO_FLUSH);
    left -= in - stream.avail_in;
    room -= out - stream.avail_out;
    if (in == stream.avail_in && out == stream.avail_out)
      break;
  }
  inflateEnd(&stream);
  if (room)
    return broken("an array's compressed bytes are damaged");
  return bytes;
}

/// The value of `key` in .npy's header, which is the text of a Python dict.
StringRef findField(StringRef header, StringRef key) {
  size_t at = header.find(key);
  if (at == StringRef::npos)
    return {};
  return header.substr(at + key.size()).ltrim("'\": ");
}

class NpyParser {
public:
  NpyParser(StringRef name, StringRef data) : data(data) {
    array.name = name.str();
  }

  Expected<Array> parse() {
    if (!data.starts_with("\x93NUMPY") || data.size() < 12)
      return broken("'" + array.name + "' is no array");
    bool isOld = data[6] == 1;
    size_t headerAt = isOld ? 10 : 12;
    size_t headerSize = isOld ? endian::read16le(data.data() + 8)
                              : endian::read32le(data.data() + 8);
    if (headerSize > data.size() - headerAt)
      return broken("the header of '" + array.name + "' is cut off");
    StringRef header = data.substr(headerAt, headerSize);
    StringRef body = data.substr(headerAt + headerSize);
    if (Error error = parseType(findField(header, "'descr'")))
      return std::move(error);
    if (Error error = parseShape(findField(header, "'shape'")))
      return std::move(error);
    uint64_t bytes = array.itemSize;
    for (int64_t size : array.shape)
      if (__builtin_mul_overflow(bytes, uint64_t(size), &bytes))
        return broken("the shape of '" + array.name + "' is too large");
    if (bytes != body.size())
      return broken("'" + array.name + "' has not as many bytes as it says");
    array.bytes = body.str();
    if (findField(header, "'fortran_order'").starts_with("True"))
      transpose();
    StringRef name = array.name;
    if (name.consume_back("__bf16") && array.kind == 'u' &&
        array.itemSize == 2) {
      array.name = name.str();
      array.kind = 'e';
    }
    return std::move(array);
  }

private:
  Error parseType(StringRef type) {
    char order = type.empty() ? 0 : type[0];
    StringRef size =
        type.drop_front(std::min<size_t>(type.size(), 2)).take_while(isDigit);
    if (type.size() < 3 || !StringRef("<|=").contains(order) ||
        !StringRef("biufcSV").contains(type[1]) ||
        size.getAsInteger(10, array.itemSize))
      return createStringError("array '" + array.name +
                               "' has a dtype that cannot be compared");
    array.kind = type[1];
    if (array.kind == 'V') { // ml_dtypes' bfloat16
      if (array.itemSize != 2)
        return createStringError("array '" + array.name +
                                 "' has a dtype that cannot be compared");
      array.kind = 'e';
    }
    return Error::success();
  }

  Error parseShape(StringRef text) {
    if (!text.consume_front("("))
      return broken("'" + array.name + "' has no shape");
    for (text = text.ltrim(); !text.empty() && text[0] != ')';
         text = text.ltrim(", ")) {
      uint64_t size = 0;
      if (text.consumeInteger(10, size) || size > INT64_MAX)
        return broken("'" + array.name + "' has no shape");
      array.shape.push_back(size);
    }
    return Error::success();
  }

  static bool isDigit(char c) { return c >= '0' && c <= '9'; }

  /// Column-major to row-major.
  void transpose() {
    std::string result(array.bytes.size(), '\0');
    size_t count = array.getCount(), item = array.itemSize;
    for (size_t to = 0; to < count; ++to) {
      size_t rest = to, from = 0, stride = count;
      for (size_t axis = array.shape.size(); axis-- > 0;) {
        stride /= array.shape[axis];
        from += rest % array.shape[axis] * stride;
        rest /= array.shape[axis];
      }
      std::memcpy(&result[to * item], &array.bytes[from * item], item);
    }
    array.bytes = std::move(result);
  }

  StringRef data;
  Array array;
};

/// One file of the archive, from its record in the central directory.
struct Member {
  uint64_t compressed, size, headerAt;
  uint16_t method;
  StringRef name;
};

/// Sizes that do not fit 32 bits stand in the extra field 1.
void readZip64(StringRef extra, Member &member) {
  while (extra.size() >= 4) {
    uint16_t id = endian::read16le(extra.data());
    uint16_t size = endian::read16le(extra.data() + 2);
    StringRef body = extra.substr(4, size);
    if (id == 1)
      for (uint64_t *field :
           {&member.size, &member.compressed, &member.headerAt})
        if (*field == 0xffffffff && body.size() >= 8) {
          *field = endian::read64le(body.data());
          body = body.drop_front(8);
        }
    extra = extra.drop_front(std::min<size_t>(extra.size(), 4 + size));
  }
}

Expected<Array> readMember(StringRef file, const Member &member) {
  if (member.headerAt > file.size() || file.size() - member.headerAt < 30)
    return broken("a member lies outside of the file");
  const char *header = file.data() + member.headerAt;
  uint64_t dataAt = member.headerAt + 30 + endian::read16le(header + 26) +
                    endian::read16le(header + 28);
  if (dataAt > file.size() || member.compressed > file.size() - dataAt)
    return broken("a member lies outside of the file");
  StringRef name = member.name, data = file.substr(dataAt, member.compressed);
  name.consume_back(".npy");
  if (member.method == 0)
    return NpyParser(name, data).parse();
  if (member.method != 8)
    return broken("an array has an unknown compression");
  Expected<std::string> inflated = inflateBytes(data, member.size);
  if (!inflated)
    return inflated.takeError();
  return NpyParser(name, *inflated).parse();
}

} // namespace

Expected<std::vector<Array>> readNpz(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError(buffer.getError().message());
  StringRef file = (*buffer)->getBuffer();
  size_t end = file.rfind("PK\x05\x06");
  if (end == StringRef::npos || file.size() - end < 22)
    return broken("it has no directory");
  uint64_t count = endian::read16le(file.data() + end + 10);
  uint64_t at = endian::read32le(file.data() + end + 16);
  if (at == 0xffffffff || count == 0xffff) {
    size_t end64 = file.rfind("PK\x06\x06");
    if (end64 == StringRef::npos || file.size() - end64 < 56)
      return broken("it has no directory");
    count = endian::read64le(file.data() + end64 + 32);
    at = endian::read64le(file.data() + end64 + 48);
  }
  std::vector<Array> arrays;
  for (; count; --count) {
    if (at > file.size() || file.size() - at < 46)
      return broken("its directory is cut off");
    const char *record = file.data() + at;
    uint64_t nameSize = endian::read16le(record + 28);
    uint64_t extraSize = endian::read16le(record + 30);
    Member member{endian::read32le(record + 20), endian::read32le(record + 24),
                  endian::read32le(record + 42), endian::read16le(record + 10),
                  file.substr(at + 46, nameSize)};
    readZip64(file.substr(at + 46 + nameSize, extraSize), member);
    Expected<Array> array = readMember(file, member);
    if (!array)
      return array.takeError();
    arrays.push_back(std::move(*array));
    at += 46 + nameSize + extraSize + endian::read16le(record + 32);
  }
  return arrays;
}

} // namespace tenon
