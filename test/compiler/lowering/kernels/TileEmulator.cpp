#include "test/compiler/lowering/kernels/TileEmulator.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace llvm;

namespace tenon::test {

namespace {

constexpr int kTiles = 8, kRows = 16, kBytes = 64;

struct Tiles {
  bool configured = false;
  uint16_t bytes[kTiles];
  uint8_t rows[kTiles];
  char data[kTiles][kRows][kBytes];
} tiles;

void require(bool condition, const char *what) {
  if (condition)
    return;
  std::fprintf(stderr, "tiles: %s\n", what);
  std::exit(1);
}

void configure(const char *from) {
  require(from[0] == 1 && from[1] == 0, "palette");
  std::memset(&tiles, 0, sizeof tiles);
  std::memcpy(tiles.bytes, from + 16, sizeof tiles.bytes);
  std::memcpy(tiles.rows, from + 48, sizeof tiles.rows);
  for (int i = 0; i < kTiles; ++i)
    require(tiles.rows[i] <= kRows && tiles.bytes[i] <= kBytes, "size");
  tiles.configured = true;
}

void release() { tiles.configured = false; }

void zero(int8_t tile) {
  require(tiles.configured, "not configured");
  std::memset(tiles.data[tile], 0, sizeof tiles.data[tile]);
}

void load(int8_t tile, const char *from, int64_t stride) {
  zero(tile);
  for (int row = 0; row < tiles.rows[tile]; ++row)
    std::memcpy(tiles.data[tile][row], from + row * stride, tiles.bytes[tile]);
}

void store(int8_t tile, char *to, int64_t stride) {
  require(tiles.configured, "not configured");
  for (int row = 0; row < tiles.rows[tile]; ++row)
    std::memcpy(to + row * stride, tiles.data[tile][row], tiles.bytes[tile]);
}

float bf16At(int8_t tile, int row, int place) {
  uint16_t bits;
  std::memcpy(&bits, tiles.data[tile][row] + 2 * place, 2);
  return bit_cast<float>(uint32_t(bits) << 16);
}

void addProducts(int8_t c, int8_t a, int8_t b) {
  require(tiles.configured, "not configured");
  require(tiles.rows[a] == tiles.rows[c] && tiles.bytes[b] == tiles.bytes[c] &&
              tiles.rows[b] * 4 == tiles.bytes[a],
          "shapes differ");
  for (int row = 0; row < tiles.rows[c]; ++row)
    for (int column = 0; column < tiles.bytes[c] / 4; ++column) {
      char *place = tiles.data[c][row] + 4 * column;
      float sum;
      std::memcpy(&sum, place, 4);
      for (int pair = 0; pair < tiles.rows[b]; ++pair)
        for (int i = 0; i < 2; ++i)
          sum += bf16At(a, row, 2 * pair + i) * bf16At(b, pair, 2 * column + i);
      std::memcpy(place, &sum, 4);
    }
}

} // namespace

void emulateTiles(Module &module) {
  static const std::pair<StringRef, void *> functions[] = {
      {"llvm.x86.ldtilecfg", reinterpret_cast<void *>(configure)},
      {"llvm.x86.tilerelease", reinterpret_cast<void *>(release)},
      {"llvm.x86.tilezero", reinterpret_cast<void *>(zero)},
      {"llvm.x86.tileloadd64", reinterpret_cast<void *>(load)},
      {"llvm.x86.tilestored64", reinterpret_cast<void *>(store)},
      {"llvm.x86.tdpbf16ps", reinterpret_cast<void *>(addProducts)},
  };
  for (auto [name, address] : functions) {
    Function *function = module.getFunction(name);
    if (!function)
      continue;
    for (User *user : make_early_inc_range(function->users())) {
      auto *call = cast<CallInst>(user);
      IRBuilder<> builder(call);
      Value *target = builder.CreateIntToPtr(
          builder.getInt64(reinterpret_cast<uintptr_t>(address)),
          builder.getPtrTy());
      SmallVector<Value *> arguments(call->args());
      builder.CreateCall(function->getFunctionType(), target, arguments);
      call->eraseFromParent();
    }
  }
}

} // namespace tenon::test
