//===- CheckpointSlices.cpp - tensors that are stored in parts ------------===//
//
// A partitioned variable's parts are entries of their own. Their keys are made
// of the tensor's name and the part's place, in an encoding whose order as text
// is the order of the values.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/CheckpointReader.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"

#include <bit>
#include <cstring>

namespace tenon::tf {

namespace {
/// Number of significant bytes, then these.
void appendUnsigned(std::string &key, uint64_t value) {
  char bytes[8];
  llvm::support::endian::write64be(bytes, value);
  size_t length = (std::bit_width(value) + 7) / 8;
  key += char(length);
  key.append(bytes + 8 - length, length);
}

/// 0 and 255 are escaped, 0 1 ends the text.
void appendText(std::string &key, llvm::StringRef text) {
  for (char c : text) {
    key += c;
    if (c == '\0')
      key += '\xff';
    else if (c == '\xff')
      key += '\0';
  }
  key.append("\0\1", 2);
}

/// As many leading ones as there are bytes; a byte holds 7 bits.
void appendSigned(std::string &key, int64_t value) {
  uint64_t magnitude = value < 0 ? ~uint64_t(value) : uint64_t(value);
  size_t length = std::bit_width(magnitude) / 7 + 1;
  unsigned char bytes[10];
  bytes[0] = bytes[1] = value < 0 ? 0xff : 0;
  llvm::support::endian::write64be(bytes + 2, uint64_t(value));
  unsigned char *first = bytes + 10 - length;
  uint16_t header = length == 10  ? 0xffc0
                    : length == 9 ? 0xff80
                                  : uint16_t(0xff00 << (8 - length)) & 0xff00;
  first[0] ^= header >> 8;
  if (length > 1)
    first[1] ^= header & 0xff;
  key.append(reinterpret_cast<char *>(first), length);
}

using Ranges = std::vector<std::pair<int64_t, int64_t>>;

/// Reads "4 2 0,2:-": the whole tensor's sizes, then begin and length of each
/// dimension. False when that is no part of a tensor of the given shape.
bool parseSpec(llvm::StringRef text, Ranges &ranges,
               const tfproto::TensorShapeProto &shape) {
  llvm::SmallVector<llvm::StringRef> words, parts;
  text.split(words, ' ');
  words.back().split(parts, ':');
  if (words.size() != parts.size() + 1 || int(parts.size()) != shape.dim_size())
    return false;
  for (size_t i = 0; i < parts.size(); ++i) {
    int64_t size, begin = 0, length;
    if (words[i].getAsInteger(10, size) || size != shape.dim(i).size())
      return false;
    length = size;
    auto [first, second] = parts[i].split(',');
    if (parts[i] != "-" &&
        (first.getAsInteger(10, begin) || second.getAsInteger(10, length) ||
         begin < 0 || length < 0 || begin > size || length > size - begin))
      return false;
    ranges.push_back({begin, length});
  }
  return true;
}

/// The part of a tensor that is stored as a whole.
TensorData cut(TensorData whole, const Ranges &ranges) {
  TensorData part = whole;
  std::vector<int64_t> steps(ranges.size() + 1, 1); // in elements
  int64_t count = 1;
  for (size_t d = ranges.size(); d--;) {
    steps[d] = steps[d + 1] * whole.shape[d];
    part.shape[d] = ranges[d].second;
    count *= part.shape[d];
  }
  if (part.shape == whole.shape)
    return part;
  size_t unit = elementBytes(whole.dtype);
  auto bytes = std::make_shared<std::vector<char>>(size_t(count) * unit);
  part.strings.clear();
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i, source = 0;
    for (size_t d = ranges.size(); d--; rest /= part.shape[d])
      source += (ranges[d].first + rest % part.shape[d]) * steps[d + 1];
    if (unit)
      memcpy(bytes->data() + size_t(i) * unit,
             whole.bytes.data() + size_t(source) * unit, unit);
    else
      part.strings.push_back(whole.strings[source]);
  }
  part.bytes = {bytes->data(), bytes->size()};
  part.owner = bytes;
  return part;
}
} // namespace

std::string encodeSliceKey(llvm::StringRef name,
                           const tfproto::TensorSliceProto &slice) {
  std::string key;
  appendUnsigned(key, 0);
  appendText(key, name);
  appendUnsigned(key, slice.extent_size());
  for (const auto &extent : slice.extent()) {
    bool all = extent.has_length_case() == extent.HAS_LENGTH_NOT_SET;
    appendSigned(key, all ? 0 : extent.start());
    appendSigned(key, all ? -1 : extent.length());
  }
  return key;
}

llvm::Expected<TensorData> Checkpoint::readSlice(llvm::StringRef name,
                                                 llvm::StringRef spec) {
  auto found = entries.find(name.str());
  if (spec.empty() || found == entries.end())
    return read(name);
  std::vector<std::pair<int64_t, int64_t>> wanted;
  const tfproto::BundleEntryProto &whole = found->second;
  bool fits = parseSpec(spec, wanted, whole.shape());
  if (fits && !whole.slices_size()) {
    auto tensor = read(name);
    return tensor ? cut(std::move(*tensor), wanted) : std::move(tensor);
  }
  if (fits)
    for (const tfproto::TensorSliceProto &slice : whole.slices()) {
      bool same = slice.extent_size() == int(wanted.size());
      for (int i = 0; same && i < slice.extent_size(); ++i) {
        const auto &extent = slice.extent(i);
        bool all = extent.has_length_case() == extent.HAS_LENGTH_NOT_SET;
        std::pair<int64_t, int64_t> range = {all ? 0 : extent.start(),
                                             all ? whole.shape().dim(i).size()
                                                 : extent.length()};
        same = range == wanted[i];
      }
      if (same)
        return read(encodeSliceKey(name, slice));
    }
  return llvm::createStringError("checkpoint '" + prefix + "' has no part '" +
                                 spec + "' of tensor '" + name + "'");
}

} // namespace tenon::tf
