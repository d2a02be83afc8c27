// Summaries of images, as PNG files whose bytes are not compressed.
#include "host/Element.h"
#include "host/Proto.h"
#include "host/Small.h"

#include <math.h>

namespace tenon {

namespace {

uint32_t crc32(const char *bytes, int64_t count, uint32_t crc) {
  crc = ~crc;
  for (int64_t i = 0; i < count; ++i) {
    crc ^= uint8_t(bytes[i]);
    for (int bit = 0; bit < 8; ++bit)
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

void addBig(Bytes &to, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    to.add(char(value >> shift));
}

void addChunk(Bytes &to, const char *type, const Bytes &data) {
  addBig(to, uint32_t(data.size));
  int64_t start = to.size;
  to.add(type);
  to.add(data.data, data.size);
  if (!to.failed)
    addBig(to, crc32(to.data + start, to.size - start, 0));
}

// Rows of `width` pixels, one byte per channel.
void addPng(Bytes &to, const uint8_t *pixels, int64_t height, int64_t width,
            int64_t channels) {
  static const char signature[] = {char(0x89), 'P',  'N',    'G',
                                   '\r',       '\n', '\x1a', '\n'};
  to.add(signature, 8);
  Bytes header(to.call);
  addBig(header, uint32_t(width));
  addBig(header, uint32_t(height));
  // Bits; grey, colours, or colours and opacity; no filter, not interlaced.
  const char kind[] = {8,
                       char(channels == 1   ? 0
                            : channels == 3 ? 2
                                            : 6),
                       0, 0, 0};
  header.add(kind, 5);
  addChunk(to, "IHDR", header);
  // Each row after the number of its filter, none.
  Bytes rows(to.call);
  for (int64_t y = 0; y < height; ++y) {
    rows.add(char(0));
    rows.add(pixels + y * width * channels, width * channels);
  }
  Bytes data(to.call);
  data.add("\x78\x01", 2);
  uint32_t low = 1, high = 0;
  for (int64_t at = 0; at < rows.size || !at;) {
    int64_t rest = rows.size - at, size = rest < 65535 ? rest : 65535;
    const char block[] = {char(size == rest), char(size), char(size >> 8),
                          char(~size), char(~size >> 8)};
    data.add(block, 5);
    data.add(rows.data + at, size);
    for (int64_t i = 0; i < size; ++i) {
      low = (low + uint8_t(rows.data[at + i])) % 65521;
      high = (high + low) % 65521;
    }
    at += size;
    if (!size)
      break;
  }
  addBig(data, high << 16 | low);
  addChunk(to, "IDAT", data);
  addChunk(to, "IEND", Bytes(to.call));
}

// Numbers as bytes: scaled so that the greatest is 255, or where some are
// negative, so that 0 is 128 and the greatest by size 127 away.
template <typename T>
void toBytes(const T *from, int64_t pixels, int64_t channels,
             const uint8_t *bad, uint8_t *to) {
  auto finite = [&](int64_t i) {
    for (int64_t c = 0; c < channels; ++c)
      if (!isFinite(double(from[i * channels + c])))
        return false;
    return true;
  };
  float least = __builtin_inff(), most = -least;
  for (int64_t i = 0; i < pixels; ++i)
    for (int64_t c = 0; finite(i) && c < channels; ++c) {
      float value = float(from[i * channels + c]);
      least = value < least ? value : least;
      most = value > most ? value : most;
    }
  bool negative = least < 0;
  float extent = negative && -least > fabsf(most) ? -least
                 : negative                       ? fabsf(most)
                                                  : most;
  T scale = T(extent < 1e-6f ? 0.0f : (negative ? 127.0f : 255.0f) / extent),
    offset = T(negative ? 128.0f : 0.0f);
  for (int64_t i = 0; i < pixels; ++i) {
    bool good = finite(i);
    for (int64_t c = 0; c < channels; ++c)
      to[i * channels + c] =
          good ? uint8_t(T(T(from[i * channels + c] * scale) + offset))
               : bad[c];
  }
}

} // namespace

TENON_HOST(image_summary) {
  const tenon_tensor &images = call.inputs[1];
  int64_t height = images.shape[1], width = images.shape[2],
          channels = images.shape[3], most = call.integer("most");
  if (channels != 1 && channels != 3 && channels != 4)
    return call.fail("images have %lld channels, expected 1, 3 or 4",
                     (long long)channels);
  if (height < 1 || width < 1 || height > 1 << 29 || width > 1 << 29 ||
      height * width >= 1 << 29)
    return call.fail("images of %lldx%lld cannot be encoded", (long long)height,
                     (long long)width);
  bool plain = images.dtype.code == TENON_UINT && images.dtype.bits == 8;
  if (!plain && call.inSize(2) < channels)
    return call.fail("bad_color has %lld elements, images have %lld channels",
                     (long long)call.inSize(2), (long long)channels);
  int64_t pixels = height * width, size = pixels * channels;
  uint8_t *scaled = call.array<uint8_t>(size);
  if (!scaled)
    return false;
  tenon_string tag = *call.strings(0);
  StringWriter writer(call, 0);
  for (int64_t i = 0; i < images.shape[0] && i < most; ++i) {
    const uint8_t *bytes = call.in<uint8_t>(1) + i * size;
    if (!plain) {
      if (!withType(images.dtype, [&](auto zero) {
            using T = decltype(zero);
            if constexpr (IsFloating<T>::value)
              toBytes(call.in<T>(1) + i * size, pixels, channels,
                      call.in<uint8_t>(2), scaled);
            return IsFloating<T>::value;
          }))
        return call.fail("images are neither bytes nor floats");
      bytes = scaled;
    }
    Bytes name(call), image(call), value(call), png(call);
    name.add(tag);
    name.add("/image");
    if (most > 1)
      name.print("/%lld", (long long)i);
    // Image { height = 1, width = 2, colorspace = 3, encoded_image = 4 }.
    const int64_t fields[] = {height, width, channels};
    for (uint32_t field = 0; field < 3; ++field) {
      addTag(image, field + 1, 0);
      addVarint(image, uint64_t(fields[field]));
    }
    addPng(png, bytes, height, width, channels);
    addField(image, 4, png);
    addField(value, 1, name);
    addField(value, 4, image);
    addField(writer, 1, value);
  }
  writer.end();
  return writer.finish();
}

} // namespace tenon
