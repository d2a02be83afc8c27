//===- CheckpointReader.h - TensorFlow's V2 checkpoints -------------------===//
//
// A checkpoint is an index, a sorted table from names to places, and data files
// (shards) with the elements of one tensor after another.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_CHECKPOINTREADER_H
#define TENON_FRONTEND_TENSORFLOW_CHECKPOINTREADER_H

#include "frontend/FileMapping.h"
#include "frontend/tensorflow/GraphModel.h"

#include <map>

namespace tenon::tf {

/// CRC-32C of `bytes`, which the format stores masked.
uint32_t crc32c(llvm::ArrayRef<char> bytes);
uint32_t maskCrc(uint32_t crc);
/// Whether a stored check sum is that of bytes with the given CRC. Fuzzers take
/// any, to get behind it.
bool crcFits(uint32_t crc, uint32_t stored);

/// The entries of a sorted table file, in order of their keys. Keys and values
/// are copies.
///
/// Errors name the offset in the file: wrong magic number, a block outside the
/// file, a wrong check sum, keys out of order, compressed blocks.
llvm::Expected<std::map<std::string, std::string>>
readTable(llvm::ArrayRef<char> file);

/// The key of a part of tensor `name`.
std::string encodeSliceKey(llvm::StringRef name,
                           const tfproto::TensorSliceProto &slice);

class Checkpoint {
public:
  /// Reads `prefix`.index. Shards are mapped when first needed.
  static llvm::Expected<std::unique_ptr<Checkpoint>>
  open(const std::string &prefix);

  /// The tensor called `key`, whose bytes stay in the mapped file. Its check
  /// sum is verified.
  llvm::Expected<TensorData> read(llvm::StringRef key);

  /// The part of tensor `key` that `spec` ("4 2 0,2:-": sizes of the whole,
  /// begin and length in each dimension) names, as it was stored; all of it
  /// when `spec` is empty.
  llvm::Expected<TensorData> readSlice(llvm::StringRef key,
                                       llvm::StringRef spec);

private:
  llvm::Expected<llvm::ArrayRef<char>>
  bytesOf(const tfproto::BundleEntryProto &entry, FileMapping &shard);

  std::string prefix;
  int32_t shardCount = 0;
  std::map<std::string, tfproto::BundleEntryProto, std::less<>> entries;
  std::map<int32_t, FileMapping> shards;
};

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_CHECKPOINTREADER_H
