//===- Header.cpp - the C header beside an object or library --------------===//

#include "compiler/backend/cpu/Header.h"

#include "compiler/backend/cpu/Glue.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace tenon {

namespace {

struct CType {
  const char *name;
  unsigned count; // C elements per element
};

CType getCType(DType dtype) {
  switch (dtype.code) {
  case kDTypeBool:
    return {"bool", 1};
  case kDTypeInt:
    return {dtype.bits == 8    ? "int8_t"
            : dtype.bits == 16 ? "int16_t"
            : dtype.bits == 32 ? "int32_t"
                               : "int64_t",
            1};
  case kDTypeUInt:
    return {dtype.bits == 8    ? "uint8_t"
            : dtype.bits == 16 ? "uint16_t"
            : dtype.bits == 32 ? "uint32_t"
                               : "uint64_t",
            1};
  case kDTypeFloat: // float16 by its bits: C has no portable type
    return {dtype.bits == 16   ? "uint16_t"
            : dtype.bits == 32 ? "float"
                               : "double",
            1};
  case kDTypeComplex:
    return {dtype.bits == 64 ? "float" : "double", 2};
  case kDTypeString:
    return {"tenon_string", 1};
  default:
    return {"uint16_t", 1}; // bfloat16 by its bits
  }
}

/// "1 * 64", at least "1" because C has no empty arrays.
std::string getArraySize(const TensorInfo &info, unsigned count) {
  std::vector<std::string> factors;
  for (int64_t dim : info.shape) {
    if (dim == 0)
      return "1";
    factors.push_back(std::to_string(dim));
  }
  if (count != 1 || factors.empty())
    factors.push_back(std::to_string(count));
  return join(factors, " * ");
}

class HeaderWriter {
public:
  explicit HeaderWriter(const ArtifactSpec &spec)
      : spec(spec), id(getModelIdentifier(spec)), upper(StringRef(id).upper()),
        entries(getEntryIdentifiers(spec)),
        reserves(getReserveIdentifiers(spec)), os(text) {}

  std::string write() {
    os << "/* The functions of the model '" << escape(spec.name)
       << "'. Made by tenon; link with libtenon.a. */\n"
       << "#ifndef TENON_MODEL_" << upper << "_H\n#define TENON_MODEL_" << upper
       << "_H\n\n#include <stdbool.h>\n#include <stddef.h>\n#include "
          "<stdint.h>\n\n#include \"tenon/runtime.h\"\n\n"
       << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
    writeConstants();
    writeCommon();
    for (unsigned index = 0; index < spec.entries.size(); ++index)
      writeEntry(index);
    os << "#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n#endif /* "
          "TENON_MODEL_"
       << upper << "_H */\n";
    return std::move(text);
  }

private:
  /// Model names may hold anything; a comment must not end early.
  static std::string escape(StringRef name) {
    std::string result;
    for (char c : name)
      result += llvm::isPrint(c) && c != '*' ? c : '?';
    return result;
  }

  void writeConstants() {
    if (llvm::all_of(spec.entries, isStaticEntry))
      os << "#define " << upper << "_ARENA_BYTES " << spec.arenaBytes
         << "ull   /* working memory of an instance, had at creation */\n";
    os << "#define " << upper << "_WEIGHTS_BYTES " << spec.weightsBytes
       << "ull /* constants, shared by all instances */\n\n";
  }

  void writeCommon() {
    os << "/* One instance: variables, arena, threads. One thread at a time "
          "per instance. */\n"
       << "typedef struct " << id << " " << id << ";\n\n"
       << "/* NULL: defaults. Returns NULL on failure; " << id
       << "_error(NULL) says why. */\n"
       << id << " *" << id << "_create(const tenon_options *options);\n"
       << "void " << id << "_destroy(" << id << " *instance);\n\n"
       << "/* Text of the last failure of this instance. */\n"
       << "const char *" << id << "_error(const " << id << " *instance);\n\n"
       << "/* The embedded FlatBuffers table (signature.fbs). */\n"
       << "const void *" << id << "_signature(size_t *bytes);\n\n";
    if (hasVariables(spec))
      writeVariables();
    os << "/* Entry points. They return 0, or a status with the text in " << id
       << "_error. */\n\n";
  }

  void writeVariables() {
    std::string start = "int32_t " + id + "_";
    std::string instance = "(" + id + " *instance, const char *";
    os << "/* Variables by name, and TensorFlow's checkpoints: as the "
          "functions "
          "of tenon/runtime.h. */\n"
       << start << "get_variable" << instance << "name, tenon_tensor *value);\n"
       << start << "set_variable" << instance
       << "name, const tenon_tensor *value);\n"
       << start << "save" << instance << "prefix);\n"
       << start << "restore" << instance << "path);\n\n";
  }

  std::string describe(const TensorInfo &info) {
    std::string result = getDTypeName(info.dtype).str() + "[";
    ListSeparator comma(", ");
    raw_string_ostream stream(result);
    for (int64_t dim : info.shape) {
      stream << comma;
      if (dim >= 0)
        stream << dim;
      else
        stream << getSymbolName(-1 - dim);
    }
    return result + "]";
  }

  std::string getSymbolName(uint64_t symbol) {
    if (symbol < spec.symbols.size() && !spec.symbols[symbol].empty())
      return escape(spec.symbols[symbol]);
    return "?";
  }

  void writeParameter(const TensorInfo &info, StringRef name, bool isInput,
                      bool isPlain) {
    const char *constant = isInput ? "const " : "";
    if (!isPlain) {
      os << ",\n    " << constant << "tenon_tensor *" << name;
      return;
    }
    CType type = getCType(info.dtype);
    os << ",\n    " << constant << type.name << " " << name << "["
       << getArraySize(info, type.count) << "]";
  }

  void writeEntry(unsigned index) {
    const EntryInfo &entry = spec.entries[index];
    std::vector<std::string> names = getParameterIdentifiers(entry);
    bool isPlain = isStaticEntry(entry);
    os << "/* '" << escape(entry.name) << "'\n";
    unsigned position = 0;
    for (const TensorInfo &input : entry.inputs)
      os << " *   " << names[position++] << ": " << describe(input)
         << (input.defaultValue ? ", NULL: its default" : "") << "\n";
    for (const TensorInfo &output : entry.outputs)
      os << " *   " << names[position++] << ": " << describe(output)
         << ", result\n";
    os << " */\n";
    if (entry.stateless)
      os << "#define " << upper << "_" << StringRef(entries[index]).upper()
         << "_STATELESS 1 /* instance may be NULL */\n";
    os << "int " << id << "_" << entries[index] << "(" << id << " *instance";
    position = 0;
    for (const TensorInfo &input : entry.inputs)
      writeParameter(input, names[position++], /*isInput=*/true, isPlain);
    for (const TensorInfo &output : entry.outputs)
      writeParameter(output, names[position++], /*isInput=*/false, isPlain);
    os << ");\n\n";
    if (entry.hasReserve)
      writeReserve(index);
  }

  void writeReserve(unsigned index) {
    os << "/* Grows the arena ahead of a call with inputs of these sizes. */\n"
       << "int " << id << "_" << reserves[index] << "(" << id << " *instance";
    std::vector<std::string> names;
    for (unsigned symbol : getReserveSymbols(spec.entries[index])) {
      std::string name =
          symbol < spec.symbols.size() ? spec.symbols[symbol] : std::string();
      names.push_back(name.empty() ? "size" : name);
    }
    for (const std::string &name : makeIdentifiers(names, {"instance"}))
      os << ", int64_t " << name;
    os << ");\n\n";
  }

  const ArtifactSpec &spec;
  std::string id, upper;
  std::vector<std::string> entries, reserves;
  std::string text;
  raw_string_ostream os;
};

} // namespace

std::string writeHeader(const ArtifactSpec &spec) {
  return HeaderWriter(spec).write();
}

} // namespace tenon
