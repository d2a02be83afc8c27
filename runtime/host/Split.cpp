// Splitting strings, and joining neighbours.
#include "host/Host.h"

namespace tenon {

static bool isSpace(char c) { return c == ' ' || (c >= 9 && c <= 13); }

// Gives the pieces of a text one after the other.
struct Splitter {
  tenon_string rest, separator;
  int64_t splits; // that may still be made; negative: any number
  bool anyOf, skipEmpty;
  bool done = false, whole = false;

  size_t find() const {
    if (anyOf) {
      for (size_t i = 0; i < rest.size; ++i)
        if (memchr(separator.data, rest.data[i], separator.size))
          return i;
      return rest.size;
    }
    for (size_t i = 0; i + separator.size <= rest.size; ++i)
      if (!memcmp(rest.data + i, separator.data, separator.size))
        return i;
    return rest.size;
  }

  void skip(size_t bytes) {
    rest.data += bytes;
    rest.size -= bytes;
  }

  // The next piece between white space.
  bool nextWord(tenon_string &piece) {
    while (rest.size && isSpace(*rest.data))
      skip(1);
    if (done || (!rest.size && splits != 0))
      return false;
    if (splits == 0) { // all that is left is one piece
      piece = rest;
      done = true;
      return true;
    }
    size_t length = 0;
    while (length < rest.size && !isSpace(rest.data[length]))
      ++length;
    piece = {rest.data, length};
    skip(length);
    --splits;
    return true;
  }

  bool nextByte(tenon_string &piece) {
    if (!rest.size)
      return false;
    piece = {rest.data, 1};
    skip(1);
    return true;
  }

  bool nextPiece(tenon_string &piece) {
    if (!separator.size)
      return anyOf ? nextByte(piece) : nextWord(piece);
    if (done)
      return false;
    size_t length = splits == 0 ? rest.size : find();
    piece = {rest.data, length};
    if (length == rest.size) {
      done = true;
    } else {
      skip(length + (anyOf ? 1 : separator.size));
      --splits;
    }
    return true;
  }

  bool next(tenon_string &piece) {
    if (whole && !done) {
      piece = rest;
      return done = true;
    }
    while (nextPiece(piece))
      if (piece.size || !skipEmpty)
        return true;
    return false;
  }
};

TENON_HOST(string_split) {
  tenon_string separator = *call.strings(1), piece;
  int64_t count = call.inSize(0), pieces = 0, most = 0;
  int64_t limit = call.integer("max_split");
  auto splitter = [&](int64_t i) {
    tenon_string text = call.strings(0)[i];
    bool anyOf = call.flag("any_of");
    Splitter parts{text, separator, limit, anyOf, call.flag("skip_empty")};
    parts.whole = limit == 0;
    parts.done = anyOf && !text.size;
    return parts;
  };
  for (int64_t i = 0; i < count; ++i) {
    int64_t own = 0;
    for (Splitter parts = splitter(i); parts.next(piece);)
      ++own;
    pieces += own;
    most = own > most ? own : most;
  }
  if (!call.allocate(0, pieces, 2) || !call.allocate(1, pieces))
    return false;
  int64_t *index = call.out<int64_t>(0);
  tenon_string *value = call.out<tenon_string>(1);
  for (int64_t i = 0; i < count; ++i) {
    int64_t own = 0;
    for (Splitter parts = splitter(i); parts.next(piece);) {
      *index++ = i;
      *index++ = own++;
      *value++ = piece;
    }
  }
  call.out<int64_t>(2)[0] = count;
  call.out<int64_t>(2)[1] = most;
  return true;
}

// One row's joins of `width` neighbours, with padding on both sides.
struct Row {
  const tenon_string *values;
  int64_t length, pad; // padding on each side

  tenon_string at(int64_t i, tenon_string left, tenon_string right) const {
    if (i < pad)
      return left;
    return i < pad + length ? values[i - pad] : right;
  }
};

TENON_HOST(string_ngrams) {
  const tenon_tensor &splits = call.inputs[1];
  int64_t rows = call.inSize(1) - 1, values = call.inSize(0), total = 0;
  auto split = [&](int64_t i) {
    return splits.dtype.bits == 64 ? call.in<int64_t>(1)[i]
                                   : int64_t(call.in<int32_t>(1)[i]);
  };
  auto store = [&](int64_t i, int64_t value) {
    if (splits.dtype.bits == 64)
      call.out<int64_t>(1)[i] = value;
    else
      call.out<int32_t>(1)[i] = int32_t(value);
  };
  if (rows < 0)
    return call.allocate(0, 0);
  int64_t previous = 0;
  for (int64_t i = 0; i <= rows; ++i) {
    if (split(i) < previous || split(i) > values || (!i && split(i)))
      return call.fail("splits is not ascending from 0 to %lld: element %lld "
                       "is %lld",
                       (long long)values, (long long)i, (long long)split(i));
    previous = split(i);
  }
  if (previous != values)
    return call.fail("splits ends with %lld, expected %lld",
                     (long long)previous, (long long)values);
  int64_t widths = call.size("widths"), padWidth = call.integer("pad_width");
  bool preserve = call.flag("preserve_short");
  auto padding = [&](int64_t width) {
    return padWidth < 0 || padWidth > width - 1 ? width - 1 : padWidth;
  };
  auto joins = [&](int64_t length, int64_t width) {
    int64_t most = length + 2 * padding(width) - width + 1;
    return most > 0 ? most : 0;
  };
  // A short row is kept as one join when no width fits it.
  auto keptWhole = [&](int64_t length, int64_t found) {
    return preserve && !found && length > 0;
  };
  store(0, 0);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t length = split(row + 1) - split(row), found = 0;
    for (int64_t w = 0; w < widths; ++w)
      found += joins(length, call.integer("widths", w));
    total += found + keptWhole(length, found);
    store(row + 1, total);
  }
  if (!call.allocate(0, total))
    return false;
  StringWriter writer(call, 0);
  tenon_string separator = call.text("separator"), left = call.text("left_pad"),
               right = call.text("right_pad");
  auto write = [&](const Row &row, int64_t first, int64_t width) {
    for (int64_t k = 0; k < width && !writer.failed; ++k) {
      if (k)
        writer.add(separator);
      writer.add(row.at(first + k, left, right));
    }
    writer.end();
  };
  for (int64_t i = 0; i < rows; ++i) {
    int64_t length = split(i + 1) - split(i), found = 0;
    Row row{call.strings(0) + split(i), length, 0};
    for (int64_t w = 0; w < widths; ++w) {
      int64_t width = call.integer("widths", w);
      row.pad = padding(width);
      int64_t own = joins(length, width);
      for (int64_t k = 0; k < own && !writer.failed; ++k)
        write(row, k, width);
      found += own;
    }
    if (keptWhole(length, found)) {
      row.pad = padWidth < 0 ? 0 : padWidth;
      write(row, 0, length + 2 * row.pad);
    }
  }
  return writer.finish();
}

} // namespace tenon
