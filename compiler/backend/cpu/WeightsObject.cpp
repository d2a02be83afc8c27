//===- WeightsObject.cpp - weights as an ELF object or a file -------------===//
//
// The object is written by hand because every way through LLVM or a linker
// script holds all weights in memory. The section is a large one (on x86-64:
// SHF_X86_64_LARGE), so that linkers keep it away from code and its constants;
// code finds it through the pointer in .data.rel.ro, which works at any
// distance.
//
//===----------------------------------------------------------------------===//

#include "compiler/backend/cpu/WeightsObject.h"

#include "compiler/backend/cpu/Target.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/ThreadPool.h"

#include <fcntl.h>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

using namespace llvm;

namespace tenon {

namespace {

constexpr uint64_t kPage = 4096;

Error lastError(const char *what) {
  return createStringError("cannot %s the weights: %s", what,
                           sys::StrError().c_str());
}

Error writeAt(int fd, const void *data, size_t size, uint64_t offset) {
  const char *bytes = static_cast<const char *>(data);
  while (size) {
    ssize_t written = ::pwrite(fd, bytes, size, offset);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return lastError("write");
    bytes += written;
    offset += written;
    size -= written;
  }
  return Error::success();
}

/// Lets `piece` write itself into a mapping of its part of the file.
Error writePiece(const WeightPiece &piece, int fd, uint64_t base) {
  if (piece.bytes == 0)
    return Error::success();
  uint64_t begin = base + piece.offset;
  uint64_t mapBegin = alignDown(begin, kPage);
  size_t mapBytes = begin + piece.bytes - mapBegin;
  void *mapping = ::mmap(nullptr, mapBytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                         fd, mapBegin);
  if (mapping == MAP_FAILED) { // Network file systems may not share mappings.
    std::string bytes(piece.bytes, '\0');
    piece.write(MutableArrayRef<char>(bytes.data(), bytes.size()));
    return writeAt(fd, bytes.data(), bytes.size(), begin);
  }
  piece.write(MutableArrayRef<char>(
      static_cast<char *>(mapping) + (begin - mapBegin), piece.bytes));
  ::munmap(mapping, mapBytes);
  return Error::success();
}

/// Reserves `base` + the weights' bytes in the file and fills in the pieces.
Error writePieces(const ArtifactSpec &spec, int fd, uint64_t base,
                  unsigned threads) {
  // Reserving blocks first makes a full disk an error here, not a SIGBUS in
  // the mapping.
  if (int error = ::posix_fallocate(fd, 0, base + spec.weightsBytes)) {
    errno = error;
    return lastError("make room for");
  }
  std::mutex mutex;
  Error result = Error::success();
  DefaultThreadPool pool(hardware_concurrency(threads));
  for (const WeightPiece &piece : spec.weights) {
    if (piece.offset + piece.bytes > spec.weightsBytes)
      return createStringError("a weight lies outside of the weights");
    pool.async([&, fd, base] {
      Error error = writePiece(piece, fd, base);
      std::lock_guard<std::mutex> lock(mutex);
      result = joinErrors(std::move(result), std::move(error));
    });
  }
  pool.wait();
  return result;
}

/// A table of zero-terminated strings, with the offset of each.
class StringTable {
public:
  uint32_t add(StringRef string) {
    uint32_t offset = bytes.size();
    bytes += string;
    bytes += '\0';
    return offset;
  }
  std::string bytes = std::string(1, '\0');
};

} // namespace

std::string getWeightsPointerSymbol(StringRef id) {
  return (id + "__weights_base").str();
}

Error writeWeightsObject(const ArtifactSpec &spec, int fd, unsigned threads) {
  using namespace ELF;
  enum { Null, Weights, Pointer, Rela, Symtab, Strtab, Shstrtab, Stack, Count };
  std::string id = getModelIdentifier(spec);
  uint64_t weightsAt = kPage;
  if (Error error = writePieces(spec, fd, weightsAt, threads))
    return error;

  StringTable strings, names;
  Elf64_Sym symbols[3] = {};
  symbols[1].st_name = strings.add(id + "__weights");
  symbols[1].setBindingAndType(STB_LOCAL, STT_OBJECT);
  symbols[1].st_shndx = Weights;
  symbols[1].st_size = spec.weightsBytes;
  symbols[2].st_name = strings.add(getWeightsPointerSymbol(id));
  symbols[2].setBindingAndType(STB_GLOBAL, STT_OBJECT);
  symbols[2].st_other = STV_HIDDEN;
  symbols[2].st_shndx = Pointer;
  symbols[2].st_size = 8;

  uint64_t pointerValue = 0;
  Elf64_Rela relocation = {};
  const Platform &platform = *findPlatform(Triple(spec.triple));
  relocation.setSymbolAndType(1, platform.pointerRelocation);

  uint64_t at = alignTo(weightsAt + spec.weightsBytes, 64);
  Elf64_Shdr sections[Count] = {};
  auto place = [&](unsigned index, StringRef name, uint32_t type,
                   uint64_t flags, uint64_t size, uint64_t align) {
    Elf64_Shdr &section = sections[index];
    section.sh_name = names.add(name);
    section.sh_type = type;
    section.sh_flags = flags;
    section.sh_addralign = align;
    section.sh_size = size;
    section.sh_offset = index == Weights ? weightsAt : alignTo(at, align);
    if (index != Weights)
      at = section.sh_offset + size;
  };
  place(Weights, ".lrodata.tenon", SHT_PROGBITS,
        SHF_ALLOC |
            (platform.elfMachine == EM_X86_64 ? SHF_X86_64_LARGE : uint64_t(0)),
        spec.weightsBytes, 64);
  place(Pointer, ".data.rel.ro." + id, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 8,
        8);
  place(Rela, ".rela.data.rel.ro." + id, SHT_RELA, SHF_INFO_LINK,
        sizeof relocation, 8);
  sections[Rela].sh_link = Symtab;
  sections[Rela].sh_info = Pointer;
  sections[Rela].sh_entsize = sizeof relocation;
  place(Symtab, ".symtab", SHT_SYMTAB, 0, sizeof symbols, 8);
  sections[Symtab].sh_link = Strtab;
  sections[Symtab].sh_info = 2; // the first global
  sections[Symtab].sh_entsize = sizeof symbols[0];
  place(Strtab, ".strtab", SHT_STRTAB, 0, strings.bytes.size(), 1);
  place(Stack, ".note.GNU-stack", SHT_PROGBITS, 0, 0, 1);
  uint32_t ownName = names.add(".shstrtab");
  place(Shstrtab, "", SHT_STRTAB, 0, names.bytes.size() + 1, 1);
  sections[Shstrtab].sh_name = ownName;

  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ElfMagic, 4);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_REL;
  header.e_machine = platform.elfMachine;
  header.e_flags = platform.elfFlags;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_shoff = alignTo(at, 8);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = Count;
  header.e_shstrndx = Shstrtab;

  auto put = [&](const void *data, size_t size, uint64_t offset, Error before) {
    return before ? std::move(before) : writeAt(fd, data, size, offset);
  };
  Error error = writeAt(fd, &header, sizeof header, 0);
  error = put(&pointerValue, 8, sections[Pointer].sh_offset, std::move(error));
  error = put(&relocation, sizeof relocation, sections[Rela].sh_offset,
              std::move(error));
  error = put(symbols, sizeof symbols, sections[Symtab].sh_offset,
              std::move(error));
  error = put(strings.bytes.data(), strings.bytes.size(),
              sections[Strtab].sh_offset, std::move(error));
  error = put(names.bytes.data(), names.bytes.size(),
              sections[Shstrtab].sh_offset, std::move(error));
  return put(sections, sizeof sections, header.e_shoff, std::move(error));
}

Error writeWeightsFile(const ArtifactSpec &spec, int fd, unsigned threads) {
  // The weights follow on the second page, so that a mapping has them aligned.
  struct {
    char magic[8] = {'T', 'N', 'N', 'W', 'G', 'T', '1', '\0'};
    uint64_t bytes;
  } header;
  header.bytes = spec.weightsBytes;
  if (Error error = writePieces(spec, fd, kPage, threads))
    return error;
  return writeAt(fd, &header, sizeof header, 0);
}

} // namespace tenon
