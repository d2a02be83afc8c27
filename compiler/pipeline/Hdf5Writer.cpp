// The HDF5 File Format Specification, version 3.0: II.A (superblock), IV.A
// (object headers and their messages).
#include "compiler/pipeline/Hdf5Writer.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include <map>

namespace tenon {
namespace {

constexpr uint64_t kUndefined = ~uint64_t(0);

class Bytes {
public:
  Bytes &number(uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
      text += char(value >> 8 * i);
    return *this;
  }
  Bytes &add(llvm::StringRef more) {
    text += more;
    return *this;
  }
  std::string text;
};

/// The check sum of all metadata: Bob Jenkins's lookup3.
uint32_t computeChecksum(llvm::StringRef bytes) {
  uint32_t a = 0xdeadbeef + uint32_t(bytes.size()), b = a, c = a;
  auto rotate = [](uint32_t value, int by) { return llvm::rotl(value, by); };
  auto take = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4 && at + i < bytes.size(); ++i)
      value |= uint32_t(uint8_t(bytes[at + i])) << 8 * i;
    return value;
  };
  while (bytes.size() > 12) {
    a += take(0), b += take(4), c += take(8);
    a -= c, a ^= rotate(c, 4), c += b;
    b -= a, b ^= rotate(a, 6), a += c;
    c -= b, c ^= rotate(b, 8), b += a;
    a -= c, a ^= rotate(c, 16), c += b;
    b -= a, b ^= rotate(a, 19), a += c;
    c -= b, c ^= rotate(b, 4), b += a;
    bytes = bytes.drop_front(12);
  }
  if (bytes.empty())
    return c;
  a += take(0), b += take(4), c += take(8);
  c ^= b, c -= rotate(b, 14);
  a ^= c, a -= rotate(c, 11);
  b ^= a, b -= rotate(a, 25);
  c ^= b, c -= rotate(b, 16);
  a ^= c, a -= rotate(c, 4);
  b ^= a, b -= rotate(a, 14);
  c ^= b, c -= rotate(b, 24);
  return c;
}

void addMessage(Bytes &header, unsigned type, llvm::StringRef body) {
  header.number(type, 1).number(body.size(), 2).number(0, 1).add(body);
}

std::string finishObject(llvm::StringRef messages) {
  // Flags 2: the length takes four bytes, no times and phases follow.
  Bytes object;
  object.add("OHDR").number(2, 1).number(2, 1).number(messages.size(), 4);
  object.add(messages);
  return object.number(computeChecksum(object.text), 4).text;
}

/// A group, or with a dataset that.
struct Node {
  std::map<std::string, Node> children;
  const Hdf5Dataset *dataset = nullptr;
  uint64_t address = 0, data = kUndefined;

  std::string write() const { return dataset ? writeDataset() : writeGroup(); }
  /// Gives all objects addresses, from `next` on.
  void place(uint64_t &next) {
    address = next;
    next += write().size();
    for (auto &[name, child] : children)
      child.place(next);
  }
  void writeAll(Bytes &file) const {
    file.add(write());
    for (const auto &[name, child] : children)
      child.writeAll(file);
  }

private:
  std::string writeGroup() const {
    Bytes messages;
    // Links stand here, neither in a heap nor in a tree.
    addMessage(messages, 0x02,
               Bytes().number(0, 2).number(~0ull, 8).number(~0ull, 8).text);
    addMessage(messages, 0x0a, Bytes().number(0, 2).text);
    for (const auto &[name, child] : children) {
      bool isLong = name.size() > 255;
      addMessage(messages, 0x06,
                 Bytes()
                     .number(1, 1)
                     .number(isLong, 1)
                     .number(name.size(), isLong ? 2 : 1)
                     .add(name)
                     .number(child.address, 8)
                     .text);
    }
    return finishObject(messages.text);
  }

  std::string writeDataset() const {
    DType type = getStoredType(dataset->dtype);
    uint64_t bytes = type.bits / 8;
    Bytes messages, space, elements, layout;
    space.number(2, 1).number(dataset->shape.size(), 1).number(0, 1);
    space.number(!dataset->shape.empty(), 1);
    for (int64_t size : dataset->shape) {
      space.number(size, 8);
      bytes *= uint64_t(size);
    }
    addMessage(messages, 0x01, space.text);
    addType(elements, type);
    addMessage(messages, 0x03, elements.text);
    // Filled never: the elements are there.
    addMessage(messages, 0x05, Bytes().number(3, 1).number(0x0a, 1).text);
    layout.number(3, 1).number(1, 1);
    layout.number(bytes ? data : kUndefined, 8).number(bytes, 8);
    addMessage(messages, 0x08, layout.text);
    return finishObject(messages.text);
  }

  static void addType(Bytes &out, DType type) {
    if (type.code != kDTypeFloat) {
      out.number(0x10, 1).number(type.code == kDTypeInt ? 8 : 0, 3);
      out.number(type.bits / 8, 4).number(0, 2).number(type.bits, 2);
      return;
    }
    unsigned exponent = type.bits == 16 ? 5 : type.bits == 32 ? 8 : 11;
    unsigned mantissa = type.bits - 1 - exponent;
    // Bits of the class: the first one of the mantissa is not stored; where
    // the sign is.
    out.number(0x11, 1).number(0x20, 1).number(type.bits - 1, 1).number(0, 1);
    out.number(type.bits / 8, 4).number(0, 2).number(type.bits, 2);
    out.number(mantissa, 1).number(exponent, 1).number(0, 1);
    out.number(mantissa, 1).number((1u << (exponent - 1)) - 1, 4);
  }
};

} // namespace

DType getStoredType(DType dtype) {
  if (dtype.code == kDTypeBFloat)
    return {kDTypeFloat, 32};
  return dtype.code == kDTypeBool ? DType{kDTypeUInt, 8} : dtype;
}

std::string makeHdf5Header(llvm::ArrayRef<Hdf5Dataset> datasets) {
  constexpr uint64_t superblock = 48;
  Node root;
  std::vector<Node *> nodes;
  for (const Hdf5Dataset &dataset : datasets) {
    Node *node = &root;
    for (llvm::StringRef name : llvm::split(dataset.path, '/'))
      node = &node->children[name.str()];
    node->dataset = &dataset;
    nodes.push_back(node);
  }
  uint64_t end = superblock;
  root.place(end);
  uint64_t start = end = llvm::alignTo(end, 8);
  for (Node *node : nodes) {
    node->data = end;
    uint64_t bytes = getStoredType(node->dataset->dtype).bits / 8;
    for (int64_t size : node->dataset->shape)
      bytes *= uint64_t(size);
    end += llvm::alignTo(bytes, 8);
  }
  Bytes file;
  file.add("\x89HDF\r\n\x1a\n").number(2, 1).number(8, 1).number(8, 1);
  file.number(0, 1).number(0, 8).number(kUndefined, 8);
  file.number(end, 8).number(superblock, 8);
  file.number(computeChecksum(file.text), 4);
  root.writeAll(file);
  file.text.resize(start);
  return file.text;
}

} // namespace tenon
