// Dilation: the greatest sum of a window's elements and a filter's, and its
// gradients.
#include "host/Host.h"
#include "host/Small.h"

namespace tenon {

namespace {

// A filter [height, width, channels] over images [n, height, width, channels].
struct Windows {
  HostCall &call;
  const int64_t *image, *filter;
  int64_t out[2], before[2], stride[2], rate[2];

  explicit Windows(HostCall &call)
      : call(call), image(call.inputs[0].shape), filter(call.inputs[1].shape) {}

  bool init() {
    if (image[3] != filter[2])
      return call.fail("images have %lld channels, the filter %lld",
                       (long long)image[3], (long long)filter[2]);
    for (int d = 0; d < 2; ++d) {
      stride[d] = call.integer("strides", d);
      rate[d] = call.integer("rates", d);
      int64_t size = image[d + 1], extent = (filter[d] - 1) * rate[d] + 1;
      if (call.flag("same")) {
        out[d] = (size + stride[d] - 1) / stride[d];
        int64_t missing = (out[d] - 1) * stride[d] + extent - size;
        before[d] = missing > 0 ? missing / 2 : 0;
        continue;
      }
      before[d] = 0;
      if (size - extent + 1 < 0)
        return call.fail("a filter of extent %lld does not fit %lld elements",
                         (long long)extent, (long long)size);
      out[d] = (size - extent + stride[d]) / stride[d];
    }
    return true;
  }

  // Whether tensor i has the shape of a result.
  bool fits(int32_t i) const {
    const int64_t *shape = call.inputs[i].shape;
    if (shape[0] == image[0] && shape[1] == out[0] && shape[2] == out[1] &&
        shape[3] == image[3])
      return true;
    return call.fail("the gradient has shape %lldx%lldx%lldx%lld, expected "
                     "%lldx%lldx%lldx%lld",
                     (long long)shape[0], (long long)shape[1],
                     (long long)shape[2], (long long)shape[3],
                     (long long)image[0], (long long)out[0], (long long)out[1],
                     (long long)image[3]);
  }

  // Calls `take` for each element of the result in order with the greatest sum
  // and where it is, the first of equal ones, in image and filter; -1 where
  // nothing is greater than the lowest number.
  template <typename T, typename Take> void each(Take take) const {
    const T *pixels = call.in<T>(0), *weights = call.in<T>(1);
    int64_t element = 0;
    for (int64_t b = 0; b < image[0]; ++b)
      for (int64_t y = 0; y < out[0]; ++y)
        for (int64_t x = 0; x < out[1]; ++x)
          for (int64_t c = 0; c < image[3]; ++c, ++element) {
            int64_t top = y * stride[0] - before[0],
                    left = x * stride[1] - before[1];
            T best = lowest<T>();
            // Where the gradient of a window without a greatest sum goes.
            int64_t startRow = top < 0 ? 0 : top,
                    startColumn = left < 0 ? 0 : left;
            int64_t pixel = startRow < image[1] && startColumn < image[2]
                                ? place(b, startRow, startColumn, c)
                                : -1,
                    weight = c;
            for (int64_t i = 0; i < filter[0]; ++i) {
              int64_t row = top + i * rate[0];
              if (row < 0 || row >= image[1])
                continue;
              for (int64_t j = 0; j < filter[1]; ++j) {
                int64_t column = left + j * rate[1];
                if (column < 0 || column >= image[2])
                  continue;
                int64_t from = place(b, row, column, c),
                        with = (i * filter[1] + j) * filter[2] + c;
                T value = sum(pixels[from], weights[with]);
                if (value > best) {
                  best = value;
                  pixel = from;
                  weight = with;
                }
              }
            }
            take(element, best, pixel, weight);
          }
  }

private:
  int64_t place(int64_t b, int64_t row, int64_t column, int64_t c) const {
    return ((b * image[1] + row) * image[2] + column) * image[3] + c;
  }
};

// Adds the gradient's elements where `choose` says.
template <typename Choose> bool scatter(HostCall &call, Choose choose) {
  Windows windows(call);
  if (!windows.init() || !windows.fits(2) || !call.allocate(0))
    return false;
  tenon_tensor &result = call.outputs[0];
  memset(result.data, 0,
         size_t(call.outSize(0)) * size_t(dtypeBytes(result.dtype)));
  if (!call.outSize(0))
    return true;
  return withType(result.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T *grad = call.in<T>(2);
    T *to = call.out<T>(0);
    windows.each<T>([&](int64_t element, T, int64_t pixel, int64_t weight) {
      int64_t at = choose(pixel, weight);
      if (at >= 0)
        to[at] = sum(to[at], grad[element]);
    });
    return true;
  });
}

} // namespace

TENON_HOST(dilation) {
  Windows windows(call);
  if (!windows.init())
    return false;
  const int64_t shape[] = {windows.image[0], windows.out[0], windows.out[1],
                           windows.image[3]};
  memcpy(call.outputs[0].shape, shape, sizeof shape);
  if (!call.allocate(0))
    return false;
  return withType(call.outputs[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    T *to = call.out<T>(0);
    windows.each<T>(
        [&](int64_t element, T best, int64_t, int64_t) { to[element] = best; });
    return true;
  });
}

TENON_HOST(dilation_image_grad) {
  return scatter(call, [](int64_t pixel, int64_t) { return pixel; });
}

TENON_HOST(dilation_filter_grad) {
  bool empty = call.inSize(1) == 0;
  return scatter(call, [=](int64_t, int64_t weight) {
    return empty ? int64_t(-1) : weight;
  });
}

} // namespace tenon
