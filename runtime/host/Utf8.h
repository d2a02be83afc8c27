// Characters of UTF-8 texts.
#ifndef TENON_RUNTIME_HOST_UTF8_H
#define TENON_RUNTIME_HOST_UTF8_H

#include "tenon/abi.h"

namespace [[gnu::visibility("hidden")]] tenon {

inline bool startsCharacter(char c) { return (c & 0xc0) != 0x80; }

inline int64_t countCharacters(tenon_string text) {
  int64_t count = 0;
  for (size_t i = 0; i < text.size; ++i)
    count += startsCharacter(text.data[i]);
  return count;
}

// Where the character of that number begins, or the text's size.
inline size_t characterOffset(tenon_string text, int64_t number) {
  size_t at = 0;
  for (; at < text.size; ++at)
    if (startsCharacter(text.data[at]) && number-- == 0)
      break;
  return at;
}

enum : uint32_t { badCharacter = 0xffffffff };

// The character at `at`, which moves behind it. Where there is none:
// badCharacter, and behind as many bytes as a character could begin with.
inline uint32_t decodeUtf8(tenon_string text, size_t &at) {
  uint32_t first = uint8_t(text.data[at++]);
  if (first < 0x80)
    return first;
  uint32_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  if (first < 0xc2 || first > 0xf4)
    return badCharacter;
  uint32_t value = first & (0x3fu >> more);
  for (uint32_t i = 0; i < more; ++i, ++at) {
    if (at == text.size || startsCharacter(text.data[at]))
      return badCharacter;
    uint32_t next = uint8_t(text.data[at]) & 0x3fu;
    // Too long a form, a half of a pair, or beyond the last character.
    if (i == 0 &&
        ((first == 0xe0 && next < 0x20) || (first == 0xed && next >= 0x20) ||
         (first == 0xf0 && next < 0x10) || (first == 0xf4 && next >= 0x10)))
      return badCharacter;
    value = value << 6 | next;
  }
  return value;
}

// Writes a character; returns its number of bytes.
inline int64_t encodeUtf8(uint32_t c, char *to) {
  if (c == badCharacter)
    c = 0xfffd;
  if (c < 0x80) {
    to[0] = char(c);
    return 1;
  }
  int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  to[0] = char((0xf0u << (3 - more) & 0xffu) | c >> (6 * more));
  for (int i = 1; i <= more; ++i)
    to[i] = char(0x80 | (c >> (6 * (more - i)) & 0x3f));
  return more + 1;
}

} // namespace tenon

#endif // TENON_RUNTIME_HOST_UTF8_H
