//===- Npz.h - NumPy's archives of arrays ---------------------------------===//

#ifndef TENON_COMPILER_TOOLS_TENON_NPZ_H
#define TENON_COMPILER_TOOLS_TENON_NPZ_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace tenon {

/// A NumPy array: bytes in C order and the machine's byte order.
struct Array {
  std::string name;
  char kind = 'f'; // NumPy's: b i u f c S; e: bfloat16
  unsigned itemSize = 4;
  std::vector<int64_t> shape;
  std::string bytes;

  size_t getCount() const { return itemSize ? bytes.size() / itemSize : 0; }
};

/// Reads all arrays of an .npz file (stored or deflated). The key NAME__bf16
/// with uint16 contents is the bfloat16 array NAME.
llvm::Expected<std::vector<Array>> readNpz(llvm::StringRef path);

} // namespace tenon

#endif // TENON_COMPILER_TOOLS_TENON_NPZ_H
