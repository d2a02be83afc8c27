//===- Hdf5Writer.h - what stands before the arrays of an HDF5 file -------===//

#ifndef TENON_COMPILER_PIPELINE_HDF5WRITER_H
#define TENON_COMPILER_PIPELINE_HDF5WRITER_H

#include "compiler/backend/cpu/Artifact.h"

namespace tenon {

/// An array of the file: "layers/dense/vars/0". Sizes are known.
struct Hdf5Dataset {
  llvm::StringRef path;
  DType dtype;
  llvm::ArrayRef<int64_t> shape;
};

/// The elements that a dataset has in the file, where there are no bfloat16
/// and no bool: f32 and bytes.
DType getStoredType(DType dtype);

/// The bytes of a file with these datasets, up to where their elements begin.
/// Those follow in the order given, row-major and little-endian, each dataset
/// filled up to a multiple of 8 bytes. Whoever knows the values writes them
/// there, without knowing HDF5: nothing in the header depends on them.
///
/// The format is that of HDF5 1.8 and later: version 2 of the superblock and
/// of object headers, links and layouts in the headers themselves.
std::string makeHdf5Header(llvm::ArrayRef<Hdf5Dataset> datasets);

} // namespace tenon

#endif // TENON_COMPILER_PIPELINE_HDF5WRITER_H
