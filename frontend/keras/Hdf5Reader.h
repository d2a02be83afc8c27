//===- Hdf5Reader.h - the HDF5 files that Keras writes --------------------===//
//
// A reader of its own for the part of HDF5 that h5py uses by default: the
// library is not made for hostile files, and tensors read here stay in the
// memory of the mapped file.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_KERAS_HDF5READER_H
#define TENON_FRONTEND_KERAS_HDF5READER_H

#include "frontend/keras/Bytes.h"

#include "llvm/Support/Error.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tenon::keras {

/// What elements of a dataset or attribute are.
struct Hdf5Type {
  enum Kind {
    Signed,
    Unsigned,
    Float,
    BFloat,
    Bool,
    Text,
    VariableText,
    Other
  };
  Kind kind = Other;
  uint64_t size = 0; // bytes of an element
};

/// An array: elements in row-major order, little-endian, where the file has
/// them.
struct Hdf5Array {
  Hdf5Type type;
  std::vector<int64_t> shape;
  llvm::StringRef data;
};

/// A group or a dataset.
struct Hdf5Object {
  std::map<std::string, uint64_t> children; // name -> address
  std::map<std::string, Hdf5Array> attributes;
  std::optional<Hdf5Array> dataset;
  /// Why there is no dataset, when the object has the messages of one.
  std::string unreadable;
};

class Hdf5File {
public:
  static bool recognize(llvm::StringRef data);

  /// Errors: not HDF5, or of a newer kind than 64-bit offsets and lengths.
  static llvm::Expected<std::unique_ptr<Hdf5File>> open(Bytes file);

  /// The object at `path`, names separated by '/'; "" is the root. Null when
  /// there is none. Errors: damaged structures, by offset. Lives as long as
  /// the file.
  llvm::Expected<const Hdf5Object *> find(llvm::StringRef path);

  /// The texts of an attribute of any of the text types; none when the object
  /// does not have it.
  llvm::Expected<std::vector<std::string>> texts(const Hdf5Object &object,
                                                 llvm::StringRef attribute);

  const std::shared_ptr<const void> &owner() const { return file.owner; }

private:
  explicit Hdf5File(Bytes file) : file(std::move(file)) {}
  class Parser;

  Bytes file;
  uint64_t root = 0;
  std::map<uint64_t, Hdf5Object> objects; // by address
};

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_HDF5READER_H
