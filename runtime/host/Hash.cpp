// Hashes of strings: FarmHash's 64-bit fingerprint, SipHash-2-4, and
// MurmurHash64A with TensorFlow's seed.
#include "host/Host.h"

namespace tenon {

static uint64_t load64(const char *at) {
  uint64_t value;
  memcpy(&value, at, 8);
  return value;
}
static uint64_t load32(const char *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return value;
}
static uint64_t rotate(uint64_t value, int by) {
  return value >> by | value << (64 - by);
}

static const uint64_t prime0 = 0xc3a5c85c97cb3127, prime1 = 0xb492b66fbe98f273,
                      prime2 = 0x9ae16a3b2f90404f;

static uint64_t shiftMix(uint64_t value) { return value ^ value >> 47; }

static uint64_t mixPair(uint64_t u, uint64_t v, uint64_t by) {
  uint64_t a = shiftMix((u ^ v) * by);
  return shiftMix((v ^ a) * by) * by;
}

struct Pair {
  uint64_t first, second;
};

static Pair mix32(const char *s, uint64_t a, uint64_t b) {
  uint64_t x = load64(s + 8), y = load64(s + 16), z = load64(s + 24);
  a += load64(s);
  b = rotate(b + a + z, 21);
  uint64_t c = a;
  a += x + y;
  b += rotate(a, 44);
  return {a + z, b + c};
}

static uint64_t farmShort(const char *s, size_t n) {
  uint64_t by = prime2 + n * 2;
  if (n > 32) {
    uint64_t a = load64(s) * prime2, b = load64(s + 8),
             c = load64(s + n - 8) * by, d = load64(s + n - 16) * prime2;
    uint64_t y = rotate(a + b, 43) + rotate(c, 30) + d;
    uint64_t z = mixPair(y, a + rotate(b + prime2, 18) + c, by);
    uint64_t e = load64(s + 16) * by, f = load64(s + 24);
    uint64_t g = (y + load64(s + n - 32)) * by,
             h = (z + load64(s + n - 24)) * by;
    return mixPair(rotate(e + f, 43) + rotate(g, 30) + h,
                   e + rotate(f + a, 18) + g, by);
  }
  if (n > 16) {
    uint64_t a = load64(s) * prime1, b = load64(s + 8),
             c = load64(s + n - 8) * by, d = load64(s + n - 16) * prime2;
    return mixPair(rotate(a + b, 43) + rotate(c, 30) + d,
                   a + rotate(b + prime2, 18) + c, by);
  }
  if (n >= 8) {
    uint64_t a = load64(s) + prime2, b = load64(s + n - 8);
    return mixPair(rotate(b, 37) * by + a, (rotate(a, 25) + b) * by, by);
  }
  if (n >= 4)
    return mixPair(n + (load32(s) << 3), load32(s + n - 4), by);
  if (!n)
    return prime2;
  uint32_t y = uint8_t(s[0]) + (uint32_t(uint8_t(s[n >> 1])) << 8);
  uint32_t z = uint32_t(n) + (uint32_t(uint8_t(s[n - 1])) << 2);
  return shiftMix(y * prime2 ^ z * prime0) * prime2;
}

static uint64_t farmHash(tenon_string text) {
  const char *s = text.data;
  size_t n = text.size;
  if (n <= 64)
    return farmShort(s, n);
  const uint64_t seed = 81;
  uint64_t y = seed * prime1 + 113, z = shiftMix(y * prime2 + 113) * prime2;
  uint64_t x = seed * prime2 + load64(s);
  Pair v = {0, 0}, w = {0, 0};
  const char *end = s + (n - 1) / 64 * 64, *last = s + n - 64;
  auto round = [&](uint64_t by, uint64_t scale) {
    x = rotate(x + y + v.first + load64(s + 8), 37) * by;
    y = rotate(y + v.second + load64(s + 48), 42) * by;
    x ^= w.second * scale;
    y += v.first * scale + load64(s + 40);
    z = rotate(z + w.first, 33) * by;
    v = mix32(s, v.second * by, x + w.first);
    w = mix32(s + 32, z + w.second, y + load64(s + 16));
    uint64_t old = z;
    z = x;
    x = old;
  };
  for (; s != end; s += 64)
    round(prime1, 1);
  uint64_t by = prime1 + ((z & 0xff) << 1);
  s = last;
  w.first += (n - 1) & 63;
  v.first += w.first;
  w.first += v.first;
  round(by, 9);
  return mixPair(mixPair(v.first, w.first, by) + shiftMix(y) * prime0 + z,
                 mixPair(v.second, w.second, by) + x, by);
}

static uint64_t sipHash(tenon_string text, uint64_t key0, uint64_t key1) {
  uint64_t v0 = key0 ^ 0x736f6d6570736575, v1 = key1 ^ 0x646f72616e646f6d,
           v2 = key0 ^ 0x6c7967656e657261, v3 = key1 ^ 0x7465646279746573;
  auto rounds = [&](int count) {
    while (count--) {
      v0 += v1;
      v2 += v3;
      v1 = rotate(v1, 51) ^ v0;
      v3 = rotate(v3, 48) ^ v2;
      v0 = rotate(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = rotate(v1, 47) ^ v2;
      v3 = rotate(v3, 43) ^ v0;
      v2 = rotate(v2, 32);
    }
  };
  auto take = [&](uint64_t word) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  };
  size_t at = 0;
  for (; at + 8 <= text.size; at += 8)
    take(load64(text.data + at));
  uint64_t last = uint64_t(text.size) << 56;
  for (size_t i = 0; at + i < text.size; ++i)
    last |= uint64_t(uint8_t(text.data[at + i])) << (8 * i);
  take(last);
  v2 ^= 0xff;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

static uint64_t murmurHash(tenon_string text) {
  const uint64_t by = 0xc6a4a7935bd1e995;
  uint64_t hash = 0xdecafcaffe ^ text.size * by;
  size_t at = 0;
  for (; at + 8 <= text.size; at += 8) {
    uint64_t word = load64(text.data + at) * by;
    hash = (hash ^ (word ^ word >> 47) * by) * by;
  }
  if (at < text.size) {
    for (size_t i = 0; at + i < text.size; ++i)
      hash ^= uint64_t(uint8_t(text.data[at + i])) << (8 * i);
    hash *= by;
  }
  hash = (hash ^ hash >> 47) * by;
  return hash ^ hash >> 47;
}

TENON_HOST(string_hash) {
  tenon_string method = call.text("method");
  uint64_t buckets = uint64_t(call.integer("buckets"));
  uint64_t key0 = uint64_t(call.integer("key", 0)),
           key1 = uint64_t(call.integer("key", 1));
  bool fast = equal(method, "fast"), strong = equal(method, "strong");
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i) {
    tenon_string text = call.strings(0)[i];
    uint64_t hash = fast     ? farmHash(text)
                    : strong ? sipHash(text, key0, key1)
                             : murmurHash(text);
    call.out<int64_t>(0)[i] = int64_t(hash % buckets);
  }
  return true;
}

} // namespace tenon
