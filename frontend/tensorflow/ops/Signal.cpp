//===- Signal.cpp - Fourier transforms ------------------------------------===//
//
// A transform of n = a * b elements is b transforms of a elements, a product
// with roots of unity, and a transforms of b elements. What has no small
// factor, or a size that only the run knows, is a product with a matrix.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/ops/Numbers.h"
#include "frontend/tensorflow/ops/Rows.h"

#include <numbers>

using namespace mlir;

namespace tenon::tf {

namespace {
/// Sizes up to this one are transformed by one matrix.
constexpr int64_t kMatrix = 32;
/// The largest matrices.
constexpr int64_t kMostElements = 4096;

class Transform {
public:
  Transform(Binder &b, ComplexType type, bool inverse)
      : b(b), type(type), sign(inverse ? 1 : -1) {}

  /// Of the last dimension. The inverse is not scaled.
  Value run(Value value) {
    if (b.failed())
      return {};
    auto known = graph::ShapeContext::asConstant(b.dims(value).back());
    if (!known)
      return multiplied(value, matrixAtRun(value));
    int64_t size = *known;
    if (size < 2)
      return value;
    graph::Dims dims(b.dims(value));
    int64_t factor = factorOf(size);
    if (factor == size)
      return multiplied(value, matrix(size));
    // Element i = factor * p + q of [p, q]; result k = rest * s + r of [s, r].
    int64_t rest = size / factor, rank = dims.size();
    graph::Dims split(dims), whole(dims);
    split.back() = b.shapes().constant(rest);
    split.push_back(b.shapes().constant(factor));
    value = swapLast(b.reshape(value, split), rank + 1); // [q, p]
    value = run(value);                                  // [q, r]
    value = b.make("graph.mul", type, {value, twiddles(factor, rest)});
    value = swapLast(value, rank + 1); // [r, q]
    value = run(value);                // [r, s]
    value = swapLast(value, rank + 1); // [s, r]
    return b.failed() ? Value() : b.reshape(value, whole);
  }

private:
  static int64_t factorOf(int64_t size) {
    if (size <= kMatrix)
      return size;
    for (int64_t factor = kMatrix; factor > 1; --factor)
      if (size % factor == 0)
        return factor;
    return size;
  }

  Value swapLast(Value value, int64_t rank) {
    auto order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    std::swap(order[rank - 1], order[rank - 2]);
    return b.transpose(value, order);
  }

  /// The roots of unity exp(sign * 2 pi i * j * k / size).
  Value roots(int64_t rows, int64_t columns, int64_t size) {
    auto shape = RankedTensorType::get({rows, columns}, type);
    auto fill = [&](auto zero) {
      using Real = decltype(zero);
      SmallVector<std::complex<Real>> values;
      values.reserve(rows * columns);
      for (int64_t j = 0; j < rows; ++j)
        for (int64_t k = 0; k < columns; ++k) {
          double angle =
              sign * 2 * std::numbers::pi * double(j * k % size) / double(size);
          values.emplace_back(Real(std::cos(angle)), Real(std::sin(angle)));
        }
      return b.constant(
          DenseElementsAttr::get(shape, ArrayRef<std::complex<Real>>(values)));
    };
    return type.getElementType().isF64() ? fill(0.0) : fill(0.0f);
  }
  Value multiplied(Value value, Value matrix) {
    if (b.failed() || b.rank(value) > 1)
      return b.make("graph.matmul", type, {value, matrix});
    graph::Dims dims(b.dims(value)),
        row = {b.shapes().constant(1), b.dims(value)[0]};
    Value product =
        b.make("graph.matmul", type, {b.reshape(value, row), matrix});
    return b.failed() ? Value() : b.reshape(product, dims);
  }

  /// The roots for a last dimension of unknown size, in double precision.
  Value matrixAtRun(Value value) {
    Numbers n(b);
    Type f64 = b.builder().getF64Type(), real = type.getElementType();
    Formula size = n.size(value, b.rank(value) - 1);
    expect(b, size <= n.number(kMostElements),
           "transforms of more than " + llvm::Twine(kMostElements) +
               " elements, whose number only the run knows, are not supported");
    Formula rows = n.below(minimum(size, n.number(kMostElements)));
    Formula places(b, b.make("graph.floor_mod", n.i64,
                             {n.reshaped(rows, n.vector({-1, 1})) * rows,
                              maximum(size, n.number(1))}));
    Formula angles = places.cast(f64) * (sign * 2 * std::numbers::pi) /
                     maximum(size, n.number(1)).cast(f64);
    return b.make("graph.complex", type,
                  {angles.unary("graph.cos").cast(real),
                   angles.unary("graph.sin").cast(real)});
  }

  Value matrix(int64_t size) {
    if (size > kMostElements) {
      b.fail("transforms of " + llvm::Twine(size) +
             " elements, which is no product of small numbers, are not "
             "supported");
      return {};
    }
    return roots(size, size, size);
  }
  Value twiddles(int64_t rows, int64_t columns) {
    return roots(rows, columns, rows * columns);
  }

  Binder &b;
  ComplexType type;
  int sign;
};

/// `value` with the last `count` dimensions transformed.
Value transform(Binder &b, Value value, int64_t count, bool inverse) {
  auto type = dyn_cast_or_null<ComplexType>(Binder::type(value));
  if (b.failed() || !type)
    return {};
  int64_t rank = b.rank(value);
  Transform along(b, type, inverse);
  for (int64_t i = 0; i < count && !b.failed(); ++i) {
    // The dimension takes the last place meanwhile.
    auto order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    std::swap(order[rank - 1 - i], order[rank - 1]);
    value = b.transpose(along.run(b.transpose(value, order)), order);
  }
  if (b.failed() || !inverse)
    return value;
  double scale = 1;
  Type real = type.getElementType();
  Numbers n(b);
  std::optional<Formula> atRun;
  for (int64_t i = 0; i < count; ++i) {
    int64_t d = rank - 1 - i;
    if (auto size = graph::ShapeContext::asConstant(b.dims(value)[d])) {
      scale /= double(std::max<int64_t>(*size, 1));
      continue;
    }
    Formula size = maximum(n.size(value, d), n.number(1));
    Formula real = size.cast(b.builder().getF64Type()),
            part = real.number(1) / real;
    atRun = atRun ? *atRun * part : part;
  }
  Value factor = atRun ? (*atRun * scale).cast(real) : b.scalar(real, scale);
  factor = b.make("graph.complex", type, {factor, b.scalar(real, 0)});
  return b.make("graph.mul", type, {value, factor});
}

void expectRank(Binder &b, Value value, int64_t least) {
  if (value && b.rank(value) < least)
    b.fail("expected a tensor of at least " + llvm::Twine(least) +
           " dimensions, got " + llvm::Twine(b.rank(value)));
}

Row complexTransform(int64_t count, bool inverse) {
  return [=](Binder &b) {
    Value value = b.input(0);
    expectRank(b, value, count);
    if (!b.failed())
      b.set(0, transform(b, value, count, inverse));
  };
}

/// A length: a number, or what only the run knows.
struct Length {
  std::optional<int64_t> known;
  Value value; // i64 scalar
};

/// The last dimensions cut or filled up with zeros.
Value resized(Binder &b, Value value, ArrayRef<Length> lengths) {
  if (b.failed())
    return {};
  Numbers n(b);
  int64_t rank = b.rank(value), first = rank - lengths.size();
  Type type = Binder::type(value);
  graph::Dims dims(b.dims(value));
  bool cut = false, pad = false, settled = true;
  Value shape = n.sizes(value);
  SmallVector<Value> part, more;
  for (int64_t d = 0; d < rank; ++d) {
    Formula have = n.gathered(shape, n.number(d));
    part.push_back(have);
    more.push_back(n.number(0));
    if (d < first)
      continue;
    const Length &length = lengths[d - first];
    auto size = graph::ShapeContext::asConstant(dims[d]);
    if (size && length.known) {
      cut |= *size > *length.known;
      pad |= *size < *length.known;
    } else {
      cut = pad = true;
    }
    if (length.known)
      dims[d] = b.shapes().constant(*length.known);
    else
      settled = false;
    Formula wanted(b, length.value);
    part.back() = minimum(have, wanted);
    more.back() = maximum(wanted - have, n.number(0));
  }
  if (cut)
    value = b.make(
        "graph.slice", type,
        {value, n.vector(SmallVector<int64_t>(rank, 0)), n.packed(part)});
  if (pad) {
    Value zeros = n.vector(SmallVector<int64_t>(rank, 0)),
          sides[] = {zeros, n.packed(more)};
    Value widths = b.make("graph.pack", n.i64, ValueRange(sides),
                          b.attribute("axis", int64_t(1)));
    auto complex = dyn_cast<ComplexType>(type);
    Value zero = b.scalar(complex ? complex.getElementType() : type, 0);
    if (complex)
      zero = b.make("graph.complex", type, {zero, zero});
    value = b.make("graph.pad", type, {value, widths, zero});
  }
  // Sizes that are known again.
  return b.failed() || !(cut || pad) || !settled ? value
                                                 : b.reshape(value, dims);
}

SmallVector<Length> readLengths(Binder &b, int64_t count) {
  Value given = b.input(1);
  if (b.failed())
    return {};
  Numbers n(b);
  auto size = b.rank(given) == 1
                  ? graph::ShapeContext::asConstant(b.dims(given)[0])
                  : std::nullopt;
  if (b.rank(given) != 1 || size.value_or(count) != count)
    b.fail("expected " + llvm::Twine(count) + " lengths");
  SmallVector<Length> lengths;
  auto contents = b.failed() ? std::nullopt : b.shapes().contents(given);
  for (int64_t i = 0; i < count && !b.failed(); ++i) {
    Length length;
    if (contents && (*contents)[i])
      length.known = graph::ShapeContext::asConstant((*contents)[i]);
    if (length.known && (*length.known < 1 || *length.known > (1 << 24)))
      b.fail("impossible length: " + llvm::Twine(*length.known));
    Formula value = length.known
                        ? n.number(*length.known)
                        : n.gathered(b.cast(given, n.i64), n.number(i));
    if (!length.known)
      expect(b, value > 0.0, "a length is not positive");
    length.value = value;
    lengths.push_back(length);
  }
  return lengths;
}

/// Half of a symmetric dimension of that length.
Length halfOf(Binder &b, const Length &length) {
  Numbers n(b);
  Length half;
  if (length.known)
    half.known = *length.known / 2 + 1;
  half.value = half.known ? n.number(*half.known)
                          : n.quotient(length.value, n.number(2)) + n.number(1);
  return half;
}

/// Of real numbers: half of the symmetric result.
Row realTransform(int64_t count) {
  return [count](Binder &b) {
    Value value = b.input(0);
    SmallVector<Length> lengths = readLengths(b, count);
    expectRank(b, value, count);
    if (b.failed())
      return;
    Type real = Binder::type(value);
    value = resized(b, value, lengths);
    value = b.make("graph.complex", ComplexType::get(real),
                   {value, b.scalar(real, 0)});
    value = transform(b, value, count, /*inverse=*/false);
    lengths.back() = halfOf(b, lengths.back());
    if (!b.failed())
      b.set(0, resized(b, value, lengths));
  };
}

/// Of half of a symmetric tensor: real numbers.
Row inverseRealTransform(int64_t count) {
  return [count](Binder &b) {
    Value value = b.input(0);
    SmallVector<Length> lengths = readLengths(b, count);
    expectRank(b, value, count);
    if (b.failed())
      return;
    auto type = dyn_cast<ComplexType>(Binder::type(value));
    if (!type)
      return b.fail("expected complex numbers");
    Length whole = lengths.back(), half = halfOf(b, whole);
    int64_t rank = b.rank(value);
    lengths.back() = half;
    value = resized(b, value, lengths);
    // The other dimensions first; then the last one is symmetric alone.
    if (count > 1) {
      auto order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
      std::rotate(order.begin() + (rank - count), order.end() - 1, order.end());
      value = b.transpose(value, order);
      value = transform(b, value, count - 1, /*inverse=*/true);
      SmallVector<int64_t> back(rank);
      for (auto [i, p] : llvm::enumerate(order))
        back[p] = i;
      value = b.transpose(value, back);
    }
    // Elements 1 to the length less the half, conjugated and in reverse,
    // complete it.
    if (!whole.known || *whole.known > *half.known) {
      Numbers n(b);
      SmallVector<int64_t> begin(rank, 0);
      begin.back() = 1;
      Value parts[] = {
          n.vector(SmallVector<int64_t>(rank - 1, -1)),
          n.reshaped(Formula(b, whole.value) - Formula(b, half.value),
                     n.vector({1}))};
      Value rest = b.make("graph.slice", type,
                          {value, n.vector(begin), n.joined(parts)});
      rest = b.make("graph.reverse", type, rest,
                    b.attribute("axes", ArrayRef<int64_t>(rank - 1)));
      rest = b.make("graph.conj", type, rest);
      value = b.make("graph.concat", type, {value, rest},
                     b.attribute("axis", rank - 1));
    }
    value = transform(b, value, 1, /*inverse=*/true);
    b.set(0, b.make("graph.real", type.getElementType(), value));
  };
}
} // namespace

void addSignalRows(RowTable &table) {
  const std::string suffixes[] = {"", "2D", "3D"};
  for (auto [i, suffix] : llvm::enumerate(suffixes)) {
    int64_t count = i + 1;
    table["FFT" + suffix] = complexTransform(count, /*inverse=*/false);
    table["IFFT" + suffix] = complexTransform(count, /*inverse=*/true);
    table["RFFT" + suffix] = realTransform(count);
    table["IRFFT" + suffix] = inverseRealTransform(count);
  }
}

} // namespace tenon::tf
