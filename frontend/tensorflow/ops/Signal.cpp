//===- Signal.cpp - Fourier transforms ------------------------------------===//
//
// A transform of n = a * b elements is b transforms of a elements, a product
// with roots of unity, and a transforms of b elements. What has no small factor
// is a product with a matrix.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/ops/Rows.h"

#include <numbers>

using namespace mlir;

namespace tenon::tf {

namespace {
/// Sizes up to this one are transformed by one matrix.
constexpr int64_t kMatrix = 32;

class Transform {
public:
  Transform(Binder &b, ComplexType type, bool inverse)
      : b(b), type(type), sign(inverse ? 1 : -1) {}

  /// Of the last dimension, whose size is known. The inverse is not scaled.
  Value run(Value value) {
    int64_t size = b.staticDim(value, b.rank(value) - 1);
    if (b.failed())
      return {};
    if (size < 2)
      return value;
    graph::Dims dims(b.dims(value));
    int64_t factor = factorOf(size);
    if (factor == size && dims.size() > 1)
      return b.make("graph.matmul", type, {value, matrix(size)});
    if (factor == size) {
      graph::Dims row = {b.shapes().constant(1), dims[0]};
      Value product =
          b.make("graph.matmul", type, {b.reshape(value, row), matrix(size)});
      return b.failed() ? Value() : b.reshape(product, dims);
    }
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
  Value matrix(int64_t size) {
    if (size > 4096) {
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
  for (int64_t i = 0; i < count; ++i)
    scale /= double(std::max<int64_t>(b.staticDim(value, rank - 1 - i), 1));
  Type real = type.getElementType();
  Value factor =
      b.make("graph.complex", type, {b.scalar(real, scale), b.scalar(real, 0)});
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

/// The last dimensions cut or filled up with zeros.
Value resized(Binder &b, Value value, ArrayRef<int64_t> sizes) {
  int64_t rank = b.rank(value), first = rank - sizes.size();
  Type type = Binder::type(value), i64 = b.builder().getI64Type();
  SmallVector<int64_t> begin(rank, 0), size(rank, -1), padding(2 * rank, 0);
  bool cut = false, pad = false;
  for (auto [i, wanted] : llvm::enumerate(sizes)) {
    int64_t have = b.staticDim(value, first + i);
    if (b.failed())
      return {};
    size[first + i] = std::min(have, wanted);
    cut |= have > wanted;
    padding[2 * (first + i) + 1] = std::max<int64_t>(wanted - have, 0);
    pad |= have < wanted;
  }
  if (cut)
    value = b.make(
        "graph.slice", type,
        {value, b.integersConstant(begin, i64), b.integersConstant(size, i64)});
  if (!pad)
    return value;
  Value widths = b.constant(DenseElementsAttr::get(
      RankedTensorType::get({rank, 2}, i64), ArrayRef<int64_t>(padding)));
  Value zero = b.scalar(
      isa<ComplexType>(type) ? cast<ComplexType>(type).getElementType() : type,
      0);
  if (isa<ComplexType>(type))
    zero = b.make("graph.complex", type, {zero, zero});
  return b.make("graph.pad", type, {value, widths, zero});
}

SmallVector<int64_t> lengths(Binder &b, int64_t count) {
  SmallVector<int64_t> sizes = b.constants(1);
  if (int64_t(sizes.size()) != count)
    b.fail("expected " + llvm::Twine(count) + " lengths");
  for (int64_t size : sizes)
    if (size < 1 || size > (1 << 24))
      b.fail("impossible length: " + llvm::Twine(size));
  return sizes;
}

/// Of real numbers: half of the symmetric result.
Row realTransform(int64_t count) {
  return [count](Binder &b) {
    Value value = b.input(0);
    SmallVector<int64_t> sizes = lengths(b, count);
    expectRank(b, value, count);
    if (b.failed())
      return;
    Type real = Binder::type(value);
    value = resized(b, value, sizes);
    value = b.make("graph.complex", ComplexType::get(real),
                   {value, b.scalar(real, 0)});
    value = transform(b, value, count, /*inverse=*/false);
    sizes.back() = sizes.back() / 2 + 1;
    if (!b.failed())
      b.set(0, resized(b, value, sizes));
  };
}

/// Of half of a symmetric tensor: real numbers.
Row inverseRealTransform(int64_t count) {
  return [count](Binder &b) {
    Value value = b.input(0);
    SmallVector<int64_t> sizes = lengths(b, count);
    expectRank(b, value, count);
    if (b.failed())
      return;
    auto type = dyn_cast<ComplexType>(Binder::type(value));
    if (!type)
      return b.fail("expected complex numbers");
    int64_t size = sizes.back(), half = size / 2 + 1, rank = b.rank(value);
    SmallVector<int64_t> given(sizes);
    given.back() = half;
    value = resized(b, value, given);
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
    // Elements 1 to size - half, conjugated and in reverse, complete it.
    Type i64 = b.builder().getI64Type();
    if (size > half) {
      SmallVector<int64_t> begin(rank, 0), part(rank, -1);
      begin.back() = 1;
      part.back() = size - half;
      Value rest = b.make("graph.slice", type,
                          {value, b.integersConstant(begin, i64),
                           b.integersConstant(part, i64)});
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
