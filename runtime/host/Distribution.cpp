// Numbers drawn by methods that take a number of tries.
#include "host/Element.h"
#include "host/Host.h"
#include "host/Philox.h"

namespace tenon {

namespace {

// The result's shape: what operand 0 says, then the dimensions of `more`.
bool allocateDrawn(HostCall &call, const tenon_tensor *more = nullptr) {
  tenon_tensor &result = call.outputs[0];
  int64_t rank = call.inSize(0);
  for (int64_t d = 0; d < rank; ++d) {
    result.shape[d] = integerAt(call.inputs[0], d);
    if (result.shape[d] < 0)
      return call.fail("size %lld is negative", (long long)result.shape[d]);
  }
  for (int32_t d = 0; more && d < more->ndim; ++d)
    result.shape[rank + d] = more->shape[d];
  return call.allocate(0);
}

// The counter after `blocks` blocks, the second result.
void setNext(HostCall &call, int32_t counter, uint64_t blocks) {
  const uint64_t *from = call.in<uint64_t>(counter);
  uint64_t *to = call.out<uint64_t>(1);
  to[0] = from[0] + blocks;
  to[1] = from[1] + (to[0] < from[0]);
}

bool withFloat(HostCall &call, auto function) {
  return withType(call.outputs[0].dtype, [&](auto zero) {
    if constexpr (IsFloating<decltype(zero)>::value)
      return function(zero);
    return false;
  });
}

// One element each of T, rounded to T: what C++ does with float and double.
template <typename T> T logarithm(T x) { return T(logf(x)); }
template <> double logarithm(double x) { return log(x); }
template <typename T> T exponential(T x) { return T(expf(x)); }
template <> double exponential(double x) { return exp(x); }
template <typename T> T root(T x) { return T(sqrtf(x)); }
template <> double root(double x) { return sqrt(x); }

// Numbers of one kind out of blocks; the last of a block comes first.
template <typename T, void (*draw)(Philox &, T (&)[blockNumbers<T>])>
struct Buffer {
  T numbers[blockNumbers<T>];
  int left = 0;

  T take(Philox &generator) {
    if (!left) {
      draw(generator, numbers);
      left = blockNumbers<T>;
    }
    return numbers[--left];
  }
};

// A gamma distributed number of shape alpha, by Marsaglia and Tsang's method:
// a normal number is transformed, and accepted by a uniform one.
double drawGamma(Philox generator, double alpha) {
  if (alpha == 1) { // exponentially distributed
    double numbers[2];
    drawUniform(generator, numbers);
    return -log1p(-numbers[1]);
  }
  bool small = alpha < 1;
  double d = alpha + (small ? 2.0 / 3 : -1.0 / 3), c = 1.0 / 3 / sqrt(d);
  Buffer<double, drawNormal<double>> normal;
  Buffer<double, drawUniform<double>> uniform;
  for (;;) {
    double x = normal.take(generator), v = 1 + c * x;
    if (v <= 0)
      continue;
    v = v * v * v;
    if (v != v) // by such a shape no number is ever accepted
      return v;
    double u = uniform.take(generator);
    if (u >= 1 - 0.0331 * (x * x) * (x * x) &&
        log(u) >= 0.5 * x * x + d * (1 - v + log(v)))
      continue;
    double result = d * v;
    return small ? result * pow(uniform.take(generator), 1 / alpha) : result;
  }
}

// Blocks that are there for a number.
constexpr uint64_t reserved = 256;

} // namespace

TENON_HOST(random_bits) {
  if (!allocateDrawn(call))
    return false;
  Philox generator(call.in<uint64_t>(1), call.in<uint64_t>(2));
  int64_t bytes = call.outSize(0) * dtypeBytes(call.outputs[0].dtype);
  for (int64_t at = 0; at < bytes; at += 16) {
    uint32_t block[4];
    generator.next(block);
    memcpy(call.out(0) + at, block, size_t(bytes - at < 16 ? bytes - at : 16));
  }
  return true;
}

TENON_HOST(random_gamma) {
  const tenon_tensor &alpha = call.inputs[1], &result = call.outputs[0];
  bool whole = call.flag("whole");
  if (!allocateDrawn(call, whole ? nullptr : &alpha))
    return false;
  int32_t missing = result.ndim - alpha.ndim;
  for (int32_t d = 0; d < alpha.ndim; ++d)
    if (missing < 0 || result.shape[missing + d] != alpha.shape[d])
      return call.fail("the shape does not end with that of alpha");
  int64_t total = call.outSize(0), count = call.inSize(1);
  if (!total && !whole)
    return call.fail("there is nothing to draw");
  setNext(call, 3, reserved * uint64_t(total));
  Philox base(call.in<uint64_t>(2), call.in<uint64_t>(3));
  return withFloat(call, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t p = 0; total && p < count; ++p)
      for (int64_t s = 0; s < total / count; ++s) {
        Philox generator = base;
        generator.skip(reserved * uint64_t(p * (total / count) + s));
        call.out<T>(0)[s * count + p] =
            T(drawGamma(generator, double(call.in<T>(1)[p])));
      }
    return true;
  });
}

//===----------------------------------------------------------------------===//
// Normal numbers between bounds
//===----------------------------------------------------------------------===//

namespace {

constexpr int mostTries = 1000;

// Draws `count` numbers; `store` takes one after the other. False when the
// parameters are none, or too many tries failed.
template <typename T, typename Store>
bool drawTruncated(HostCall &call, Philox &generator, T mean, T deviation,
                   T low, T high, int64_t count, Store store) {
  auto infinite = [](T x) {
    return double(x) == __builtin_inf() || double(x) == -__builtin_inf();
  };
  if (!(deviation > T(0) && low < high && !(infinite(low) && infinite(high))))
    return call.fail("cannot draw with deviation %g between %g and %g",
                     double(deviation), double(low), double(high));
  // A bound on one side only becomes the lower one; two on one side of the
  // mean are turned above it.
  if ((infinite(low) && low < T(0)) || high < mean) {
    T former = low;
    low = high;
    high = former;
    deviation = T(-deviation);
  }
  T least = T(T(low - mean) / deviation), most = T(T(high - mean) / deviation);
  T square = root<T>(T(T(least * least) + T(4)));
  T cutoff =
      T(T(T(2) *
          exponential<T>(T(T(0.5) + T(T(least * T(least - square)) / T(4))))) /
        T(least + square));
  T width = T(most - least), enough = T(1.3);
  constexpr int size = blockNumbers<T>;
  int tries = 0;
  int64_t done = 0;
  auto accept = [&](T number) {
    store(done++, T(T(number * deviation) + mean));
    tries = 0;
  };
  if ((least < T(-enough) && most >= T(0)) ||
      (most > enough && least <= T(0))) {
    while (done < count) {
      T normal[size];
      drawNormal<T>(generator, normal);
      for (int i = 0; i < size && done < count; ++i)
        if (normal[i] >= least && normal[i] <= most)
          accept(normal[i]);
        else if (++tries > mostTries)
          return call.fail("no number between the bounds was drawn");
    }
  } else if (width < cutoff) { // uniform ones, taken as often as they should
    T offset = least < T(0) ? T(0) : T(least * least);
    while (done < count) {
      T place[size], chance[size];
      drawUniform<T>(generator, place);
      drawUniform<T>(generator, chance);
      for (int i = 0; i < size && done < count; ++i) {
        T z = T(T(place[i] * width) + least);
        T g = T(T(offset - T(z * z)) / T(2));
        if (chance[i] <= exponential<T>(g))
          accept(z);
        else if (++tries >= mostTries)
          return call.fail("no number between the bounds was drawn");
      }
    }
  } else { // exponentially distributed ones
    T rate = T(T(least + square) / T(2));
    while (done < count) {
      T pair[size];
      drawUniform<T>(generator, pair);
      for (int i = 0; i < size && done < count; i += 2) {
        T z = T(T(T(-logarithm<T>(pair[i])) / rate) + least);
        T x = least < rate ? T(rate - z) : T(least - rate);
        T g = exponential<T>(T(T(T(-x) * x) / T(2)));
        if (pair[i + 1] <= g && z < most)
          accept(z);
        else if (++tries >= mostTries)
          return call.fail("no number between the bounds was drawn");
      }
    }
  }
  return true;
}

// Element i of parameter `operand`, one of which may stand for all.
template <typename T> T parameter(HostCall &call, int32_t operand, int64_t i) {
  return call.in<T>(operand)[call.inSize(operand) == 1 ? 0 : i];
}

template <typename T> bool drawRows(HostCall &call) {
  const tenon_tensor &result = call.outputs[0];
  if (!result.ndim)
    return call.fail("the shape is empty");
  int64_t rows = result.shape[0], total = call.outSize(0);
  int64_t samples = 1;
  for (int32_t d = 1; d < result.ndim; ++d)
    samples *= result.shape[d];
  if (call.inSize(1) == 1 && call.inSize(2) == 1 && !call.inputs[3].ndim &&
      !call.inputs[4].ndim) {
    samples = 100; // drawn in pieces of that many
    rows = (total + samples - 1) / samples;
  } else {
    for (int32_t i = 1; i <= 4; ++i)
      if (call.inSize(i) != 1 && call.inSize(i) != rows)
        return call.fail("a parameter has %lld elements, expected 1 or %lld",
                         (long long)call.inSize(i), (long long)rows);
  }
  setNext(call, 6, uint64_t(rows) * 2 * mostTries * uint64_t(samples + 3) / 4);
  Philox generator(call.in<uint64_t>(5), call.in<uint64_t>(6));
  for (int64_t row = 0; row < rows; ++row) {
    int64_t first = row * samples;
    int64_t count = total - first < samples ? total - first : samples;
    T *to = call.out<T>(0) + first;
    if (!drawTruncated<T>(call, generator, parameter<T>(call, 1, row),
                          parameter<T>(call, 2, row),
                          parameter<T>(call, 3, row),
                          parameter<T>(call, 4, row), count,
                          [&](int64_t i, T number) { to[i] = number; }))
      return false;
  }
  return true;
}

template <typename T> bool drawBroadcast(HostCall &call) {
  const tenon_tensor &result = call.outputs[0];
  Broadcast pairs[2];
  const tenon_tensor *first[] = {&call.inputs[1], &call.inputs[2], &result},
                     *second[] = {&call.inputs[3], &call.inputs[4], &result};
  // Broadcast to the result, all but the dimensions in front count.
  int32_t rank = 0;
  for (int32_t i = 1; i <= 4; ++i)
    rank = call.inputs[i].ndim > rank ? call.inputs[i].ndim : rank;
  bool fits = rank <= result.ndim && pairs[0].init(first, 3) &&
              pairs[1].init(second, 3);
  int64_t count = 1;
  for (int32_t d = 0; fits && d < result.ndim; ++d) {
    fits = pairs[0].shape[d] == result.shape[d] &&
           pairs[1].shape[d] == result.shape[d];
    if (d >= result.ndim - rank)
      count *= result.shape[d];
  }
  if (!fits)
    return call.fail("the shape does not end with that of the parameters");
  setNext(call, 6, 0);
  int64_t total = call.outSize(0);
  if (!total)
    return true;
  Philox generator(call.in<uint64_t>(5), call.in<uint64_t>(6));
  generator.skip((blockNumbers<T> - 1) / blockNumbers<T>);
  for (int64_t p = 0; p < count; ++p) {
    T *to = call.out<T>(0) + p;
    auto value = [&](int32_t operand) {
      const Broadcast &pair = pairs[(operand - 1) / 2];
      return call.in<T>(operand)[pair.source((operand - 1) % 2, p)];
    };
    if (!drawTruncated<T>(call, generator, value(1), value(2), value(3),
                          value(4), total / count,
                          [&](int64_t i, T number) { to[i * count] = number; }))
      return false;
  }
  return true;
}

} // namespace

TENON_HOST(random_truncated) {
  if (!allocateDrawn(call))
    return false;
  return withFloat(call, [&](auto zero) {
    using T = decltype(zero);
    return call.flag("stateless") ? drawBroadcast<T>(call) : drawRows<T>(call);
  });
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

namespace {

// Single numbers of the generator's blocks.
struct Words {
  Philox &generator;
  uint32_t block[4];
  int used = 4;

  uint32_t next() {
    if (used == 4) {
      generator.next(block);
      used = 0;
    }
    return block[used++];
  }
  uint64_t next64() {
    uint64_t low = next();
    return low | uint64_t(next()) << 32;
  }
  uint64_t below(uint64_t count) {
    if (!(count & (count - 1)))
      return next64() & (count - 1);
    uint64_t rest = ~uint64_t(0) % count + 1, number;
    do
      number = next64();
    while (number < rest);
    return number % count;
  }
  double unit() {
    uint32_t high = next();
    return uniformDouble(high, next());
  }
};

} // namespace

TENON_HOST(candidate_sampler) {
  int64_t number = call.integer("number"), range = call.integer("range");
  bool unique = call.flag("unique"), falling = call.flag("falling");
  Philox generator(call.in<uint64_t>(1), call.in<uint64_t>(2));
  // 2048 numbers are there for each class.
  const uint64_t *from = call.in<uint64_t>(2);
  uint64_t *next = call.out<uint64_t>(3);
  next[0] = from[0] + uint64_t(number) * 512;
  next[1] = from[1] + (next[0] < from[0]);
  Words words{generator, {}};
  double scale = log1p(double(range));
  int64_t *sampled = call.out<int64_t>(0), tries = 0;
  // Drawn ones by a hash of open addresses.
  int64_t slots = 16;
  while (slots < 2 * number)
    slots *= 2;
  int64_t *used = call.array<int64_t>(unique ? slots : 1);
  if (!used)
    return false;
  for (int64_t i = 0; unique && i < slots; ++i)
    used[i] = -1;
  for (int64_t done = 0; done < number;) {
    if (++tries >= INT32_MAX)
      return call.fail("too many tries to draw %lld of %lld classes",
                       (long long)number, (long long)range);
    int64_t drawn = falling ? (int64_t(exp(words.unit() * scale)) - 1) % range
                            : int64_t(words.below(uint64_t(range)));
    if (unique) {
      uint64_t at = uint64_t(drawn) * 0x9E3779B97F4A7C15 % uint64_t(slots);
      while (used[at] >= 0 && used[at] != drawn)
        at = (at + 1) % uint64_t(slots);
      if (used[at] == drawn)
        continue;
      used[at] = drawn;
    }
    sampled[done++] = drawn;
  }
  auto expected = [&](int64_t value) {
    float chance =
        falling ? float(log((double(value) + 2) / (double(value) + 1)) / scale)
                : float(1.0 / double(range));
    return tries == number
               ? chance * float(number)
               : float(-expm1(double(tries) * log1p(-double(chance))));
  };
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i)
    call.out<float>(1)[i] = expected(call.in<int64_t>(0)[i]);
  for (int64_t i = 0; i < number; ++i)
    call.out<float>(2)[i] = expected(sampled[i]);
  return true;
}

} // namespace tenon
