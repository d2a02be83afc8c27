//===- CheckpointReader.cpp - TensorFlow's V2 checkpoints -----------------===//

#include "frontend/tensorflow/CheckpointReader.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"

namespace tenon::tf {

namespace {
llvm::Error failure(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

/// Strings are stored as all lengths, a check sum of them, and all contents.
llvm::Error splitStrings(llvm::ArrayRef<char> bytes, int64_t count,
                         std::vector<std::string> &strings) {
  std::vector<uint64_t> lengths;
  size_t at = 0;
  uint64_t total = 0;
  for (int64_t i = 0; i < count; ++i) {
    uint64_t length = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
      if (at == bytes.size() || shift > 63)
        return failure("a malformed length of a string");
      byte = bytes[at++];
      length |= uint64_t(byte & 127) << shift;
      shift += 7;
    } while (byte >= 128);
    if (length > bytes.size())
      return failure("a string is longer than its tensor");
    total += length;
    lengths.push_back(length);
  }
  if (bytes.size() - at < 4 || bytes.size() - at - 4 != total)
    return failure("the lengths of strings do not add up");
  at += 4;
  for (uint64_t length : lengths) {
    strings.emplace_back(bytes.data() + at, length);
    at += length;
  }
  return llvm::Error::success();
}

/// The check sum of a string tensor covers lengths as 32-bit numbers and their
/// own check sum; the contents of each string are compared with it at the end.
uint32_t stringsCrc(const std::vector<std::string> &strings,
                    llvm::ArrayRef<char> bytes) {
  std::string covered;
  size_t contents = 0;
  for (const std::string &text : strings) {
    char length[8];
    size_t width = 4;
    if (text.size() <= UINT32_MAX) {
      llvm::support::endian::write32le(length, text.size());
    } else {
      llvm::support::endian::write64le(length, text.size());
      width = 8;
    }
    covered.append(length, width);
    contents += text.size();
  }
  llvm::ArrayRef<char> tail = bytes.take_back(contents + 4);
  covered.append(tail.data(), tail.size());
  return crc32c({covered.data(), covered.size()});
}
} // namespace

llvm::Expected<std::unique_ptr<Checkpoint>>
Checkpoint::open(const std::string &prefix) {
  std::string path = prefix + ".index";
  auto file = mapFile(path);
  if (!file)
    return file.takeError();
  llvm::StringRef text = (*file)->getBuffer();
  auto table = readTable({text.data(), text.size()});
  if (!table)
    return failure("'" + path + "': " + llvm::toString(table.takeError()));

  auto checkpoint = std::make_unique<Checkpoint>();
  checkpoint->prefix = prefix;
  auto header = table->find("");
  tfproto::BundleHeaderProto bundle;
  if (header == table->end() || !bundle.ParseFromString(header->second))
    return failure("'" + path + "': no header");
  if (bundle.endianness() != tfproto::BundleHeaderProto::LITTLE)
    return failure("'" + path + "': big-endian data is not supported");
  if (bundle.num_shards() <= 0 || bundle.num_shards() > 99999)
    return failure("'" + path + "': impossible number of shards: " +
                   llvm::Twine(bundle.num_shards()));
  checkpoint->shardCount = bundle.num_shards();
  table->erase(header);
  for (auto &[key, value] : *table) {
    tfproto::BundleEntryProto entry;
    if (!entry.ParseFromString(value))
      return failure("'" + path + "': malformed entry of '" + key + "'");
    checkpoint->entries.emplace_hint(checkpoint->entries.end(), key,
                                     std::move(entry));
  }
  return checkpoint;
}

llvm::Expected<llvm::ArrayRef<char>>
Checkpoint::bytesOf(const tfproto::BundleEntryProto &entry,
                    FileMapping &shard) {
  if (entry.shard_id() < 0 || entry.shard_id() >= shardCount)
    return failure("shard " + llvm::Twine(entry.shard_id()) + " of " +
                   llvm::Twine(shardCount));
  FileMapping &mapped = shards[entry.shard_id()];
  if (!mapped) {
    auto file = mapFile(prefix + llvm::formatv(".data-{0,0+5}-of-{1,0+5}",
                                               entry.shard_id(), shardCount)
                                     .str());
    if (!file)
      return file.takeError();
    mapped = *file;
  }
  shard = mapped;
  int64_t size = mapped->getBufferSize();
  if (entry.offset() < 0 || entry.size() < 0 || entry.offset() > size ||
      entry.size() > size - entry.offset())
    return failure("bytes " + llvm::Twine(entry.offset()) + " to " +
                   llvm::Twine(entry.offset()) + " + " +
                   llvm::Twine(entry.size()) + " of a file of " +
                   llvm::Twine(size));
  return llvm::ArrayRef<char>(mapped->getBufferStart() + entry.offset(),
                              size_t(entry.size()));
}

llvm::Expected<TensorData> Checkpoint::read(llvm::StringRef key) {
  auto found = entries.find(key.str());
  if (found == entries.end())
    return failure("checkpoint '" + prefix + "' has no tensor '" + key + "'");
  const tfproto::BundleEntryProto &entry = found->second;
  auto failed = [&](const llvm::Twine &text) {
    return failure("tensor '" + key + "' of checkpoint '" + prefix +
                   "': " + text);
  };
  if (entry.slices_size())
    return failed("it is stored in parts");
  FileMapping shard;
  auto bytes = bytesOf(entry, shard);
  if (!bytes)
    return failed(llvm::toString(bytes.takeError()));

  TensorData result;
  result.dtype = entry.dtype();
  if (entry.shape().unknown_rank())
    return failed("no shape");
  for (const auto &dim : entry.shape().dim())
    result.shape.push_back(dim.size());
  bool strings = result.dtype == DataType::DT_STRING;
  unsigned unit = strings ? 1 : elementBytes(result.dtype);
  if (!unit)
    return failed("elements of type " + dtypeName(result.dtype));
  std::optional<int64_t> count = elementCount(result.shape, unit);
  if (!count)
    return failed("an impossible shape");
  uint32_t crc;
  if (strings) {
    if (llvm::Error error = splitStrings(*bytes, *count, result.strings))
      return failed(llvm::toString(std::move(error)));
    crc = stringsCrc(result.strings, *bytes);
  } else {
    if (*count != entry.size())
      return failed("the shape needs " + llvm::Twine(*count) +
                    " bytes, the file has " + llvm::Twine(entry.size()));
    result.bytes = *bytes;
    result.owner = shard;
    crc = crc32c(*bytes);
  }
  if (!crcFits(crc, entry.crc32c()))
    return failed("the check sum is wrong: the file is damaged");
  return result;
}

} // namespace tenon::tf
