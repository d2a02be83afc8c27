//===- Artifact.cpp - names and types of the compile result ---------------===//

#include "compiler/backend/cpu/Artifact.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using llvm::StringRef;

namespace tenon {

std::optional<DType> getDType(Type elementType) {
  if (elementType.isInteger(1))
    return DType{kDTypeBool, 8};
  if (auto integer = dyn_cast<IntegerType>(elementType)) {
    unsigned width = integer.getWidth();
    if (width != 8 && width != 16 && width != 32 && width != 64)
      return std::nullopt;
    return DType{integer.isUnsigned() ? kDTypeUInt : kDTypeInt,
                 static_cast<uint8_t>(width)};
  }
  if (elementType.isBF16())
    return DType{kDTypeBFloat, 16};
  if (elementType.isF16() || elementType.isF32() || elementType.isF64())
    return DType{kDTypeFloat,
                 static_cast<uint8_t>(elementType.getIntOrFloatBitWidth())};
  if (auto complex = dyn_cast<ComplexType>(elementType))
    if (complex.getElementType().isF32() || complex.getElementType().isF64())
      return DType{kDTypeComplex,
                   static_cast<uint8_t>(
                       2 * complex.getElementType().getIntOrFloatBitWidth())};
  if (elementType.getAbstractType().getName() == "graph.string")
    return DType{kDTypeString, 128};
  return std::nullopt;
}

StringRef getDTypeName(DType dtype) {
  struct Name {
    DType dtype;
    StringRef name;
  };
  static constexpr Name names[] = {
      {{kDTypeInt, 8}, "int8"},           {{kDTypeInt, 16}, "int16"},
      {{kDTypeInt, 32}, "int32"},         {{kDTypeInt, 64}, "int64"},
      {{kDTypeUInt, 8}, "uint8"},         {{kDTypeUInt, 16}, "uint16"},
      {{kDTypeUInt, 32}, "uint32"},       {{kDTypeUInt, 64}, "uint64"},
      {{kDTypeFloat, 16}, "float16"},     {{kDTypeFloat, 32}, "float32"},
      {{kDTypeFloat, 64}, "float64"},     {{kDTypeBFloat, 16}, "bfloat16"},
      {{kDTypeComplex, 64}, "complex64"}, {{kDTypeComplex, 128}, "complex128"},
      {{kDTypeBool, 8}, "bool"},          {{kDTypeString, 128}, "str"}};
  for (const Name &entry : names)
    if (entry.dtype == dtype)
      return entry.name;
  return "unknown";
}

bool TensorInfo::isStatic() const {
  return llvm::all_of(shape, [](int64_t dim) { return dim >= 0; });
}

static std::string makeIdentifier(StringRef name) {
  std::string id;
  for (char c : name)
    id += llvm::isAlnum(c) ? c : '_';
  if (id.empty() || llvm::isDigit(id.front()))
    id.insert(id.begin(), '_');
  static const llvm::StringSet<> keywords = {
      "alignas",  "alignof",  "and",      "asm",      "auto",      "bool",
      "break",    "case",     "catch",    "char",     "class",     "concept",
      "const",    "continue", "decltype", "default",  "delete",    "do",
      "double",   "else",     "enum",     "explicit", "export",    "extern",
      "false",    "float",    "for",      "friend",   "goto",      "if",
      "inline",   "int",      "long",     "mutable",  "namespace", "new",
      "noexcept", "not",      "nullptr",  "operator", "or",        "private",
      "public",   "register", "requires", "restrict", "return",    "short",
      "signed",   "sizeof",   "static",   "struct",   "switch",    "template",
      "this",     "throw",    "true",     "try",      "typedef",   "typeid",
      "typename", "typeof",   "union",    "unsigned", "using",     "virtual",
      "void",     "volatile", "wchar_t",  "while",    "xor"};
  if (keywords.contains(id))
    id += '_';
  return id;
}

static std::string makeUnique(std::string id, llvm::StringSet<> &taken) {
  if (taken.insert(id).second)
    return id;
  for (unsigned number = 1;; ++number) {
    std::string candidate = id + "_" + std::to_string(number);
    if (taken.insert(candidate).second)
      return candidate;
  }
}

std::vector<std::string> makeIdentifiers(llvm::ArrayRef<std::string> names,
                                         llvm::ArrayRef<StringRef> reserved) {
  llvm::StringSet<> taken;
  for (StringRef name : reserved)
    taken.insert(name);
  std::vector<std::string> ids;
  for (const std::string &name : names)
    ids.push_back(makeUnique(makeIdentifier(name), taken));
  return ids;
}

std::string getModelIdentifier(const ArtifactSpec &spec) {
  return makeIdentifier(spec.name);
}

std::vector<std::string> getEntryIdentifiers(const ArtifactSpec &spec) {
  std::vector<std::string> names;
  for (const EntryInfo &entry : spec.entries)
    names.push_back(entry.name);
  return makeIdentifiers(names,
                         {"create", "destroy", "error", "signature",
                          "get_variable", "set_variable", "save", "restore"});
}

std::string getVariantSuffix(const CodeVariant &variant) {
  return variant.isForDevice ? "__cuda" : "__v" + std::to_string(variant.level);
}

std::string getEntrySymbol(const ArtifactSpec &spec, unsigned entry,
                           unsigned variant) {
  entry = spec.entries[entry].sameAs.value_or(entry);
  return getModelIdentifier(spec) + "_" + getEntryIdentifiers(spec)[entry] +
         getVariantSuffix(spec.variants[variant]);
}

} // namespace tenon
