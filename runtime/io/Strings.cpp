// Strings as text, as literals and in .npy files.
#include "io/Strings.h"
#include "io/Fail.h"
#include "main/Events.h"

#include <stdlib.h>
#include <string.h>

namespace tenon {

namespace {

void printBytes(Text &out, const tenon_string &string) {
  // Python's repr: double quotes only around text with single ones alone.
  char quote = '\'';
  for (size_t i = 0; i < string.size; ++i)
    if (string.data[i] == '\'' && quote == '\'')
      quote = '"';
    else if (string.data[i] == '"')
      quote = 1;
  if (quote == 1)
    quote = '\'';
  out.print("b%c", quote);
  for (size_t i = 0; i < string.size; ++i) {
    int byte = uint8_t(string.data[i]);
    const char *special = byte ? strchr("\tt\nn\rr\\\\", byte) : nullptr;
    if (byte == quote)
      out.print("\\%c", byte);
    else if (special && (byte < ' ' || byte == '\\'))
      out.print("\\%c", special[1]);
    else
      out.print(byte < ' ' || byte > '~' ? "\\x%02x" : "%c", byte);
  }
  out.add(&quote, 1);
}

// The bytes of \uXXXX in UTF-8; `at` stands on the u. NULL when it is
// malformed.
char *escapedUnicode(const char *at, char *to) {
  char digits[5] = {};
  for (int i = 0; i < 4 && at[1 + i]; ++i)
    digits[i] = at[1 + i];
  char *end;
  unsigned code = unsigned(strtoull(digits, &end, 16));
  if (end != digits + 4)
    return nullptr;
  if (code < 0x80) {
    *to++ = char(code);
    return to;
  }
  if (code >= 0x800) {
    *to++ = char(0xe0 | code >> 12);
    *to++ = char(0x80 | (code >> 6 & 63));
  } else {
    *to++ = char(0xc0 | code >> 6);
  }
  *to++ = char(0x80 | (code & 63));
  return to;
}

const char *readQuoted(const char *at, tenon_string &string,
                       const char *&wrong) {
  if (*at != '"') {
    wrong = "expected a quoted string";
    return at;
  }
  // No escape is shorter than what it stands for.
  char *text = static_cast<char *>(allocate(strlen(at))), *to = text;
  while (*++at != '"') {
    if (*at == '\\') {
      const char *escapes = "\"\"\\\\//b\bf\fn\nr\rt\t";
      const char *escape = *++at ? strchr(escapes, *at) : nullptr;
      if (*at == 'u') {
        char *next = escapedUnicode(at, to);
        to = next;
        at += next ? 4 : 0;
      } else if (escape) {
        *to++ = escape[1];
      } else {
        to = nullptr;
      }
      if (!to) {
        wrong = "bad escape";
        return at;
      }
    } else if (*at) {
      *to++ = *at;
    } else {
      wrong = "a string does not end";
      return at;
    }
  }
  string = {text, size_t(to - text)};
  return at + 1;
}

void fromRows(const tenon_tensor &tensor, char *rows, size_t width) {
  int64_t count = elementCount(tensor);
  for (int64_t i = 0; i < count; ++i, rows += width) {
    size_t used = width;
    while (used && !rows[used - 1])
      --used;
    stringsOf(tensor)[i] = {rows, used};
  }
}

char *toRows(const tenon_tensor &tensor, size_t &width) {
  int64_t count = elementCount(tensor);
  width = 1; // NumPy has no strings of no bytes in files
  for (int64_t i = 0; i < count; ++i)
    if (stringsOf(tensor)[i].size > width)
      width = stringsOf(tensor)[i].size;
  char *rows = static_cast<char *>(allocate(width * size_t(count))), *to = rows;
  for (int64_t i = 0; i < count; ++i, to += width)
    if (stringsOf(tensor)[i].size)
      memcpy(to, stringsOf(tensor)[i].data, stringsOf(tensor)[i].size);
  return rows;
}

void copyStrings(const tenon_tensor &tensor) {
  int64_t count = elementCount(tensor);
  for (tenon_string *string = stringsOf(tensor); count--; ++string) {
    const char *bytes = string->data;
    char *to = static_cast<char *>(allocate(string->size));
    string->data = to;
    if (string->size)
      memcpy(to, bytes, string->size);
  }
}

} // namespace
} // namespace tenon

const tenon_string_functions tenon_strings = {
    tenon::printBytes,
    tenon::readQuoted,
    tenon::fromRows,
    tenon::toRows,
    tenon::copyStrings,
    tenon::logSummaries,
    "  --logdir DIR        write summaries to a TensorBoard event file\n"};
