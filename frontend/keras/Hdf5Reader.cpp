//===- Hdf5Reader.cpp - the HDF5 files that Keras writes ------------------===//

#include "frontend/keras/Hdf5Reader.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using support::endian::read16le;
using support::endian::read32le;
using support::endian::read64le;

namespace tenon::keras {

namespace {
constexpr StringLiteral kSignature("\x89HDF\r\n\x1a\n");
constexpr uint64_t kNowhere = UINT64_MAX;
/// A tensor of more dimensions is a damaged file.
constexpr unsigned kMaxRank = 32;

enum MessageType : uint16_t {
  kDataspace = 1,
  kLinkInfo = 2,
  kDatatype = 3,
  kLink = 6,
  kLayout = 8,
  kFilters = 11,
  kAttribute = 12,
  kContinuation = 16,
  kSymbolTable = 17,
  kAttributeInfo = 21
};

struct Message {
  uint16_t type = 0;
  bool shared = false;
  StringRef data;
  uint64_t offset = 0; // in the file
};

Error failure(uint64_t offset, const Twine &text) {
  return createStringError("HDF5: offset " + Twine(offset) + ": " + text);
}

/// Bytes taken from the front; after the end all are 0 and `good` is false.
class Cursor {
public:
  explicit Cursor(StringRef data) : data(data) {}
  bool good = true;

  StringRef take(uint64_t count) {
    if (count > data.size()) {
      good = false;
      data = {};
      return {};
    }
    StringRef part = data.take_front(count);
    data = data.drop_front(count);
    return part;
  }
  uint64_t number(unsigned bytes) {
    StringRef part = take(bytes);
    uint64_t value = 0;
    for (size_t i = part.size(); i-- > 0;)
      value = value << 8 | uint8_t(part[i]);
    return value;
  }
  uint64_t left() const { return data.size(); }
  StringRef rest() const { return data; }

private:
  StringRef data;
};

bool readDataspace(StringRef data, std::vector<int64_t> &shape) {
  Cursor cursor(data);
  uint64_t version = cursor.number(1), rank = cursor.number(1);
  cursor.take(1); // flags
  bool null = false;
  if (version == 1)
    cursor.take(5);
  else if (version == 2)
    null = cursor.number(1) == 2;
  else
    return false;
  if (rank > kMaxRank)
    return false;
  for (uint64_t i = 0; i < rank; ++i) {
    uint64_t size = cursor.number(8);
    if (size > INT64_MAX)
      return false;
    shape.push_back(int64_t(size));
  }
  if (null)
    shape = {0};
  return cursor.good;
}

bool readType(StringRef data, Hdf5Type &type, int depth = 0) {
  Cursor cursor(data);
  uint64_t head = cursor.number(4);
  type.size = cursor.number(4);
  uint64_t bits = head >> 8;
  if (!cursor.good)
    return false;
  switch (head & 15) {
  case 0: // integer
    type.kind = bits & 1     ? Hdf5Type::Other
                : (bits & 8) ? Hdf5Type::Signed
                             : Hdf5Type::Unsigned;
    break;
  case 1: { // float
    cursor.take(5);
    uint64_t exponent = cursor.number(1);
    bool big = bits & 0x41;
    if (big || !cursor.good)
      type.kind = Hdf5Type::Other;
    else
      type.kind =
          type.size == 2 && exponent == 8 ? Hdf5Type::BFloat : Hdf5Type::Float;
    break;
  }
  case 3:
    type.kind = Hdf5Type::Text;
    break;
  case 5: // opaque: two bytes are how h5py stores bfloat16
    type.kind = type.size == 2 ? Hdf5Type::BFloat : Hdf5Type::Other;
    break;
  case 8: { // enumeration: h5py's booleans
    Hdf5Type base;
    if (depth > 4 || !readType(cursor.rest(), base, depth + 1))
      return false;
    type.kind = base.kind == Hdf5Type::Other || type.size != 1 ? Hdf5Type::Other
                                                               : Hdf5Type::Bool;
    break;
  }
  case 9:
    type.kind = (bits & 15) == 1 ? Hdf5Type::VariableText : Hdf5Type::Other;
    break;
  default:
    type.kind = Hdf5Type::Other;
  }
  return type.size > 0;
}

/// Bytes of an array; none on overflow.
std::optional<uint64_t> byteCount(const Hdf5Array &array) {
  uint64_t bytes = array.type.size;
  for (int64_t size : array.shape) {
    bool overflow = false;
    bytes = SaturatingMultiply(bytes, uint64_t(size), &overflow);
    if (overflow)
      return std::nullopt;
  }
  return bytes;
}
} // namespace

/// Reads one object.
class Hdf5File::Parser {
public:
  Parser(StringRef file, Hdf5Object &object) : file(file), object(object) {}

  Error parse(uint64_t address) {
    SmallVector<Message> messages;
    if (Error error = readHeader(address, messages))
      return error;
    for (const Message &message : messages)
      if (Error error = readMessage(message))
        return error;
    return finishDataset(address);
  }

private:
  /// `size` bytes at `offset`, or an error that says what they are.
  Expected<StringRef> at(uint64_t offset, uint64_t size, const Twine &what) {
    if (offset > file.size() || size > file.size() - offset)
      return failure(offset, what + " is outside the file");
    return file.substr(offset, size);
  }

  Error readHeader(uint64_t address, SmallVectorImpl<Message> &messages);
  Error readBlocks(SmallVectorImpl<std::pair<uint64_t, uint64_t>> &blocks,
                   bool modern, uint64_t orderBytes,
                   SmallVectorImpl<Message> &messages);
  Error readMessage(const Message &message);
  Error readAttribute(const Message &message);
  Error readLink(const Message &message);
  Error readSymbols(uint64_t tree, uint64_t heap);
  Error readTree(uint64_t address, std::optional<unsigned> level,
                 StringRef names);
  Error finishDataset(uint64_t address);

  StringRef file;
  Hdf5Object &object;
  std::optional<std::vector<int64_t>> shape;
  std::optional<Hdf5Type> type;
  std::optional<Message> layout;
  bool filtered = false;
  uint64_t visited = 0; // nodes of trees
};

Error Hdf5File::Parser::readHeader(uint64_t address,
                                   SmallVectorImpl<Message> &messages) {
  auto head = at(address, 16, "an object");
  if (!head)
    return head.takeError();
  SmallVector<std::pair<uint64_t, uint64_t>> blocks;
  if (!head->starts_with("OHDR")) {
    if ((*head)[0] != 1)
      return failure(address, "expected an object");
    blocks.emplace_back(address + 16, read32le(head->data() + 8));
    return readBlocks(blocks, /*modern=*/false, 0, messages);
  }
  Cursor cursor(file.substr(address));
  cursor.take(4);
  uint64_t version = cursor.number(1), flags = cursor.number(1);
  if (version != 2)
    return failure(address, "an object of version " + Twine(version));
  if (flags & 0x20)
    cursor.take(16);
  if (flags & 0x10)
    cursor.take(4);
  uint64_t size = cursor.number(1u << (flags & 3));
  if (!cursor.good)
    return failure(address, "an object is cut off");
  blocks.emplace_back(file.size() - cursor.left(), size);
  return readBlocks(blocks, /*modern=*/true, flags & 4 ? 2 : 0, messages);
}

Error Hdf5File::Parser::readBlocks(
    SmallVectorImpl<std::pair<uint64_t, uint64_t>> &blocks, bool modern,
    uint64_t orderBytes, SmallVectorImpl<Message> &messages) {
  // Blocks that continue an object may be added while they are read.
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (i > 100'000)
      return failure(blocks[i].first, "an object has too many parts");
    auto [offset, size] = blocks[i];
    auto block = at(offset, size, "a part of an object");
    if (!block)
      return block.takeError();
    Cursor cursor(*block);
    uint64_t headBytes = modern ? 4 + orderBytes : 8;
    while (cursor.left() >= headBytes) {
      Message message;
      message.type = uint16_t(cursor.number(modern ? 1 : 2));
      uint64_t bytes = cursor.number(2), flags = cursor.number(1);
      cursor.take(modern ? orderBytes : 3);
      message.shared = flags & 2;
      message.offset = offset + size - cursor.left();
      message.data = cursor.take(bytes);
      if (!cursor.good)
        return failure(message.offset, "a message of an object is cut off");
      if (message.type != kContinuation) {
        messages.push_back(message);
        continue;
      }
      Cursor place(message.data);
      uint64_t next = place.number(8), length = place.number(8);
      if (!place.good)
        return failure(message.offset, "a message of an object is cut off");
      if (!modern) {
        blocks.emplace_back(next, length);
        continue;
      }
      auto chunk = at(next, length, "a part of an object");
      if (!chunk)
        return chunk.takeError();
      if (length < 8 || !chunk->starts_with("OCHK"))
        return failure(next, "expected a part of an object");
      blocks.emplace_back(next + 4, length - 8);
    }
  }
  return Error::success();
}

Error Hdf5File::Parser::readMessage(const Message &message) {
  auto broken = [&](StringRef what) {
    return failure(message.offset, what + " is damaged or of an unknown kind");
  };
  switch (message.type) {
  case kDataspace: {
    std::vector<int64_t> sizes;
    if (message.shared || !readDataspace(message.data, sizes))
      return broken("a shape");
    shape = std::move(sizes);
    break;
  }
  case kDatatype: {
    Hdf5Type read;
    if (message.shared)
      read.kind = Hdf5Type::Other;
    else if (!readType(message.data, read))
      return broken("a type");
    type = read;
    break;
  }
  case kLayout:
    layout = message;
    break;
  case kFilters:
    filtered = true;
    break;
  case kAttribute:
    return readAttribute(message);
  case kLink:
    return readLink(message);
  case kLinkInfo: {
    // Many links are in a heap of their own in the newest kind of files.
    Cursor cursor(message.data);
    cursor.take(1);
    uint64_t flags = cursor.number(1);
    cursor.take(flags & 1 ? 8 : 0);
    if (cursor.number(8) != kNowhere && cursor.good)
      return failure(message.offset,
                     "a group of the newest format; write the file anew with "
                     "libver='earliest'");
    break;
  }
  case kAttributeInfo: {
    Cursor cursor(message.data);
    cursor.take(1);
    uint64_t flags = cursor.number(1);
    cursor.take(flags & 1 ? 2 : 0);
    if (cursor.number(8) != kNowhere && cursor.good)
      return failure(message.offset,
                     "attributes of the newest format; write the file anew "
                     "with libver='earliest'");
    break;
  }
  case kSymbolTable: {
    Cursor cursor(message.data);
    uint64_t tree = cursor.number(8), heap = cursor.number(8);
    if (!cursor.good)
      return broken("a group");
    return readSymbols(tree, heap);
  }
  default:
    break;
  }
  return Error::success();
}

Error Hdf5File::Parser::readAttribute(const Message &message) {
  Cursor cursor(message.data);
  uint64_t version = cursor.number(1), flags = cursor.number(1),
           nameBytes = cursor.number(2), typeBytes = cursor.number(2),
           spaceBytes = cursor.number(2);
  if (version == 3)
    cursor.take(1);
  auto padded = [&](uint64_t bytes) {
    StringRef part = cursor.take(bytes);
    if (version == 1)
      cursor.take((8 - bytes % 8) % 8);
    return part;
  };
  StringRef name = padded(nameBytes), typeData = padded(typeBytes),
            spaceData = padded(spaceBytes);
  Hdf5Array array;
  if (version < 1 || version > 3 || !cursor.good ||
      !readDataspace(spaceData, array.shape))
    return failure(message.offset, "an attribute is damaged");
  if (flags & 1 || message.shared)
    array.type.kind = Hdf5Type::Other;
  else if (!readType(typeData, array.type))
    return failure(message.offset, "an attribute is damaged");
  std::optional<uint64_t> bytes = byteCount(array);
  if (array.type.kind != Hdf5Type::Other) {
    if (!bytes || *bytes > cursor.left())
      return failure(message.offset, "an attribute is cut off");
    array.data = cursor.take(*bytes);
  }
  object.attributes[name.take_until([](char c) { return !c; }).str()] =
      std::move(array);
  return Error::success();
}

Error Hdf5File::Parser::readLink(const Message &message) {
  Cursor cursor(message.data);
  uint64_t version = cursor.number(1), flags = cursor.number(1);
  uint64_t kind = flags & 8 ? cursor.number(1) : 0;
  cursor.take(flags & 4 ? 8 : 0);
  cursor.take(flags & 16 ? 1 : 0);
  uint64_t length = cursor.number(1u << (flags & 3));
  StringRef name = cursor.take(length);
  uint64_t address = cursor.number(8);
  if (version != 1 || !cursor.good)
    return failure(message.offset, "a link is damaged");
  if (kind == 0) // others lead out of the file, or in circles
    object.children[name.str()] = address;
  return Error::success();
}

Error Hdf5File::Parser::readSymbols(uint64_t tree, uint64_t heap) {
  auto head = at(heap, 32, "a group's heap");
  if (!head)
    return head.takeError();
  if (!head->starts_with("HEAP"))
    return failure(heap, "expected a group's heap");
  auto names = at(read64le(head->data() + 24), read64le(head->data() + 8),
                  "a group's heap");
  if (!names)
    return names.takeError();
  return readTree(tree, std::nullopt, *names);
}

Error Hdf5File::Parser::readTree(uint64_t address,
                                 std::optional<unsigned> level,
                                 StringRef names) {
  if (++visited > file.size() / 8 + 1)
    return failure(address, "a group's tree goes in circles");
  auto head = at(address, 24, "a group's tree");
  if (!head)
    return head.takeError();
  if (head->starts_with("TREE") && (*head)[4] == 0) {
    unsigned own = uint8_t((*head)[5]), count = read16le(head->data() + 6);
    // Levels fall by one, which bounds the depth.
    if (own > 32 || (level && own + 1 != *level))
      return failure(address, "a group's tree has wrong levels");
    auto body = at(address + 24, uint64_t(count) * 16 + 8, "a group's tree");
    if (!body)
      return body.takeError();
    for (unsigned i = 0; i < count; ++i)
      if (Error error =
              readTree(read64le(body->data() + 16 * i + 8), own, names))
        return error;
    return Error::success();
  }
  if (!head->starts_with("SNOD") || !level || *level != 0)
    return failure(address, "expected the names of a group");
  unsigned count = read16le(head->data() + 6);
  auto body = at(address + 8, uint64_t(count) * 40, "a group's names");
  if (!body)
    return body.takeError();
  for (unsigned i = 0; i < count; ++i) {
    const char *entry = body->data() + 40 * i;
    uint64_t offset = read64le(entry);
    if (offset >= names.size())
      return failure(address, "a name is outside its heap");
    StringRef name = names.substr(offset).take_until([](char c) { return !c; });
    if (read32le(entry + 16) != 2) // a soft link
      object.children[name.str()] = read64le(entry + 8);
  }
  return Error::success();
}

Error Hdf5File::Parser::finishDataset(uint64_t address) {
  if (!layout)
    return Error::success();
  if (!shape || !type)
    return failure(address, "a dataset without shape or type");
  Hdf5Array array{*type, *shape, {}};
  if (type->kind == Hdf5Type::Other || filtered) {
    object.unreadable =
        filtered ? "it is compressed" : "its elements are of an unknown type";
    return Error::success();
  }
  std::optional<uint64_t> bytes = byteCount(array);
  if (!bytes)
    return failure(address, "a dataset is impossibly large");
  Cursor cursor(layout->data);
  uint64_t version = cursor.number(1), kind = cursor.number(1);
  if (version < 3 || version > 4 || kind > 1) {
    object.unreadable = "it is stored in pieces";
    return Error::success();
  }
  if (kind == 0) {
    uint64_t size = cursor.number(2);
    array.data = cursor.take(size);
    if (!cursor.good || size < *bytes)
      return failure(address, "a dataset is cut off");
    array.data = array.data.take_front(*bytes);
  } else {
    uint64_t place = cursor.number(8), size = cursor.number(8);
    if (!cursor.good || size < *bytes)
      return failure(address, "a dataset is cut off");
    if (*bytes) {
      auto data = at(place, *bytes, "a dataset");
      if (!data)
        return data.takeError();
      array.data = *data;
    }
  }
  object.dataset = std::move(array);
  return Error::success();
}

bool Hdf5File::recognize(StringRef data) {
  return data.starts_with(kSignature);
}

Expected<std::unique_ptr<Hdf5File>> Hdf5File::open(Bytes file) {
  Cursor cursor(file.data);
  if (cursor.take(8) != kSignature)
    return createStringError("HDF5: not an HDF5 file");
  uint64_t version = cursor.number(1);
  uint64_t offsetBytes = 0, lengthBytes = 0, base = 0, root = 0;
  if (version <= 1) {
    cursor.take(4);
    offsetBytes = cursor.number(1);
    lengthBytes = cursor.number(1);
    cursor.take(1 + 4 + 4 + (version == 1 ? 4 : 0));
    base = cursor.number(8);
    cursor.take(8 * 3 + 8);
    root = cursor.number(8);
  } else if (version <= 3) {
    offsetBytes = cursor.number(1);
    lengthBytes = cursor.number(1);
    cursor.take(1);
    base = cursor.number(8);
    cursor.take(8 * 2);
    root = cursor.number(8);
  } else {
    return createStringError("HDF5: a file of version " + Twine(version));
  }
  if (!cursor.good)
    return createStringError("HDF5: the file is cut off");
  if (offsetBytes != 8 || lengthBytes != 8 || base != 0)
    return createStringError("HDF5: offsets of " + Twine(offsetBytes) +
                             " bytes from " + Twine(base) +
                             ", expected 8 bytes from 0");
  std::unique_ptr<Hdf5File> result(new Hdf5File(std::move(file)));
  result->root = root;
  return result;
}

Expected<const Hdf5Object *> Hdf5File::find(StringRef path) {
  uint64_t address = root;
  SmallVector<StringRef> names;
  path.split(names, '/', -1, /*KeepEmpty=*/false);
  for (size_t i = 0;; ++i) {
    auto [known, isNew] = objects.try_emplace(address);
    if (isNew)
      if (Error error = Parser(file.data, known->second).parse(address)) {
        objects.erase(known);
        return error;
      }
    if (i == names.size())
      return &known->second;
    auto child = known->second.children.find(names[i].str());
    if (child == known->second.children.end())
      return nullptr;
    address = child->second;
  }
}

/// An element of a global heap.
static Expected<StringRef> heapElement(StringRef file, uint64_t place,
                                       uint64_t index) {
  if (place > file.size() || file.size() - place < 16 ||
      !file.substr(place).starts_with("GCOL"))
    return failure(place, "expected a heap");
  Cursor cursor(
      file.substr(place, read64le(file.data() + place + 8)).drop_front(16));
  while (cursor.left() >= 16) {
    uint64_t own = cursor.number(2);
    cursor.take(6);
    uint64_t size = cursor.number(8);
    StringRef data = cursor.take(size);
    if (!cursor.good || own == 0)
      break;
    if (own == index)
      return data;
    cursor.take(std::min<uint64_t>((8 - size % 8) % 8, cursor.left()));
  }
  return failure(place, "there is no element " + Twine(index) + " in the heap");
}

Expected<std::vector<std::string>> Hdf5File::texts(const Hdf5Object &object,
                                                   StringRef attribute) {
  std::vector<std::string> result;
  auto found = object.attributes.find(attribute.str());
  if (found == object.attributes.end())
    return result;
  const Hdf5Array &array = found->second;
  if (array.data.empty()) // of no elements, whose type says nothing
    return result;
  bool variable = array.type.kind == Hdf5Type::VariableText;
  if ((!variable && array.type.kind != Hdf5Type::Text) ||
      (variable && array.type.size != 16))
    return createStringError("HDF5: attribute '" + attribute +
                             "' is not a text");
  for (uint64_t at = 0; at < array.data.size(); at += array.type.size) {
    StringRef element = array.data.substr(at, array.type.size);
    if (variable) {
      uint64_t length = read32le(element.data()),
               place = read64le(element.data() + 4),
               index = read32le(element.data() + 12);
      if (!length) {
        result.emplace_back();
        continue;
      }
      auto data = heapElement(file.data, place, index);
      if (!data)
        return data.takeError();
      if (data->size() < length)
        return failure(place, "a text is cut off");
      element = data->take_front(length);
    }
    result.push_back(element.take_until([](char c) { return !c; }).str());
  }
  return result;
}

} // namespace tenon::keras
