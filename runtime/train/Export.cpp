#include "train/Export.h"
#include "checkpoint/Checkpoint.h"
#include "io/Fail.h"
#include "io/File.h"
#include "io/Npz.h"
#include "io/Tensor.h"
#include "main/Call.h"
#include "train/State.h"

#include <stdlib.h>
#include <string.h>

namespace tenon::train {

namespace {

bool endsWith(const char *text, const char *end) {
  size_t length = strlen(text), size = strlen(end);
  return length > size && !strcmp(text + length - size, end);
}

struct Piece {
  const void *data;
  size_t size;
};

void writePieces(int file, const Piece *pieces, size_t count) {
  for (size_t i = 0; i < count; ++i)
    writeAll(file, pieces[i].data, pieces[i].size);
}

void addFile(NpzWriter &archive, const char *name, const Piece *pieces,
             size_t count) {
  Text full;
  full.print("%s", name);
  uint32_t crc = 0;
  uint64_t size = 0;
  for (size_t i = 0; i < count; ++i) {
    crc = crc32(crc, static_cast<const char *>(pieces[i].data), pieces[i].size);
    size += pieces[i].size;
  }
  archive.begin(full, crc, size);
  writePieces(archive.descriptor, pieces, count);
}

// The pieces of a weights file as HDF5: the compiler wrote all that does not
// depend on the values.
Piece *makePieces(Instance &instance, const ArchiveSpec &archive) {
  Piece *pieces = static_cast<Piece *>(
      allocate((1 + 2 * size_t(archive.variableCount)) * sizeof(Piece)));
  static const uint64_t zeros = 0;
  pieces[0] = {archive.header, size_t(archive.headerSize)};
  for (int32_t i = 0; i < archive.variableCount; ++i) {
    const VariableSpec &variable =
        instance.signature.variables[archive.variables[i]];
    const char *data = instance.state + variable.stateOffset;
    size_t bytes = size_t(variable.bytes);
    if (variable.dtype.code == TENON_BFLOAT) {
      // Its bits are the upper half of a float's.
      uint16_t *wide = static_cast<uint16_t *>(allocate(2 * bytes));
      for (size_t k = 0; k < bytes / 2; ++k)
        memcpy(wide + 2 * k + 1, data + 2 * k, 2);
      data = reinterpret_cast<char *>(wide);
      bytes *= 2;
    }
    pieces[1 + 2 * i] = {data, bytes};
    pieces[2 + 2 * i] = {&zeros, -bytes & 7};
  }
  return pieces;
}

void addText(NpzWriter &archive, const char *name, const char *text,
             int32_t size) {
  Piece piece = {text, size_t(size)};
  addFile(archive, name, &piece, 1);
}

} // namespace

void checkExport(const char *option, const char *path) {
  bool forKeras = endsWith(path, ".keras") || endsWith(path, ".weights.h5");
  if (!forKeras && !endsWith(path, ".npz"))
    fail("%s: expected FILE.keras, FILE.weights.h5 or FILE.npz, got '%s'",
         option, path);
  ArchiveSpec archive;
  if (forKeras && !archive.read(tenon_main_model))
    fail("%s %s: the program was made of no Keras file, its weights can be "
         "written as FILE.npz",
         option, path);
}

void exportWeights(Instance &instance, const char *path) {
  const Signature &signature = instance.signature;
  int file = openOutput(path);
  NpzWriter writer{file, {}};
  ArchiveSpec archive;
  if (endsWith(path, ".npz")) {
    for (int32_t i = 0; i < signature.variableCount; ++i) {
      const VariableSpec &variable = signature.variables[i];
      if (!variable.generator && !isAuxiliary(variable.name))
        writer.add(variable.name, viewVariable(instance, variable));
    }
    writer.finish();
  } else if (archive.read(tenon_main_model)) {
    Piece *pieces = makePieces(instance, archive);
    size_t count = 1 + 2 * size_t(archive.variableCount);
    if (endsWith(path, ".h5")) {
      writePieces(file, pieces, count);
    } else {
      addText(writer, "metadata.json", archive.metadata, archive.metadataSize);
      addText(writer, "config.json", archive.config, archive.configSize);
      addFile(writer, "model.weights.h5", pieces, count);
      writer.finish();
    }
  }
  closeOutput(file, path);
}

} // namespace tenon::train
