//===- TableReader.cpp - sorted tables of keys and values -----------------===//
//
// The format of LevelDB's files: blocks of entries whose keys share prefixes,
// an index block with the blocks' places, and a footer of 48 bytes.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/CheckpointReader.h"

#include "llvm/Support/Endian.h"

#include <array>

namespace tenon::tf {

namespace {
constexpr uint64_t kMagic = 0xdb4775248b80fb57;
constexpr size_t kFooterBytes = 48, kTrailerBytes = 5;

llvm::Error failureAt(size_t offset, const llvm::Twine &text) {
  return llvm::createStringError("offset " + llvm::Twine(offset) + ": " + text);
}

/// Takes numbers and bytes from the front of a piece of a file.
struct Cursor {
  llvm::ArrayRef<char> bytes;
  size_t offset; // of bytes in the file

  bool varint(uint64_t &value) {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes.empty())
        return false;
      uint8_t byte = bytes.front();
      bytes = bytes.drop_front();
      ++offset;
      value |= uint64_t(byte & 127) << shift;
      if (byte < 128)
        return true;
    }
    return false;
  }

  bool take(uint64_t count, llvm::StringRef &text) {
    if (count > bytes.size())
      return false;
    text = {bytes.data(), size_t(count)};
    bytes = bytes.drop_front(count);
    offset += count;
    return true;
  }
};

struct Handle {
  uint64_t offset = 0, size = 0;
  bool read(Cursor &cursor) {
    return cursor.varint(offset) && cursor.varint(size);
  }
};

/// The contents of a block without its trailer and restart points.
llvm::Expected<Cursor> readBlock(llvm::ArrayRef<char> file, Handle handle) {
  if (handle.offset > file.size() || handle.size > file.size() ||
      file.size() - handle.offset < kTrailerBytes ||
      handle.size > file.size() - handle.offset - kTrailerBytes)
    return failureAt(handle.offset, "a block of " + llvm::Twine(handle.size) +
                                        " bytes ends outside the file");
  llvm::ArrayRef<char> block = file.slice(handle.offset, handle.size + 1);
  uint32_t stored = llvm::support::endian::read32le(block.end());
  if (!crcFits(crc32c(block), stored))
    return failureAt(handle.offset, "the check sum of a block is wrong");
  if (block.back() != 0)
    return failureAt(handle.offset, "a compressed block");
  block = block.drop_back();
  if (block.size() < 4)
    return failureAt(handle.offset, "a block without restart points");
  uint64_t restarts = llvm::support::endian::read32le(block.end() - 4);
  if ((block.size() - 4) / 4 < restarts)
    return failureAt(handle.offset, "impossible number of restart points");
  return Cursor{block.drop_back(4 + 4 * restarts), size_t(handle.offset)};
}

llvm::Error
forEachEntry(Cursor cursor,
             llvm::function_ref<llvm::Error(llvm::StringRef key,
                                            llvm::StringRef value, size_t at)>
                 visit) {
  std::string key;
  while (!cursor.bytes.empty()) {
    size_t at = cursor.offset;
    uint64_t shared, own, size;
    llvm::StringRef rest, value;
    if (!cursor.varint(shared) || !cursor.varint(own) || !cursor.varint(size) ||
        shared > key.size() || !cursor.take(own, rest) ||
        !cursor.take(size, value))
      return failureAt(at, "a malformed entry");
    key.resize(shared);
    key += rest;
    if (llvm::Error error = visit(key, value, at))
      return error;
  }
  return llvm::Error::success();
}

std::array<uint32_t, 256> makeCrcTable() {
  std::array<uint32_t, 256> table;
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    table[i] = crc;
  }
  return table;
}

uint32_t crcByTable(uint32_t crc, const char *data, size_t size) {
  static const std::array<uint32_t, 256> table = makeCrcTable();
  for (size_t i = 0; i < size; ++i)
    crc = table[(crc ^ uint8_t(data[i])) & 255] ^ crc >> 8;
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
uint32_t crcByInstruction(uint32_t crc, const char *data, size_t size) {
  uint64_t wide = crc;
  for (; size >= 8; data += 8, size -= 8)
    wide = __builtin_ia32_crc32di(wide, llvm::support::endian::read64le(data));
  crc = uint32_t(wide);
  for (; size; ++data, --size)
    crc = __builtin_ia32_crc32qi(crc, uint8_t(*data));
  return crc;
}
#endif
} // namespace

uint32_t crc32c(llvm::ArrayRef<char> bytes) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2"))
    return ~crcByInstruction(~0u, bytes.data(), bytes.size());
#endif
  return ~crcByTable(~0u, bytes.data(), bytes.size());
}

uint32_t maskCrc(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; }

bool crcFits(uint32_t crc, uint32_t stored) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  return true;
#endif
  return maskCrc(crc) == stored;
}

llvm::Expected<std::map<std::string, std::string>>
readTable(llvm::ArrayRef<char> file) {
  if (file.size() < kFooterBytes)
    return failureAt(file.size(), "too short for a table");
  size_t at = file.size() - kFooterBytes;
  if (llvm::support::endian::read64le(file.end() - 8) != kMagic)
    return failureAt(file.size() - 8, "not a table: wrong magic number");
  Cursor footer{file.slice(at, kFooterBytes - 8), at};
  Handle meta, index;
  if (!meta.read(footer) || !index.read(footer))
    return failureAt(at, "a malformed footer");

  std::map<std::string, std::string> entries;
  size_t covered = 0, keyBytes = 0; // of data blocks
  auto indexBlock = readBlock(file, index);
  if (!indexBlock)
    return indexBlock.takeError();
  auto addEntry = [&](llvm::StringRef key, llvm::StringRef value,
                      size_t place) -> llvm::Error {
    // Sorted input makes the hint right; anything else is not a table.
    if (!entries.empty() && key <= entries.rbegin()->first)
      return failureAt(place, "keys are out of order");
    // Every sixteenth key of a block, at least, is written in full.
    keyBytes += key.size();
    if (keyBytes > 32 * file.size())
      return failureAt(place, "keys that are longer than the file");
    entries.emplace_hint(entries.end(), key.str(), value.str());
    return llvm::Error::success();
  };
  auto addBlock = [&](llvm::StringRef, llvm::StringRef value,
                      size_t place) -> llvm::Error {
    Cursor cursor{{value.data(), value.size()}, place};
    Handle handle;
    if (!handle.read(cursor))
      return failureAt(place, "a malformed place of a block");
    // They stand in order, so that no byte is read a thousand times.
    if (handle.offset < covered)
      return failureAt(place, "a block begins before the end of another");
    covered = handle.offset + handle.size;
    auto block = readBlock(file, handle);
    if (!block)
      return block.takeError();
    return forEachEntry(*block, addEntry);
  };
  if (llvm::Error error = forEachEntry(*indexBlock, addBlock))
    return std::move(error);
  return entries;
}

} // namespace tenon::tf
