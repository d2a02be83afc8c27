//===- ZipReader.cpp - the entries of a zip archive -----------------------===//

#include "frontend/keras/ZipReader.h"

#include "llvm/Support/Endian.h"

#include <vector>
#include <zlib.h>

using namespace llvm;
using support::endian::read16le;
using support::endian::read32le;
using support::endian::read64le;

namespace tenon::keras {

namespace {
constexpr uint64_t kEndBytes = 22, kEnd64Bytes = 56, kLocatorBytes = 20,
                   kRecordBytes = 46, kHeaderBytes = 30;
constexpr uint64_t kBombBytes = uint64_t(1) << 30, kBombFactor = 100;

Error failure(const Twine &text) {
  return createStringError("zip archive: " + text);
}

/// The place of the record that ends the archive.
std::optional<uint64_t> findEnd(StringRef data) {
  if (data.size() < kEndBytes)
    return std::nullopt;
  uint64_t last = data.size() - kEndBytes;
  uint64_t first = last > UINT16_MAX ? last - UINT16_MAX : 0;
  for (uint64_t at = last + 1; at-- > first;)
    if (data.substr(at, 4) == StringRef("PK\5\6", 4) &&
        at + kEndBytes + read16le(data.data() + at + 20) == data.size())
      return at;
  return std::nullopt;
}

/// Replaces what did not fit 32 bits by the entry's extra field.
bool readWide(StringRef extra, ArrayRef<uint64_t *> wide) {
  while (extra.size() >= 4) {
    uint16_t kind = read16le(extra.data()), bytes = read16le(extra.data() + 2);
    extra = extra.drop_front(4);
    if (bytes > extra.size())
      return false;
    StringRef field = extra.take_front(bytes);
    extra = extra.drop_front(bytes);
    if (kind != 1)
      continue;
    for (uint64_t *value : wide) {
      if (*value != UINT32_MAX)
        continue;
      if (field.size() < 8)
        return false;
      *value = read64le(field.data());
      field = field.drop_front(8);
    }
  }
  return true;
}
} // namespace

Expected<ZipArchive> ZipArchive::open(Bytes file) {
  StringRef data = file.data;
  std::optional<uint64_t> end = findEnd(data);
  if (!end)
    return failure("its end is missing; the file is cut off or damaged");
  const char *record = data.data() + *end;
  uint64_t count = read16le(record + 10), size = read32le(record + 12),
           begin = read32le(record + 16);
  if (read16le(record + 4) || read16le(record + 6))
    return failure("it is split into several files");
  if (*end >= kLocatorBytes &&
      data.substr(*end - kLocatorBytes, 4) == StringRef("PK\6\7", 4)) {
    uint64_t wide = read64le(record - kLocatorBytes + 8);
    if (wide > data.size() || data.size() - wide < kEnd64Bytes ||
        data.substr(wide, 4) != StringRef("PK\6\6", 4))
      return failure("its 64-bit end is outside the file");
    count = read64le(data.data() + wide + 32);
    size = read64le(data.data() + wide + 40);
    begin = read64le(data.data() + wide + 48);
  }
  if (begin > *end || size > *end - begin)
    return failure("the directory at offset " + Twine(begin) + " of " +
                   Twine(size) + " bytes is outside the file");
  ZipArchive archive;
  archive.file = std::move(file);
  if (Error error = archive.readDirectory(begin, size, count))
    return error;
  return archive;
}

Error ZipArchive::readDirectory(uint64_t begin, uint64_t size, uint64_t count) {
  StringRef rest = file.data.substr(begin, size);
  for (uint64_t i = 0; i < count; ++i) {
    auto broken = [&] {
      return failure("entry " + Twine(i) + " of the directory is damaged");
    };
    if (rest.size() < kRecordBytes ||
        rest.take_front(4) != StringRef("PK\1\2", 4))
      return broken();
    const char *record = rest.data();
    Entry entry;
    uint16_t flags = read16le(record + 8);
    entry.method = read16le(record + 10);
    entry.checksum = read32le(record + 16);
    entry.packed = read32le(record + 20);
    entry.size = read32le(record + 24);
    entry.header = read32le(record + 42);
    uint64_t name = read16le(record + 28), extra = read16le(record + 30),
             comment = read16le(record + 32);
    rest = rest.drop_front(kRecordBytes);
    if (rest.size() < name + extra + comment)
      return broken();
    std::string text = rest.take_front(name).str();
    if (!readWide(rest.substr(name, extra),
                  {&entry.size, &entry.packed, &entry.header}))
      return broken();
    rest = rest.drop_front(name + extra + comment);
    if (flags & 1)
      return failure("entry '" + text + "' is encrypted");
    if (!entries.try_emplace(text, entry).second)
      return failure("there are two entries '" + text + "'");
  }
  return Error::success();
}

Expected<Bytes> ZipArchive::read(StringRef name) const {
  auto found = entries.find(name.str());
  if (found == entries.end())
    return failure("there is no entry '" + name + "'");
  const Entry &entry = found->second;
  auto wrong = [&](const Twine &text) {
    return failure("entry '" + name + "' " + text);
  };
  StringRef data = file.data;
  if (entry.header > data.size() || data.size() - entry.header < kHeaderBytes ||
      data.substr(entry.header, 4) != StringRef("PK\3\4", 4))
    return wrong("has no header at offset " + Twine(entry.header));
  const char *header = data.data() + entry.header;
  uint64_t begin = entry.header + kHeaderBytes + read16le(header + 26) +
                   read16le(header + 28);
  if (begin > data.size() || entry.packed > data.size() - begin)
    return wrong("of " + Twine(entry.packed) + " bytes at offset " +
                 Twine(begin) + " is outside the file");
  StringRef packed = data.substr(begin, entry.packed);
  auto checked = [&](StringRef bytes) {
    uLong sum = crc32(0, nullptr, 0);
    sum = crc32_z(sum, reinterpret_cast<const Bytef *>(bytes.data()),
                  bytes.size());
    return sum == entry.checksum;
  };
  if (entry.method == 0) {
    if (entry.packed != entry.size || !checked(packed))
      return wrong("is damaged");
    return Bytes{packed, file.owner};
  }
  if (entry.method != 8)
    return wrong("is compressed by method " + Twine(entry.method) +
                 ", expected a stored or deflated one");
  if (entry.size > kBombBytes && entry.size / kBombFactor > entry.packed)
    return wrong("of " + Twine(entry.packed) + " bytes would expand to " +
                 Twine(entry.size));
  // Deflate cannot do better than this.
  if (entry.size / 1040 > entry.packed + 1)
    return wrong("is damaged");
  auto memory = std::make_shared<std::vector<char>>(entry.size);
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return wrong("cannot be expanded");
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
  stream.next_out = reinterpret_cast<Bytef *>(memory->data());
  uint64_t in = packed.size(), out = entry.size;
  int status = Z_OK;
  while (status == Z_OK) { // zlib counts with 32 bits
    uInt give = uInt(std::min<uint64_t>(in, 1u << 30)),
         take = uInt(std::min<uint64_t>(out, 1u << 30));
    stream.avail_in = give;
    stream.avail_out = take;
    status = inflate(&stream, Z_NO_FLUSH);
    in -= give - stream.avail_in;
    out -= take - stream.avail_out;
    if (status == Z_OK && give == stream.avail_in && take == stream.avail_out)
      break;
  }
  inflateEnd(&stream);
  StringRef bytes(memory->data(), memory->size());
  if (status != Z_STREAM_END || out || !checked(bytes))
    return wrong("is damaged");
  return Bytes{bytes, memory};
}

} // namespace tenon::keras
