//===- Artifact.h - the compile result that the CPU backend writes out ----===//
//
// The contract between the pipeline and the backend: everything that an
// artifact contains, in memory, before LLVM sees it. Weights are the exception:
// they are functions that produce their bytes directly in the output file.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_BACKEND_CPU_ARTIFACT_H
#define TENON_COMPILER_BACKEND_CPU_ARTIFACT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tenon {

/// DLPack's type codes, and Tenon's own for strings (see tenon/abi.h).
inline constexpr uint8_t kDTypeInt = 0, kDTypeUInt = 1, kDTypeFloat = 2,
                         kDTypeBFloat = 4, kDTypeComplex = 5, kDTypeBool = 6,
                         kDTypeString = 3;

/// Element type as in DLPack: code and bits (see tenon/abi.h). Lanes are 1.
struct DType {
  uint8_t code = 0;
  uint8_t bits = 0;
  bool operator==(const DType &) const = default;
};

/// The DType of an MLIR element type: f16/bf16/f32/f64, i1 (bool), signless and
/// unsigned integers of 8 to 64 bits, complex<f32|f64>, or !graph.string.
/// std::nullopt for any other type.
std::optional<DType> getDType(mlir::Type elementType);

/// NumPy's name of a dtype: "float32", "bool", "bfloat16", "str", ...
llvm::StringRef getDTypeName(DType dtype);

/// What an input is when the caller leaves it out.
struct DefaultValue {
  std::vector<int64_t> shape;
  std::string bytes; // dense, row-major, little-endian; bool as one byte
  std::vector<std::string> strings; // elements of a string tensor instead
  bool operator==(const DefaultValue &) const = default;
};

/// An input or output of an entry point, or a variable's value.
struct TensorInfo {
  std::string name;
  DType dtype;
  /// >= 0: that size. -1-k: the size of symbol k of ArtifactSpec::symbols.
  std::vector<int64_t> shape;
  /// Inputs only: the value used when the input is left out.
  std::optional<DefaultValue> defaultValue;

  bool isStatic() const;
  bool operator==(const TensorInfo &) const = default;
};

struct EntryInfo {
  std::string name; // as in the model, e.g. "serving_default"
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  /// Arena bytes a call needs; for dynamic shapes the static part of it.
  uint64_t arenaBytes = 0;
  /// Touches no instance at all (no arena, weights, state, runtime call or
  /// dispatch): NULL is accepted in its place.
  bool stateless = false;
  /// The modules of variant 0 also define "<entry symbol>_reserve", of type
  /// i64 (ptr dims): the arena bytes that a call needs whose inputs have these
  /// dimensions (those of all inputs, in order). Gives <name>_<entry>_reserve.
  bool hasReserve = false;
  /// Another entry whose code this one has, too.
  std::optional<unsigned> sameAs = std::nullopt;
};

struct VariableInfo {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  uint64_t stateOffset = 0;
  uint64_t bytes = 0;
  /// Offset of the first value in the weights; -1: not initialised at start;
  /// -2: zeros.
  int64_t initial = -1;
  /// Offset in the state of the byte that says whether it is initialised.
  uint64_t flagOffset = 0;
  /// The state of random numbers, which checkpoints leave out; without a first
  /// value it starts with random bytes.
  bool generator = false;
  /// Where a Keras file has it: "layers/dense/vars/0". Empty: nowhere.
  std::string place;
};

/// What a training program makes a Keras file of, beside the variables' values.
struct ArchiveInfo {
  std::string config, metadata; // the archive's JSON files
  /// The weights file up to its arrays (Hdf5Writer.h), and which variables
  /// those are.
  std::string header;
  std::vector<int32_t> variables;
};

/// Bytes [offset, offset + bytes) of the weights. `write` fills the memory it
/// is handed (zero at first), which is a window of the output file: it may be
/// called from any thread, at the same time as the `write` of other pieces, and
/// more than once when several outputs are made.
struct WeightPiece {
  uint64_t offset = 0; // 64-aligned, ascending, pieces do not overlap
  uint64_t bytes = 0;
  std::function<void(llvm::MutableArrayRef<char>)> write;
};

/// One CPU version of the code.
struct CodeVariant {
  /// 0: any machine (named or native CPU, or cross), else the x86-64 level 2-4.
  uint32_t level = 0;
  std::string cpu;      // LLVM's name: "x86-64-v3", "znver4", ...
  std::string features; // LLVM's feature string, may be empty: "+avx2,-..."
  /// Widest vector that the code uses on purpose (prefer-vector-width).
  unsigned vectorBits = 128;
  /// Of the entries that launch kernels on a GPU.
  bool isForDevice = false;
};

/// What a GPU runs: kernels, and an image of them all for each architecture.
struct DeviceSpec {
  struct Image {
    std::string architecture; // "sm_80"
    std::string bytes;        // PTX, a text that ends in a zero
  };
  std::vector<std::string> kernels; // by number
  std::vector<Image> images;        // the newest first
};

/// A module in the LLVM dialect. The backend cuts large modules into units by
/// itself, so one per variant is right; functions may call each other across
/// the modules of the same variant when they have external linkage.
struct CodeUnit {
  unsigned variant = 0; // index into ArtifactSpec::variants
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

struct ArtifactSpec {
  std::string name; // prefix of all C symbols; made a C identifier when used
  std::string triple = "x86_64-unknown-linux-gnu"; // one that findPlatform has
  std::vector<EntryInfo> entries;
  std::vector<VariableInfo> variables;
  std::vector<std::string> symbols;  // names of the symbolic dimensions
  std::vector<std::string> failures; // message templates of tenon_fail's sites
  std::vector<std::string> kernels;  // profile names, by kernel_id
  std::optional<ArchiveInfo> archive;
  uint64_t arenaBytes = 0; // what create() reserves: the maximum
  uint64_t stateBytes = 0;
  uint64_t weightsBytes = 0;
  uint64_t zerosBytes = 0; // how much of instance->zeros the code reads
  bool parallel = true;    // false: no entry ever dispatches several tasks
  bool isTraining = false; // an executable has the commands fit and evaluate
  std::vector<WeightPiece> weights;
  std::vector<CodeVariant> variants;
  std::vector<CodeUnit> units;
  std::optional<DeviceSpec> device;
  /// Functions of the first variant that the others call.
  std::vector<std::string> shared;
  /// What line numbers in debug information count in: a node per line. Made
  /// with the code, empty without debug information.
  std::string nodes;
};

/// C identifiers for `names`, in order: other characters become '_', a leading
/// digit gets a '_' before it and a keyword one behind it, clashes with each
/// other and with `reserved` get the first free number from 1.
std::vector<std::string>
makeIdentifiers(llvm::ArrayRef<std::string> names,
                llvm::ArrayRef<llvm::StringRef> reserved = {});

/// The prefix of the model's C symbols, and the C names of its entries.
std::string getModelIdentifier(const ArtifactSpec &spec);
std::vector<std::string> getEntryIdentifiers(const ArtifactSpec &spec);

/// What tells the symbols of a variant from those of others: "__v<level>", or
/// "__cuda".
std::string getVariantSuffix(const CodeVariant &variant);

/// The symbol that the LLVM dialect function of entry `entry` must have in the
/// modules of variant `variant`: "<name>_<entry><suffix>". Its type is
/// tenon_entry_fn: i32 (ptr instance, ptr inputs, ptr outputs, ptr dims).
/// Entries with the same code have the same symbol.
std::string getEntrySymbol(const ArtifactSpec &spec, unsigned entry,
                           unsigned variant);

} // namespace tenon

#endif // TENON_COMPILER_BACKEND_CPU_ARTIFACT_H
