#include "compiler/backend/cpu/Target.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

#include <algorithm>

using namespace llvm;

namespace tenon {

namespace {

/// Accumulator tiles larger than these gain nothing and cost code size.
constexpr unsigned kMaxRows = 6;
constexpr unsigned kMaxPanels = 4;

constexpr Platform kPlatforms[] = {
    {Triple::x86_64, "elf_x86_64", ELF::EM_X86_64, 0, ELF::R_X86_64_64,
     "x86-64", "", "", true},
    {Triple::aarch64, "aarch64linux", ELF::EM_AARCH64, 0, ELF::R_AARCH64_ABS64,
     "generic", "", "", false},
    {Triple::riscv64, "elf64lriscv", ELF::EM_RISCV,
     ELF::EF_RISCV_RVC | ELF::EF_RISCV_FLOAT_ABI_DOUBLE, ELF::R_RISCV_64,
     "generic-rv64", "+m,+a,+f,+d,+c", "lp64d", false},
};

void setX86Vectors(CpuTarget &target, bool avx512, bool avx2, bool fma) {
  target.vectorBits = avx512 ? 512 : avx2 ? 256 : 128;
  target.vectorRegisters = avx512 ? 32 : 16;
  target.hasFma = fma;
  target.hasStreaming = true;
  target.l2Bytes = (avx512 ? 1024 : avx2 ? 512 : 256) << 10;
}

void setX86Facts(CpuTarget &target) {
  SmallVector<StringRef> features;
  if (X86::parseArchX86(target.cpu) != X86::CK_None)
    X86::getFeaturesForCPU(target.cpu, features);
  auto has = [&](StringRef feature) {
    bool found = is_contained(features, feature);
    // Later entries of the feature string override what the name implies.
    SmallVector<StringRef> overrides;
    StringRef(target.features).split(overrides, ',');
    for (StringRef entry : overrides)
      if (entry.drop_front(entry.empty() ? 0 : 1) == feature)
        found = entry.front() == '+';
    return found;
  };
  setX86Vectors(target,
                has("avx512f") && has("avx512vl") && has("avx512bw") &&
                    has("avx512dq"),
                has("avx2"), has("fma"));
  target.hasBf16Dot = target.vectorBits == 512 && has("avx512bf16");
  target.hasAmxBf16 =
      target.vectorBits == 512 && has("amx-tile") && has("amx-bf16");
}

} // namespace

ArrayRef<Platform> getPlatforms() { return kPlatforms; }

bool hasRuntime(const Triple &triple) {
  const Platform *platform = findPlatform(triple);
  // The runtime library is one for the GNU C library.
  bool isGnu = triple.isGNUEnvironment() || !triple.hasEnvironment();
  return platform && platform->hasRuntime && isGnu;
}

const Platform *findPlatform(const Triple &triple) {
  if (!triple.isOSLinux() || !triple.isOSBinFormatELF() || triple.isX32())
    return nullptr;
  for (const Platform &platform : kPlatforms)
    if (platform.arch == triple.getArch())
      return &platform;
  return nullptr;
}

Expected<Triple> resolveTriple(StringRef name, StringRef cpu) {
  Triple own(sys::getDefaultTargetTriple());
  Triple triple(name.empty() ? own.str() : Triple::normalize(name));
  if (!findPlatform(triple))
    return createStringError(
        "--triple '" + name +
        "': code can be written for x86_64, aarch64 and riscv64 Linux, such as "
        "aarch64-linux-gnu");
  if (cpu == "native" && triple.getArch() != own.getArch())
    return createStringError("--cpu native is the CPU of this machine, a " +
                             own.getArchName() + ", not of " + triple.str());
  return triple;
}

CpuTarget CpuTarget::getLevel(unsigned level) {
  CpuTarget target;
  target.level = level;
  target.cpu = "x86-64-v" + std::to_string(level);
  setX86Vectors(target, level >= 4, level >= 3, level >= 3);
  return target;
}

CpuTarget CpuTarget::getPoints() {
  CpuTarget target;
  target.cpu = kPointsCpu.str();
  target.hasFma = true;
  target.byPoint = true;
  return target;
}

CpuTarget CpuTarget::getNamed(const Triple &triple, StringRef cpu) {
  if (cpu == kPointsCpu)
    return getPoints();
  CpuTarget target;
  target.cpu = cpu.str();
  const Platform *platform = findPlatform(triple);
  if (platform && (cpu == "generic" || cpu == platform->baselineCpu)) {
    target.cpu = platform->baselineCpu;
    target.features = platform->baselineFeatures;
  }
  if (cpu == "native") {
    target.cpu = sys::getHostCPUName().str();
    // The name alone can promise what the hypervisor has switched off.
    StringMap<bool> host = sys::getHostCPUFeatures();
    SmallVector<std::string> entries;
    for (const auto &feature : host)
      entries.push_back((feature.second ? "+" : "-") + feature.first().str());
    llvm::sort(entries);
    target.features = join(entries, ",");
  }
  if (triple.isX86()) {
    setX86Facts(target);
  } else if (triple.isAArch64()) {
    target.vectorRegisters = 32;
    target.hasFma = true;
  }
  return target;
}

unsigned CpuTarget::getPanelRegisters(unsigned bits) const {
  return std::max<unsigned>(1, kPanelWidth * bits / vectorBits);
}

RegisterTile CpuTarget::getTile(unsigned bits) const {
  unsigned budget = vectorRegisters * 3 / 4;
  unsigned perPanel = getPanelRegisters(bits);
  RegisterTile tile;
  tile.rows = std::clamp(budget / perPanel, 1u, kMaxRows);
  tile.panels = std::clamp(budget / (perPanel * tile.rows), 1u, kMaxPanels);
  return tile;
}

unsigned CpuTarget::getPanels(unsigned rows, unsigned bits) const {
  unsigned budget = vectorRegisters * 3 / 4;
  unsigned panels =
      std::min(kMaxPanels, budget / (getPanelRegisters(bits) * rows));
  return panels >= 4 ? 4 : panels >= 2 ? 2 : 1;
}

} // namespace tenon
