//===- Localize.cpp - hidden symbols of an object become local ------------===//
//
// lld -r keeps hidden symbols global, and LLVM's objcopy would read the whole
// object, weights included, into memory. Only the symbol table has to change:
// local symbols come first in it, so it is permuted, and the relocations'
// symbol numbers with it.
//
//===----------------------------------------------------------------------===//

#include "compiler/backend/cpu/Link.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;
using namespace llvm::ELF;

namespace tenon {

namespace {

bool isLocalizable(const Elf64_Sym &symbol) {
  return symbol.getBinding() != STB_LOCAL && symbol.st_shndx != SHN_UNDEF &&
         (symbol.st_other & 3) == STV_HIDDEN;
}

/// Returns false when the file is not an object as lld writes it.
bool localize(char *data, size_t size) {
  auto *header = reinterpret_cast<Elf64_Ehdr *>(data);
  if (size < sizeof *header || !header->checkMagic() ||
      header->e_type != ET_REL || header->e_shoff > size ||
      header->e_shnum > (size - header->e_shoff) / sizeof(Elf64_Shdr))
    return false;
  MutableArrayRef<Elf64_Shdr> sections(
      reinterpret_cast<Elf64_Shdr *>(data + header->e_shoff), header->e_shnum);
  auto isInside = [&](const Elf64_Shdr &section) {
    return section.sh_offset <= size &&
           section.sh_size <= size - section.sh_offset;
  };
  auto table = llvm::find_if(sections, [](const Elf64_Shdr &section) {
    return section.sh_type == SHT_SYMTAB;
  });
  if (table == sections.end() || !isInside(*table))
    return false;
  MutableArrayRef<Elf64_Sym> symbols(
      reinterpret_cast<Elf64_Sym *>(data + table->sh_offset),
      table->sh_size / sizeof(Elf64_Sym));

  std::vector<uint32_t> order, globals;
  for (uint32_t i = 0; i < symbols.size(); ++i) {
    bool isLocal =
        symbols[i].getBinding() == STB_LOCAL || isLocalizable(symbols[i]);
    (isLocal ? order : globals).push_back(i);
  }
  table->sh_info = order.size();
  llvm::append_range(order, globals);

  std::vector<Elf64_Sym> sorted;
  std::vector<uint32_t> renumbered(symbols.size());
  for (uint32_t index : order) {
    renumbered[index] = sorted.size();
    Elf64_Sym symbol = symbols[index];
    if (isLocalizable(symbol)) {
      symbol.setBindingAndType(STB_LOCAL, symbol.getType());
      symbol.st_other = STV_DEFAULT;
    }
    sorted.push_back(symbol);
  }
  llvm::copy(sorted, symbols.begin());

  for (const Elf64_Shdr &section : sections) {
    if (section.sh_type != SHT_RELA || !isInside(section))
      continue;
    MutableArrayRef<Elf64_Rela> relocations(
        reinterpret_cast<Elf64_Rela *>(data + section.sh_offset),
        section.sh_size / sizeof(Elf64_Rela));
    for (Elf64_Rela &relocation : relocations) {
      if (relocation.getSymbol() >= renumbered.size())
        return false;
      relocation.setSymbol(renumbered[relocation.getSymbol()]);
    }
  }
  return true;
}

} // namespace

Error localizeHiddenSymbols(const std::string &path) {
  uint64_t size = 0;
  if (std::error_code code = sys::fs::file_size(path, size))
    return createStringError(code, "cannot read '" + path + "'");
  Expected<sys::fs::file_t> file = sys::fs::openNativeFileForReadWrite(
      path, sys::fs::CD_OpenExisting, sys::fs::OF_None);
  if (!file)
    return file.takeError();
  std::error_code code;
  {
    sys::fs::mapped_file_region region(
        *file, sys::fs::mapped_file_region::readwrite, size, 0, code);
    if (!code && !localize(region.data(), size))
      code = std::make_error_code(std::errc::executable_format_error);
  }
  sys::fs::closeFile(*file);
  if (code)
    return createStringError(code, "cannot change '" + path + "'");
  return Error::success();
}

} // namespace tenon
