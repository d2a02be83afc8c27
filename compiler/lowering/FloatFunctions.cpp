// exp(x) = 2^n exp(r): n the nearest whole number to x / ln 2, so that
// |r| <= ln(2)/2, where a polynomial is exact enough. tanh and erf are odd
// polynomials near zero and 1 minus something with exp beyond. The
// coefficients are minimax fits of the relative error (for erf beyond, of the
// error in units of the result), each rounded to a float before the next ones
// were fitted. `test/accuracy` checks all floats.

#include "compiler/lowering/FloatFunctions.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace tenon {

namespace {

/// Arithmetic of f32 values, scalars or vectors.
class Floats {
public:
  Floats(PatternRewriter &b, Location loc, Type type, bool hasFma)
      : hasFma(hasFma), b(b), loc(loc), type(type) {}

  /// Whether `mulAdd` rounds once.
  const bool hasFma;

  Value number(float value) { return constant(type, b.getF32FloatAttr(value)); }
  Value bits(int32_t value) {
    return constant(integers(), b.getI32IntegerAttr(value));
  }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
  Value neg(Value x) { return arith::NegFOp::create(b, loc, x); }
  Value abs(Value x) { return math::AbsFOp::create(b, loc, x); }
  Value mulAdd(Value x, Value y, Value z) {
    return math::FmaOp::create(b, loc, x, y, z);
  }
  Value copySign(Value x, Value sign) {
    return math::CopySignOp::create(b, loc, x, sign);
  }
  Value less(Value x, Value y) {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value addBits(Value x, Value y) {
    return arith::AddIOp::create(b, loc, x, y);
  }
  Value toBits(Value x) {
    return arith::BitcastOp::create(b, loc, integers(), x);
  }
  Value fromBits(Value x) { return arith::BitcastOp::create(b, loc, type, x); }
  Value toExponent(Value x) {
    return arith::ShLIOp::create(b, loc, x, bits(23));
  }

  /// The highest power's coefficient first.
  Value polynomial(Value x, ArrayRef<float> coefficients) {
    Value sum = number(coefficients.front());
    for (float coefficient : coefficients.drop_front())
      sum = mulAdd(sum, x, number(coefficient));
    return sum;
  }

  struct Power {
    Value minusOne; ///< exp(r) - 1, exp(r) in [sqrt(1/2), sqrt(2)]
    Value bits;     ///< those of n + bias at their end
  };
  /// exp(x + rest), `rest` so small that n does not depend on it.
  Power reducedExp(Value x, Value rest = {}, float bias = 0) {
    // Adding 3 * 2^22 leaves the whole number in the last bits.
    Value magic = number(0x1.8p23f + bias);
    Value shifted = mulAdd(x, number(0x1.715476p+0f), magic);
    Value whole = sub(shifted, magic), n = neg(whole);
    // The first part of ln 2 has few bits: its products are exact.
    Value r = mulAdd(n, number(0x1.62e4p-1f), x);
    Value last = number(0x1.7f7d1cp-20f);
    r = rest ? add(r, mulAdd(n, last, rest)) : mulAdd(n, last, r);
    Value q = polynomial(r, {0x1.6a50bep-10f, 0x1.123976p-7f, 0x1.5558acp-5f,
                             0x1.555492p-3f, 0x1.fffffcp-2f});
    return {mulAdd(mul(r, r), q, r), toBits(shifted)};
  }

  Value valueOf(const Power &power) { return add(number(1), power.minusOne); }

  /// exp where it is a normal number.
  Value expInside(Value x) {
    Power power = reducedExp(x);
    return fromBits(addBits(toBits(valueOf(power)), toExponent(power.bits)));
  }

  /// x * x as a float and what it lacks.
  std::pair<Value, Value> square(Value x) {
    if (hasFma) {
      Value product = mul(x, x);
      return {product, mulAdd(x, x, neg(product))};
    }
    // The first half of the digits has an exact square.
    Value first =
        fromBits(arith::AndIOp::create(b, loc, toBits(x), bits(-0x1000)));
    return {mul(first, first), mul(sub(x, first), add(x, first))};
  }

  /// exp for one register of AVX-512: n is a multiple of 1/16, the power of its
  /// fraction stands in a table, and r is small.
  Value expByTable(Value x) {
    Value magic = number(0x1.8p19f);
    Value shifted = mulAdd(x, number(0x1.715476p+0f), magic);
    Value sixteenths = sub(shifted, magic), n = neg(sixteenths);
    Value r = mulAdd(n, number(0x1.62e4p-1f), x);
    r = mulAdd(n, number(0x1.7f7d1cp-20f), r);
    Value q = polynomial(r, {0x1.5556dep-3f, 0x1.000222p-1f});
    SmallVector<float> powers;
    for (int i = 0; i < 16; ++i)
      powers.push_back(static_cast<float>(std::exp2(i / 16.0)));
    Value table = arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(cast<VectorType>(type), ArrayRef(powers)));
    Value power =
        intrinsic("permvar.sf.512", ValueRange{table, toBits(shifted)});
    // Times 2^n, of which the instruction takes the whole part, rounded once.
    Value all = arith::ConstantOp::create(b, loc, b.getI16IntegerAttr(-1));
    Value rounding = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(4));
    Value value = mulAdd(power, mulAdd(mul(r, r), q, r), power);
    return intrinsic("mask.scalef.ps.512",
                     ValueRange{value, sixteenths, value, all, rounding});
  }
  bool fillsRegister() const {
    auto vector = dyn_cast<VectorType>(type);
    return vector && vector.getShape() == ArrayRef<int64_t>{16};
  }

private:
  Value intrinsic(StringRef name, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(
               b, loc, type, b.getStringAttr("llvm.x86.avx512." + name),
               operands)
        .getResults();
  }
  Type integers() {
    Type word = b.getI32Type();
    auto vector = dyn_cast<VectorType>(type);
    return vector ? Type(vector.clone(word)) : word;
  }
  Value constant(Type of, TypedAttr value) {
    auto vector = dyn_cast<VectorType>(of);
    return arith::ConstantOp::create(
        b, loc,
        vector ? TypedAttr(DenseElementsAttr::get(vector, value)) : value);
  }

  PatternRewriter &b;
  Location loc;
  Type type;
};

Value buildExp(Floats f, Value x) {
  // Results below the normal numbers are made 2^64 times as large first.
  Value least = f.number(-104), isSmall = f.less(x, f.number(-86));
  Value inside = f.select(f.less(least, x), x, least);
  Floats::Power power = f.reducedExp(inside);
  Value n = f.addBits(power.bits, f.select(isSmall, f.bits(64), f.bits(0)));
  Value result =
      f.fromBits(f.addBits(f.toBits(f.valueOf(power)), f.toExponent(n)));
  result = f.mul(result, f.select(isSmall, f.number(0x1p-64f), f.number(1)));
  // The first float whose exponential is infinite; NaN stays.
  Value end = f.number(0x1.62e430p+6f);
  return f.select(f.less(x, end), result,
                  f.add(x, f.number(std::numeric_limits<float>::infinity())));
}

Value buildScaledExp(Floats f, Value x) {
  // Beyond these the result is 0 or infinite anyhow; NaN goes through.
  Value least = f.number(-200), most = f.number(200);
  x = f.select(f.less(x, least), least, x);
  return f.expByTable(f.select(f.less(most, x), most, x));
}

Value buildTanh(Floats f, Value x) {
  Value square = f.mul(x, x), magnitude = f.abs(x);
  Value p =
      f.polynomial(square, {0x1.1a27fep-9f, -0x1.0c5ecep-7f, 0x1.63a550p-6f,
                            -0x1.b9f188p-5f, 0x1.11107ap-3f, -0x1.555554p-2f});
  Value near = f.mulAdd(f.mul(p, square), x, x);
  // Beyond 10 it is 1; NaN goes through.
  Value most = f.number(10);
  Value inside = f.select(f.less(most, magnitude), most, magnitude);
  Value power = f.expInside(f.add(inside, inside));
  Value far = f.sub(f.number(1), f.div(f.number(2), f.add(power, f.number(1))));
  return f.select(f.less(magnitude, f.number(0.625f)), near,
                  f.copySign(far, x));
}

Value buildErf(Floats f, Value x) {
  Value square = f.mul(x, x), magnitude = f.abs(x);
  Value p =
      f.polynomial(square, {-0x1.3873ccp-11f, 0x1.46d9d0p-8f, -0x1.b67c02p-6f,
                            0x1.ce1986p-4f, -0x1.8126e2p-2f, 0x1.06eba6p-3f});
  Value near = f.mulAdd(p, x, x);
  // 1 - erf(x) = exp(-q(x)); beyond 4 nothing is left of it.
  Value most = f.number(4);
  Value inside = f.select(f.less(most, magnitude), most, magnitude);
  Value q =
      f.polynomial(inside, {0x1.9673eep-13f, -0x1.8c29eep-9f, 0x1.6ad216p-6f,
                            -0x1.a902c4p-4f, -0x1.4655d8p-1f, -0x1.20a7f4p+0f,
                            -0x1.d3395cp-13f});
  Value far = f.sub(f.number(1), f.expInside(q));
  return f.select(f.less(magnitude, f.number(0.93f)), near, f.copySign(far, x));
}

/// exp(-x^2) times a smooth function of x, for which 1 / (x + 2) and a
/// polynomial are exact enough.
Value buildErfc(Floats f, Value x) {
  // Beyond 10.2 it is 0 or 2; NaN goes through.
  Value magnitude = f.abs(x), most = f.number(10.2f), two = f.number(2);
  Value inside = f.select(f.less(most, magnitude), most, magnitude);
  Value part = f.div(f.number(1), f.add(inside, two));
  Value p = f.polynomial(f.mul(f.sub(inside, two), part),
                         {-0x1.733c86p-15f, -0x1.14b794p-11f, -0x1.7f4b94p-11f,
                          0x1.8e98acp-9f, 0x1.a5f26cp-8f, -0x1.6049b2p-6f,
                          -0x1.2a7d74p-5f, 0x1.1e2dbep-2f, -0x1.5fd38cp-1f,
                          0x1.058672p+0f});
  p = f.mul(p, part);
  // The exponential is made 2^64 times as large, and so is rounded but once
  // where the result is below the normal numbers.
  auto [square, rest] = f.square(inside);
  Floats::Power power = f.reducedExp(f.neg(square), f.neg(rest), 127 + 64);
  Value result = f.mul(f.mulAdd(power.minusOne, p, p),
                       f.fromBits(f.toExponent(power.bits)));
  result = f.mul(result, f.number(0x1p-64f));
  return f.select(f.less(x, f.number(0)), f.sub(two, result), result);
}

/// NaN compares false everywhere: it takes the last choice of each select,
/// whose bits the exponent's may have spoiled.
template <typename OpTy, Value (*build)(Floats, Value), bool keepsNan>
struct FloatFunction : OpRewritePattern<OpTy> {
  FloatFunction(MLIRContext *context, PatternBenefit benefit, bool hasFma)
      : OpRewritePattern<OpTy>(context, benefit), hasFma(hasFma) {}

  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    Type type = op.getType();
    auto vector = dyn_cast<VectorType>(type);
    if (!getElementTypeOrSelf(type).isF32() || (vector && vector.isScalable()))
      return failure();
    Value x = op.getOperand();
    Value result = build(Floats(rewriter, op.getLoc(), type, hasFma), x);
    if (!keepsNan) {
      Value isNan = arith::CmpFOp::create(rewriter, op.getLoc(),
                                          arith::CmpFPredicate::UNO, x, x);
      result = arith::SelectOp::create(rewriter, op.getLoc(), isNan, x, result);
    }
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  bool hasFma;
};

struct ScaledExp : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::ExpOp op,
                                PatternRewriter &rewriter) const override {
    Floats floats(rewriter, op.getLoc(), op.getType(), /*hasFma=*/true);
    if (!getElementTypeOrSelf(op.getType()).isF32() || !floats.fillsRegister())
      return failure();
    rewriter.replaceOp(op, buildScaledExp(floats, op.getOperand()));
    return success();
  }
};

} // namespace

void populateFloatFunctionPatterns(RewritePatternSet &patterns, bool hasFma,
                                   bool hasScale) {
  MLIRContext *context = patterns.getContext();
  PatternBenefit benefit(2);
  if (hasScale)
    patterns.add<ScaledExp>(context, /*benefit=*/3);
  patterns.add<FloatFunction<math::ExpOp, buildExp, true>,
               FloatFunction<math::TanhOp, buildTanh, false>,
               FloatFunction<math::ErfOp, buildErf, false>,
               FloatFunction<math::ErfcOp, buildErfc, true>>(context, benefit,
                                                             hasFma);
}

} // namespace tenon
