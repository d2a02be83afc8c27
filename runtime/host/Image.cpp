// Images [n, height, width, channels]: resizing, crops' gradients, projections.
#include "host/Element.h"
#include "host/Host.h"
#include "host/Small.h"

#include <math.h>

namespace tenon {

namespace {

struct Shape4 {
  int64_t batch, height, width, channels;

  explicit Shape4(const tenon_tensor &tensor)
      : batch(tensor.shape[0]), height(tensor.shape[1]), width(tensor.shape[2]),
        channels(tensor.shape[3]) {}
  int64_t at(int64_t b, int64_t y, int64_t x) const {
    return ((b * height + y) * width + x) * channels;
  }
  int64_t size() const { return batch * height * width * channels; }
};

int64_t clamp(int64_t value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : value;
}

// Memory for images of `size` (operand i, [height, width]).
bool allocateImages(HostCall &call, int32_t i) {
  const tenon_tensor &from = call.inputs[0], &size = call.inputs[i];
  tenon_tensor &result = call.outputs[0];
  int64_t height = integerAt(size, 0), width = integerAt(size, 1);
  if (height <= 0 || width <= 0)
    return call.fail("images of size %lldx%lld, expected positive sizes",
                     (long long)height, (long long)width);
  int64_t shape[] = {from.shape[0], height, width, from.shape[3]};
  memcpy(result.shape, shape, sizeof shape);
  return call.allocate(0);
}

// Numbers of any type as floats, `count` of them; NULL without memory.
float *toFloats(HostCall &call, const tenon_tensor &tensor, int64_t count) {
  float *result = call.array<float>(count);
  if (!result)
    return nullptr;
  withType(tensor.dtype, [&](auto zero) {
    auto *from = static_cast<const decltype(zero) *>(tensor.data);
    for (int64_t i = 0; i < count; ++i)
      result[i] = float(from[i]);
    return true;
  });
  return result;
}

//===----------------------------------------------------------------------===//
// Means of areas
//===----------------------------------------------------------------------===//

// Where one element of the result lies in the image, along one dimension.
struct Cover {
  int64_t start, end;
  float low, high, scale; // from `low` to `high`

  Cover(int64_t i, float scale)
      : low(float(i) * scale), high(float(i + 1) * scale), scale(scale) {
    start = int64_t(floorf(low));
    end = int64_t(ceilf(high));
  }
  // How much of element i is in it.
  float weight(int64_t i) const {
    bool last = float(i + 1) > high;
    if (float(i) < low)
      return last ? scale : float(i + 1) - low;
    return last ? high - float(i) : 1;
  }
};

float areaScale(int64_t from, int64_t to, bool align) {
  return align && from > 1 && to > 1 ? float(from - 1) / float(to - 1)
                                     : float(from) / float(to);
}

} // namespace

TENON_HOST(resize_area) {
  Shape4 from(call.inputs[0]);
  if (!allocateImages(call, 1))
    return false;
  Shape4 to(call.outputs[0]);
  if (from.height < 1 || from.width < 1)
    return call.fail("an image without elements");
  const float *pixels = toFloats(call, call.inputs[0], from.size());
  if (!pixels)
    return false;
  bool align = call.flag("align_corners");
  float scaleY = areaScale(from.height, to.height, align),
        scaleX = areaScale(from.width, to.width, align);
  float scale = float(1.0 / double(scaleY * scaleX));
  float *out = call.out<float>(0);
  for (int64_t b = 0; b < to.batch; ++b)
    for (int64_t y = 0; y < to.height; ++y) {
      Cover rows(y, scaleY);
      for (int64_t x = 0; x < to.width; ++x) {
        Cover columns(x, scaleX);
        for (int64_t c = 0; c < to.channels; ++c) {
          float sum = 0;
          for (int64_t i = rows.start; i < rows.end; ++i) {
            const float *row =
                pixels + from.at(b, clamp(i, 0, from.height - 1), 0) + c;
            auto at = [&](int64_t j) {
              return row[from.channels * clamp(j, 0, from.width - 1)];
            };
            float along = at(columns.start) * columns.weight(columns.start);
            if (columns.start + 1 != columns.end) {
              for (int64_t j = columns.start + 1; j < columns.end - 1; ++j)
                along += at(j);
              along += at(columns.end - 1) * columns.weight(columns.end - 1);
            }
            sum += along * rows.weight(i);
          }
          *out++ = sum * scale;
        }
      }
    }
  return true;
}

//===----------------------------------------------------------------------===//
// Sampling through a kernel
//===----------------------------------------------------------------------===//

namespace {

struct Kernel {
  enum Kind { Lanczos, Gaussian, Box, Triangle, KeysCubic, MitchellCubic } kind;
  float radius;

  explicit Kernel(tenon_string name) {
    kind = Lanczos;
    radius = name.size ? float(name.data[name.size - 1] - '0') : 1;
    if (equal(name, "gaussian"))
      kind = Gaussian, radius = 1.5f;
    else if (equal(name, "box"))
      kind = Box, radius = 1;
    else if (equal(name, "triangle"))
      kind = Triangle, radius = 1;
    else if (equal(name, "keyscubic"))
      kind = KeysCubic, radius = 2;
    else if (equal(name, "mitchellcubic"))
      kind = MitchellCubic, radius = 2;
  }

  // At a distance x >= 0.
  float operator()(float x) const {
    constexpr float pi = 3.14159265359f;
    switch (kind) {
    case Lanczos:
      if (x > radius)
        return 0;
      if (x <= 1e-3f)
        return 1;
      return radius * sinf(pi * x) * sinf(pi * x / radius) / (pi * pi * x * x);
    case Gaussian: {
      float sigma = radius / 3;
      return x >= radius ? 0
                         : float(exp(double(-x * x) /
                                     (2.0 * double(sigma) * double(sigma))));
    }
    case Box:
      return x < 0.5f ? 1 : x == 0.5f ? 0.5f : 0;
    case Triangle:
      return x < 1 ? 1 - x : 0;
    case KeysCubic:
      if (x >= 2)
        return 0;
      return x >= 1 ? ((-0.5f * x + 2.5f) * x - 4) * x + 2
                    : ((1.5f * x - 2.5f) * x) * x + 1;
    case MitchellCubic:
      if (x >= 2)
        return 0;
      return x >= 1 ? (((-7.0f / 18) * x + 2) * x - 10.0f / 3) * x + 16.0f / 9
                    : (((7.0f / 6) * x - 2) * x) * x + 8.0f / 9;
    }
    return 0;
  }
};

// Which elements each element of the result is a sum of, along one dimension:
// `size` of them from starts[i] on, at most up to `limit`.
struct Spans {
  int64_t size = 0, count = 0, limit = 0;
  int64_t *starts = nullptr;
  float *weights = nullptr;

  bool make(HostCall &call, int64_t results, int64_t elements, int64_t width) {
    count = results;
    limit = elements;
    size = width;
    starts = call.array<int64_t>(results);
    weights = call.array<float>(results * width);
    if (!starts || !weights)
      return false;
    memset(starts, 0, size_t(results) * 8);
    memset(weights, 0, size_t(results * width) * 4);
    return true;
  }

  int64_t end(int64_t i) const {
    return starts[i] + size < limit ? starts[i] + size : limit;
  }

  // Sums of rows of `stride` floats.
  void apply(const float *from, float *to, int64_t stride) const {
    memset(to, 0, size_t(count * stride) * 4);
    for (int64_t i = 0; i < count; ++i, to += stride)
      for (int64_t j = starts[i]; j < end(i); ++j) {
        float weight = weights[i * size + j - starts[i]];
        for (int64_t k = 0; k < stride; ++k)
          to[k] += weight * from[j * stride + k];
      }
  }
};

bool computeSpans(HostCall &call, const Kernel &kernel, int64_t results,
                  int64_t elements, float scale, float translation,
                  Spans &spans) {
  float inverse = float(1.0 / double(scale)), offset = -inverse * translation;
  float widen = call.flag("antialias") && inverse > 1 ? inverse : 1;
  float reach = kernel.radius * widen;
  int64_t width =
      reach < 1e9f ? 2 * int64_t(ceilf(reach)) + 1 : int64_t(1) << 31;
  width = width < elements ? width : elements;
  if (!spans.make(call, results, elements, width))
    return false;
  float narrow = 1.0f / widen;
  for (int64_t x = 0; x < results; ++x) {
    float sample = (float(x) + 0.5f) * inverse + offset;
    if (!(sample >= 0 && sample <= float(elements)))
      continue;
    int64_t start =
                clamp(int64_t(ceilf(sample - reach - 0.5f)), 0, elements - 1),
            end =
                clamp(int64_t(floorf(sample + reach - 0.5f)), 0, elements - 1) +
                1;
    if (end - start > width)
      end = start + width;
    float *weights = spans.weights + width * x, total = 0;
    for (int64_t i = start; i < end; ++i) {
      float distance = float(i) + 0.5f - sample;
      float weight = kernel(fabsf(distance * narrow));
      total += weight;
      weights[i - start] = weight;
    }
    float one = fabsf(total) >= 1000 * __FLT_MIN__ ? 1 / total : 0;
    for (int64_t i = start; i < end; ++i)
      weights[i - start] = one != 0 ? weights[i - start] * one : 0;
    spans.starts[x] = start;
  }
  return true;
}

// For each element the results that it is part of.
bool transpose(HostCall &call, const Spans &spans, Spans &result) {
  int64_t *last = call.array<int64_t>(spans.limit),
          *first = call.array<int64_t>(spans.limit), width = 0;
  if (!last || !first)
    return false;
  for (int64_t i = 0; i < spans.limit; ++i)
    first[i] = -1;
  auto each = [&](auto take) {
    for (int64_t i = 0; i < spans.count; ++i)
      for (int64_t j = spans.starts[i]; j < spans.end(i); ++j) {
        float weight = spans.weights[i * spans.size + j - spans.starts[i]];
        if (weight != 0)
          take(i, j, weight);
      }
  };
  each([&](int64_t i, int64_t j, float) {
    first[j] = first[j] < 0 ? i : first[j];
    last[j] = i;
    width = width > i - first[j] + 1 ? width : i - first[j] + 1;
  });
  if (!result.make(call, spans.limit, spans.count, width))
    return false;
  for (int64_t j = 0; j < spans.limit; ++j)
    result.starts[j] = first[j] < 0 ? 0 : first[j];
  each([&](int64_t i, int64_t j, float weight) {
    result.weights[j * width + i - result.starts[j]] += weight;
  });
  return true;
}

// Scale and translation, operands 2 and 3, of dimension d.
bool readSpans(HostCall &call, int64_t d, int64_t results, int64_t elements,
               Spans &spans) {
  float scale = call.in<float>(2)[d], translation = call.in<float>(3)[d];
  if (!(scale > 0))
    return call.fail("scale is %g, expected a positive number", double(scale));
  return computeSpans(call, Kernel(call.text("kernel")), results, elements,
                      scale, translation, spans);
}

// Rows, then columns.
bool sample(HostCall &call, const float *from, const Shape4 &shape,
            const Spans &rows, const Spans &columns, float *to) {
  int64_t rowSize = shape.width * shape.channels;
  float *between = call.array<float>(rows.count * rowSize);
  if (!between)
    return false;
  for (int64_t b = 0; b < shape.batch; ++b) {
    rows.apply(from + b * shape.height * rowSize, between, rowSize);
    for (int64_t y = 0; y < rows.count; ++y) {
      columns.apply(between + y * rowSize, to, shape.channels);
      to += columns.count * shape.channels;
    }
  }
  return true;
}

} // namespace

TENON_HOST(scale_translate) {
  Shape4 from(call.inputs[0]);
  if (!allocateImages(call, 1))
    return false;
  Shape4 to(call.outputs[0]);
  if (from.height < 1 || from.width < 1 || from.channels < 1)
    return call.fail("an image without elements");
  const float *pixels = toFloats(call, call.inputs[0], from.size());
  Spans rows, columns;
  return pixels && readSpans(call, 0, to.height, from.height, rows) &&
         readSpans(call, 1, to.width, from.width, columns) &&
         sample(call, pixels, from, rows, columns, call.out<float>(0));
}

TENON_HOST(scale_translate_grad) {
  Shape4 grad(call.inputs[0]), image(call.inputs[1]);
  if (!call.allocate(0))
    return false;
  Spans rows, columns, rowsBack, columnsBack;
  return readSpans(call, 0, grad.height, image.height, rows) &&
         readSpans(call, 1, grad.width, image.width, columns) &&
         transpose(call, rows, rowsBack) &&
         transpose(call, columns, columnsBack) &&
         sample(call, call.in<float>(0), grad, rowsBack, columnsBack,
                call.out<float>(0));
}

//===----------------------------------------------------------------------===//
// Gradients of crops
//===----------------------------------------------------------------------===//

namespace {

// How elements of crops lie in the image, along one dimension.
struct Samples {
  float first, last, most, ratio, step;
  int64_t count;

  Samples(float first, float last, int64_t image, int64_t count,
          bool ratioFirst)
      : first(first), last(last), most(float(image - 1)), count(count) {
    ratio = count > 1 ? most / float(count - 1) : 0;
    step = count <= 1   ? 0
           : ratioFirst ? (last - first) * ratio
                        : (last - first) * most / float(count - 1);
  }
  float at(int64_t i) const {
    return count > 1 ? first * most + float(i) * step
                     : float(0.5 * double(first + last) * double(most));
  }
  bool inside(float place) const { return place >= 0 && place <= most; }
};

bool checkNumbers(HostCall &call, int32_t operand, int64_t boxes,
                  int64_t images) {
  if (call.inSize(operand) != boxes || call.inputs[0].shape[0] != boxes)
    return call.fail("%lld boxes, %lld image numbers and %lld crops",
                     (long long)boxes, (long long)call.inSize(operand),
                     (long long)call.inputs[0].shape[0]);
  for (int64_t b = 0; b < boxes; ++b) {
    int64_t number = integerAt(call.inputs[operand], b);
    if (number < 0 || number >= images)
      return call.fail("box %lld is of image %lld, there are %lld",
                       (long long)b, (long long)number, (long long)images);
  }
  return true;
}

} // namespace

TENON_HOST(crop_image_grad) {
  tenon_tensor &result = call.outputs[0];
  for (int d = 0; d < 4; ++d)
    result.shape[d] = integerAt(call.inputs[3], d);
  if (!call.allocate(0))
    return false;
  Shape4 crops(call.inputs[0]), image(result);
  if (image.height < 1 || image.width < 1 || image.channels != crops.channels)
    return call.fail("an image without elements, or with other channels");
  if (!checkNumbers(call, 2, call.inputs[1].shape[0], image.batch))
    return false;
  bool nearest = call.flag("nearest");
  memset(result.data, 0,
         size_t(image.size()) * size_t(dtypeBytes(result.dtype)));
  const float *grad = call.in<float>(0);
  return withType(result.dtype, [&](auto zero) {
    using T = decltype(zero);
    T *out = static_cast<T *>(result.data);
    for (int64_t b = 0; b < crops.batch; ++b) {
      const float *box = call.in<float>(1) + 4 * b;
      int64_t number = integerAt(call.inputs[2], b);
      Samples rows(box[0], box[2], image.height, crops.height, false),
          columns(box[1], box[3], image.width, crops.width, false);
      for (int64_t y = 0; y < crops.height; ++y) {
        float inY = rows.at(y);
        if (!rows.inside(inY))
          continue;
        int64_t top = int64_t(floorf(inY)), bottom = int64_t(ceilf(inY));
        float down = inY - float(top);
        for (int64_t x = 0; x < crops.width; ++x) {
          float inX = columns.at(x);
          if (!columns.inside(inX))
            continue;
          const float *from = grad + crops.at(b, y, x);
          auto add = [&](int64_t row, int64_t column, int64_t c, float value) {
            T &to = out[image.at(number, row, column) + c];
            to = sum(to, T(value));
          };
          if (nearest) {
            for (int64_t c = 0; c < crops.channels; ++c)
              add(int64_t(roundf(inY)), int64_t(roundf(inX)), c, from[c]);
            continue;
          }
          int64_t left = int64_t(floorf(inX)), right = int64_t(ceilf(inX));
          float along = inX - float(left);
          for (int64_t c = 0; c < crops.channels; ++c) {
            float upper = (1 - down) * from[c], lower = down * from[c];
            add(top, left, c, (1 - along) * upper);
            add(top, right, c, along * upper);
            add(bottom, left, c, (1 - along) * lower);
            add(bottom, right, c, along * lower);
          }
        }
      }
    }
    return true;
  });
}

TENON_HOST(crop_boxes_grad) {
  if (!call.allocate(0))
    return false;
  Shape4 crops(call.inputs[0]), image(call.inputs[1]);
  if (image.height < 1 || image.width < 1 || image.channels != crops.channels)
    return call.fail("an image without elements, or with other channels");
  if (!checkNumbers(call, 3, call.inputs[2].shape[0], image.batch))
    return false;
  const float *pixels = toFloats(call, call.inputs[1], image.size());
  float *out = call.out<float>(0);
  if (!pixels)
    return false;
  memset(out, 0, size_t(crops.batch) * 16);
  for (int64_t b = 0; b < crops.batch; ++b, out += 4) {
    const float *box = call.in<float>(2) + 4 * b;
    int64_t number = integerAt(call.inputs[3], b);
    Samples rows(box[0], box[2], image.height, crops.height, true),
        columns(box[1], box[3], image.width, crops.width, true);
    for (int64_t y = 0; y < crops.height; ++y) {
      float inY = rows.at(y);
      if (!rows.inside(inY))
        continue;
      int64_t top = int64_t(floorf(inY)), bottom = int64_t(ceilf(inY));
      float down = inY - float(top);
      for (int64_t x = 0; x < crops.width; ++x) {
        float inX = columns.at(x);
        if (!columns.inside(inX))
          continue;
        int64_t left = int64_t(floorf(inX)), right = int64_t(ceilf(inX));
        float along = inX - float(left);
        for (int64_t c = 0; c < crops.channels; ++c) {
          auto at = [&](int64_t row, int64_t column) {
            return pixels[image.at(number, row, column) + c];
          };
          float upperLeft = at(top, left), upperRight = at(top, right),
                lowerLeft = at(bottom, left), lowerRight = at(bottom, right);
          float dy = (1 - along) * (lowerLeft - upperLeft) +
                     along * (lowerRight - upperRight);
          float dx = (1 - down) * (upperRight - upperLeft) +
                     down * (lowerRight - lowerLeft);
          float grad = call.in<float>(0)[crops.at(b, y, x) + c];
          dy *= grad;
          dx *= grad;
          auto add = [&](int part, float change, const Samples &samples,
                         int64_t i) {
            if (samples.count > 1) {
              float share = float(i) * samples.ratio;
              out[part] += change * (samples.most - share);
              out[part + 2] += change * share;
              return;
            }
            double half = double(change) * 0.5 * double(samples.most);
            out[part] = float(double(out[part]) + half);
            out[part + 2] = float(double(out[part + 2]) + half);
          };
          add(0, dy, rows, y);
          add(1, dx, columns, x);
        }
      }
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Projections
//===----------------------------------------------------------------------===//

namespace {

enum class Outside { Constant, Reflect, Wrap, Nearest };

// The place in an image of size `length` that stands for one outside.
float mapped(float place, int64_t length, Outside outside) {
  float last = float(length - 1);
  if (outside != Outside::Constant && !(fabsf(place) < 0x1p60f))
    return place > 0 ? last : 0; // so far away no place is exact
  switch (outside) {
  case Outside::Constant:
    return place;
  case Outside::Reflect:
    if (place < 0) {
      if (length <= 1)
        return 0;
      int64_t twice = 2 * length;
      if (place < float(twice))
        place = float(twice * int64_t(-place / float(twice))) + place;
      place = place < float(-length) ? place + float(twice) : -place - 1;
    } else if (place > last) {
      if (length <= 1)
        return 0;
      int64_t twice = 2 * length;
      place -= float(twice * int64_t(place / float(twice)));
      if (place >= float(length))
        place = float(twice) - place - 1;
    }
    break;
  case Outside::Wrap:
    if (place < 0) {
      if (length <= 1)
        return 0;
      place += float(length * (int64_t(-place / last) + 1));
    } else if (place > last) {
      if (length <= 1)
        return 0;
      place -= float(length * int64_t(place / last));
    }
    break;
  case Outside::Nearest:
    break;
  }
  return place < 0 ? 0 : place > last ? last : place;
}

} // namespace

TENON_HOST(projective_transform) {
  Shape4 from(call.inputs[0]);
  if (!allocateImages(call, 2))
    return false;
  Shape4 to(call.outputs[0]);
  const tenon_tensor &transforms = call.inputs[1];
  if (transforms.shape[1] != 8 ||
      (transforms.shape[0] != 1 && transforms.shape[0] != from.batch))
    return call.fail("%lldx%lld transforms of %lld images",
                     (long long)transforms.shape[0],
                     (long long)transforms.shape[1], (long long)from.batch);
  tenon_string mode = call.text("mode");
  Outside outside = equal(mode, "REFLECT")   ? Outside::Reflect
                    : equal(mode, "WRAP")    ? Outside::Wrap
                    : equal(mode, "NEAREST") ? Outside::Nearest
                                             : Outside::Constant;
  bool bilinear = call.flag("bilinear");
  return withType(call.inputs[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const T *pixels = call.in<T>(0), fill = T(*call.in<float>(3));
    T *out = call.out<T>(0);
    for (int64_t b = 0; b < to.batch; ++b)
      for (int64_t y = 0; y < to.height; ++y)
        for (int64_t x = 0; x < to.width; ++x, out += to.channels) {
          const float *t =
              call.in<float>(1) + (transforms.shape[0] == 1 ? 0 : 8 * b);
          float column = float(x), row = float(y);
          float depth = t[6] * column + t[7] * row + 1;
          float inX = (t[0] * column + t[1] * row + t[2]) / depth,
                inY = (t[3] * column + t[4] * row + t[5]) / depth;
          inX = mapped(inX, from.width, outside);
          inY = mapped(inY, from.height, outside);
          // Farther than a pixel away there is nothing to mix.
          bool inside = depth != 0 && inX > -2 && inX < float(from.width + 1) &&
                        inY > -2 && inY < float(from.height + 1);
          for (int64_t c = 0; c < to.channels; ++c) {
            auto at = [&](float rowPlace, float columnPlace) {
              int64_t i = int64_t(rowPlace), j = int64_t(columnPlace);
              return i >= 0 && i < from.height && j >= 0 && j < from.width
                         ? pixels[from.at(b, i, j) + c]
                         : fill;
            };
            if (!inside) {
              out[c] = fill;
            } else if (!bilinear) {
              out[c] = at(roundf(inY), roundf(inX));
            } else {
              float top = floorf(inY), left = floorf(inX), bottom = top + 1,
                    right = left + 1;
              auto mixed = [&](float rowPlace) {
                return (right - inX) * float(at(rowPlace, left)) +
                       (inX - left) * float(at(rowPlace, right));
              };
              out[c] =
                  T((bottom - inY) * mixed(top) + (inY - top) * mixed(bottom));
            }
          }
        }
    return true;
  });
}

} // namespace tenon
