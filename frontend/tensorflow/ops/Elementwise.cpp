//===- Elementwise.cpp - one element from one element of each input -------===//

#include "frontend/tensorflow/ops/Expect.h"
#include "frontend/tensorflow/ops/Rows.h"
#include "frontend/tensorflow/ops/Sequence.h"

using namespace mlir;

namespace tenon::tf {

namespace {
Type boolType(Binder &b) { return b.builder().getI1Type(); }

/// Every operand has the first one's element type.
void checkSameType(Binder &b, ArrayRef<Value> values) {
  for (Value value : values)
    if (value && Binder::type(value) != Binder::type(values.front()))
      b.fail("inputs have different element types");
}

/// Result of the operands' type.
Row same(StringRef op, unsigned count) {
  return [op, count](Binder &b) {
    if (b.inputCount() > count)
      return b.fail("expected " + llvm::Twine(count) +
                    " inputs, the node has " + llvm::Twine(b.inputCount()));
    SmallVector<Value> inputs = b.inputList(0, count);
    checkSameType(b, inputs);
    b.set(0, b.make(op, Binder::type(inputs.empty() ? Value() : inputs[0]),
                    inputs));
  };
}

/// Result of booleans.
Row test(StringRef op, unsigned count) {
  return [op, count](Binder &b) {
    SmallVector<Value> inputs = b.inputList(0, count);
    checkSameType(b, inputs);
    b.set(0, b.make(op, boolType(b), inputs));
  };
}

/// NumPy's equality; `otherwise` as a whole when shapes do not fit and that is
/// no error. Sizes that are not known are taken to fit.
Row equality(StringRef op, bool otherwise) {
  return [op, otherwise](Binder &b) {
    if (!b.flag("incompatible_shape_error", true)) {
      auto x = b.dims(b.input(0)), y = b.dims(b.input(1));
      for (size_t i = 1; i <= std::min(x.size(), y.size()); ++i) {
        auto size = graph::ShapeContext::asConstant(x[x.size() - i]),
             other = graph::ShapeContext::asConstant(y[y.size() - i]);
        if (size && other && *size != *other && *size != 1 && *other != 1)
          return b.set(0, b.scalar(boolType(b), otherwise));
      }
    }
    test(op, 2)(b);
  };
}

/// Bits of a number's fraction.
unsigned fractionBits(Type type) {
  return cast<FloatType>(type).getFPMantissaWidth() - 1;
}

/// `value` without the bits of its fraction that `to` has no room for.
Value withoutLowBits(Binder &b, Value value, Type to) {
  Type from = Binder::type(value);
  if (b.failed())
    return {};
  unsigned width = from.getIntOrFloatBitWidth();
  Type bits = b.builder().getIntegerType(width);
  Value mask = b.constant(DenseElementsAttr::get(
      RankedTensorType::get({}, bits),
      APInt::getHighBitsSet(width,
                            width - (fractionBits(from) - fractionBits(to)))));
  Value kept =
      b.make("graph.and", bits, {b.make("graph.bitcast", bits, value), mask});
  return b.make("graph.bitcast", from, kept);
}

/// Narrower floating-point numbers are rounded, or with `Truncate` cut; f64 to
/// bfloat16 and what begins with half precision TensorFlow rounds all the same.
void importCast(Binder &b) {
  Value input = b.input(0);
  Type to = b.elementType("DstT"), from = Binder::type(input);
  if (b.failed())
    return;
  auto part = [](Type type) {
    auto complex = dyn_cast<ComplexType>(type);
    return dyn_cast<FloatType>(complex ? complex.getElementType() : type);
  };
  FloatType narrow = part(to), wide = part(from);
  if (!b.flag("Truncate", false) || !narrow || !wide || wide.getWidth() < 32 ||
      fractionBits(wide) <= fractionBits(narrow) ||
      (wide.isF64() && narrow.isBF16()))
    return b.set(0, b.cast(input, to));
  if (!isa<ComplexType>(from))
    return b.set(0, b.cast(withoutLowBits(b, input, narrow), to));
  Value real = withoutLowBits(b, b.make("graph.real", wide, input), narrow);
  if (!isa<ComplexType>(to))
    return b.set(0, b.cast(real, to));
  Value imaginary =
      withoutLowBits(b, b.make("graph.imag", wide, input), narrow);
  b.set(0, b.cast(b.make("graph.complex", from, {real, imaginary}), to));
}

/// Integers have no negative powers.
void importPow(Binder &b) {
  Value exponent = b.input(1);
  Type type = Binder::type(exponent);
  if (type && type.isSignlessInteger())
    expect(b, b.scalar(type, 0), "graph.less_equal", exponent,
           "an integer has a negative exponent");
  same("graph.pow", 2)(b);
}

/// To the nearest, halves to the even one. What TensorFlow computes of integers
/// is 0, for any of them.
void importRound(Binder &b) {
  Value input = b.input(0);
  if (b.failed())
    return;
  Type type = Binder::type(input);
  b.set(0, type.isInteger() ? b.make("graph.sub", type, {input, input})
                            : b.make("graph.round", type, input));
}

/// The part of a complex number, of type Tout.
Row part(StringRef op) {
  return [op](Binder &b) {
    Value input = b.input(0);
    Type type = Binder::type(input);
    if (auto complex = dyn_cast_or_null<ComplexType>(type))
      type = complex.getElementType();
    b.set(0, b.make(op, type, input));
  };
}

/// Division as Python 2 had it: integers towards zero.
void importDiv(Binder &b) {
  SmallVector<Value> inputs = b.inputList(0, 2);
  checkSameType(b, inputs);
  if (b.failed())
    return;
  Type type = Binder::type(inputs[0]);
  b.set(0, b.make(type.isInteger() ? "graph.trunc_div" : "graph.div", type,
                  inputs));
}

/// A vector condition chooses whole rows.
void importSelect(Binder &b) {
  Value condition = b.input(0), yes = b.input(1), no = b.input(2);
  checkSameType(b, {yes, no});
  if (b.failed())
    return;
  if (b.rank(condition) == 1 && b.rank(yes) > 1) {
    SmallVector<int64_t> axes;
    for (int64_t i = 1; i < b.rank(yes); ++i)
      axes.push_back(i);
    condition = b.make("graph.expand_dims", boolType(b), condition,
                       b.attribute("axes", axes));
  }
  b.set(0, b.make("graph.select", Binder::type(yes), {condition, yes, no}));
}

void importAddN(Binder &b) {
  if (importListSum(b))
    return;
  Value sum = b.input(0);
  for (unsigned i = 1; i < b.inputCount(); ++i)
    sum = b.make("graph.add", Binder::type(sum), {sum, b.input(i)});
  b.set(0, sum);
}

void importLeakyRelu(Binder &b) {
  Value input = b.input(0);
  b.set(0, b.make("graph.leaky_relu", Binder::type(input), input,
                  b.realAttribute("alpha", b.real("alpha", 0.2f))));
}

void importApproximateEqual(Binder &b) {
  Value x = b.input(0), y = b.input(1);
  Type type = Binder::type(x);
  Value distance = b.make("graph.abs", type, b.make("graph.sub", type, {x, y}));
  Value tolerance = b.scalar(type, b.real("tolerance", 1e-5f));
  b.set(0, b.make("graph.less", boolType(b), {distance, tolerance}));
}

//===----------------------------------------------------------------------===//
// Gradients
//===----------------------------------------------------------------------===//

/// Small expressions over values of one type.
struct Expression {
  Binder &b;
  Type type;
  Value number(double value) { return b.scalar(type, value); }
  Value add(Value x, Value y) { return b.make("graph.add", type, {x, y}); }
  Value sub(Value x, Value y) { return b.make("graph.sub", type, {x, y}); }
  Value mul(Value x, Value y) { return b.make("graph.mul", type, {x, y}); }
  Value div(Value x, Value y) { return b.make("graph.div", type, {x, y}); }
  Value unary(StringRef op, Value x) { return b.make(op, type, x); }
  Value conj(Value x) {
    return isa_and_nonnull<ComplexType>(type) ? unary("graph.conj", x) : x;
  }
  /// 1 or 0 of the type.
  Value cast(Value condition) { return b.cast(condition, type); }
  Value greater(Value x, Value y) {
    return b.make("graph.greater", boolType(b), {x, y});
  }
  /// What becomes of a derivative that is 0: 0, also at poles.
  Value unlessZero(Value dy, Value value) {
    return select(b.make("graph.equal", boolType(b), {dy, number(0)}),
                  number(0), value);
  }
  Value select(Value c, Value x, Value y) {
    return b.make("graph.select", type, {c, x, y});
  }
};

/// A derivative from the two inputs of the operation.
template <typename Function> Row gradient(Function function) {
  return [function](Binder &b) {
    Value x = b.input(0), y = b.input(1);
    checkSameType(b, {x, y});
    if (!b.failed())
      b.set(0, function(Expression{b, Binder::type(x)}, x, y));
  };
}

void addDerivativeRows(RowTable &table) {
  // Of the result y: inputs are y and dy.
  table["TanhGrad"] = gradient([](Expression e, Value y, Value dy) {
    return e.mul(dy, e.sub(e.number(1), e.mul(y, y)));
  });
  table["SigmoidGrad"] = gradient([](Expression e, Value y, Value dy) {
    return e.mul(e.mul(dy, y), e.sub(e.number(1), y));
  });
  table["SqrtGrad"] = gradient([](Expression e, Value y, Value dy) {
    return e.unlessZero(dy, e.div(e.mul(dy, e.number(0.5)), e.conj(y)));
  });
  table["RsqrtGrad"] = gradient([](Expression e, Value y, Value dy) {
    y = e.conj(y);
    return e.unlessZero(
        dy, e.mul(e.mul(dy, e.number(-0.5)), e.mul(y, e.mul(y, y))));
  });
  for (const char *name : {"InvGrad", "ReciprocalGrad"})
    table[name] = gradient([](Expression e, Value y, Value dy) {
      y = e.conj(y);
      return e.unlessZero(dy, e.unary("graph.neg", e.mul(dy, e.mul(y, y))));
    });
  // Inputs are dy and the operation's input or result.
  // TensorFlow multiplies by 0 or 1, which shows in signs of zeros and in NaN.
  table["ReluGrad"] = gradient([](Expression e, Value dy, Value x) {
    return e.mul(dy, e.cast(e.greater(x, e.number(0))));
  });
  table["Relu6Grad"] = gradient([](Expression e, Value dy, Value x) {
    Value inside =
        e.b.make("graph.and", boolType(e.b),
                 {e.greater(x, e.number(0)), e.greater(e.number(6), x)});
    return e.mul(dy, e.cast(inside));
  });
  table["SoftplusGrad"] = gradient([](Expression e, Value dy, Value x) {
    return e.mul(dy, e.unary("graph.sigmoid", x));
  });
  table["SoftsignGrad"] = gradient([](Expression e, Value dy, Value x) {
    Value one = e.add(e.number(1), e.unary("graph.abs", x));
    return e.div(dy, e.mul(one, one));
  });
  table["EluGrad"] = gradient([](Expression e, Value dy, Value y) {
    return e.select(e.greater(e.number(0), y), e.mul(e.add(y, e.number(1)), dy),
                    dy);
  });
  table["SeluGrad"] = gradient([](Expression e, Value dy, Value y) {
    constexpr double scale = 1.0507009873554804934193349852946;
    constexpr double scaledAlpha = 1.7580993408473768599402175208123;
    return e.select(e.greater(e.number(0), y),
                    e.mul(dy, e.add(y, e.number(scaledAlpha))),
                    e.mul(dy, e.number(scale)));
  });
  table["LeakyReluGrad"] = gradient([](Expression e, Value dy, Value x) {
    Value alpha = e.number(e.b.real("alpha", 0.2f));
    return e.select(e.greater(x, e.number(0)), dy, e.mul(dy, alpha));
  });
}
} // namespace

void addElementwiseRows(RowTable &table) {
  struct Name {
    const char *source, *op;
  };
  for (Name name :
       std::initializer_list<Name>{{"Abs", "graph.abs"},
                                   {"Acos", "graph.acos"},
                                   {"Acosh", "graph.acosh"},
                                   {"Asin", "graph.asin"},
                                   {"Asinh", "graph.asinh"},
                                   {"Atan", "graph.atan"},
                                   {"Atanh", "graph.atanh"},
                                   {"BesselI0", "graph.bessel_i0"},
                                   {"BesselI0e", "graph.bessel_i0e"},
                                   {"BesselI1", "graph.bessel_i1"},
                                   {"BesselI1e", "graph.bessel_i1e"},
                                   {"Ceil", "graph.ceil"},
                                   {"Conj", "graph.conj"},
                                   {"Cos", "graph.cos"},
                                   {"Cosh", "graph.cosh"},
                                   {"Digamma", "graph.digamma"},
                                   {"Elu", "graph.elu"},
                                   {"Erf", "graph.erf"},
                                   {"Erfc", "graph.erfc"},
                                   {"Erfinv", "graph.erfinv"},
                                   {"Exp", "graph.exp"},
                                   {"Expm1", "graph.expm1"},
                                   {"Floor", "graph.floor"},
                                   {"Inv", "graph.reciprocal"},
                                   {"Invert", "graph.not"},
                                   {"Lgamma", "graph.lgamma"},
                                   {"Log", "graph.log"},
                                   {"Log1p", "graph.log1p"},
                                   {"LogicalNot", "graph.not"},
                                   {"Ndtri", "graph.ndtri"},
                                   {"Neg", "graph.neg"},
                                   {"Reciprocal", "graph.reciprocal"},
                                   {"Relu", "graph.relu"},
                                   {"Relu6", "graph.relu6"},
                                   {"Rint", "graph.round"},
                                   {"Rsqrt", "graph.rsqrt"},
                                   {"Selu", "graph.selu"},
                                   {"Sigmoid", "graph.sigmoid"},
                                   {"Sign", "graph.sign"},
                                   {"Sin", "graph.sin"},
                                   {"Sinh", "graph.sinh"},
                                   {"Softplus", "graph.softplus"},
                                   {"Softsign", "graph.softsign"},
                                   {"Sqrt", "graph.sqrt"},
                                   {"Square", "graph.square"},
                                   {"Tan", "graph.tan"},
                                   {"Tanh", "graph.tanh"}})
    table[name.source] = same(name.op, 1);
  for (Name name : std::initializer_list<Name>{
           {"Add", "graph.add"},
           {"AddV2", "graph.add"},
           {"Atan2", "graph.atan2"},
           {"BitwiseAnd", "graph.and"},
           {"BitwiseOr", "graph.or"},
           {"BitwiseXor", "graph.xor"},
           {"DivNoNan", "graph.div_no_nan"},
           {"FloorDiv", "graph.floor_div"},
           {"FloorMod", "graph.floor_mod"},
           {"Igamma", "graph.igamma"},
           {"Igammac", "graph.igammac"},
           {"LeftShift", "graph.left_shift"},
           {"LogicalAnd", "graph.and"},
           {"LogicalOr", "graph.or"},
           {"Maximum", "graph.maximum"},
           {"Minimum", "graph.minimum"},
           {"Mod", "graph.trunc_mod"},
           {"Mul", "graph.mul"},
           {"MulNoNan", "graph.mul_no_nan"},
           {"NextAfter", "graph.next_after"},
           {"RightShift", "graph.right_shift"},
           {"SquaredDifference", "graph.squared_difference"},
           {"Sub", "graph.sub"},
           {"TruncateDiv", "graph.trunc_div"},
           {"TruncateMod", "graph.trunc_mod"},
           {"Xdivy", "graph.xdivy"},
           {"Xlog1py", "graph.xlog1py"},
           {"Xlogy", "graph.xlogy"}})
    table[name.source] = same(name.op, 2);
  for (Name name :
       std::initializer_list<Name>{{"Greater", "graph.greater"},
                                   {"GreaterEqual", "graph.greater_equal"},
                                   {"Less", "graph.less"},
                                   {"LessEqual", "graph.less_equal"}})
    table[name.source] = test(name.op, 2);
  table["Equal"] = equality("graph.equal", false);
  table["NotEqual"] = equality("graph.not_equal", true);
  table["Round"] = importRound;
  table["Pow"] = importPow;
  table["IsNan"] = test("graph.is_nan", 1);
  table["IsInf"] = test("graph.is_inf", 1);
  table["IsFinite"] = test("graph.is_finite", 1);
  table["ApproximateEqual"] = importApproximateEqual;
  table["Div"] = table["RealDiv"] = importDiv;
  table["AddN"] = table["AccumulateNV2"] = importAddN;
  for (const char *name : {"Add", "AddV2"})
    table[name] = [plain = table[name]](Binder &b) {
      if (!importListSum(b))
        plain(b);
    };
  table["LeakyRelu"] = importLeakyRelu;
  table["Select"] = importSelect;
  table["ClipByValue"] = same("graph.clip", 3);
  table["SelectV2"] = [](Binder &b) {
    Value yes = b.input(1), no = b.input(2);
    checkSameType(b, {yes, no});
    b.set(0, b.make("graph.select", Binder::type(yes), {b.input(0), yes, no}));
  };
  table["Cast"] = importCast;
  table["PopulationCount"] = [](Binder &b) {
    Type bytes = b.builder().getIntegerType(8, /*isSigned=*/false);
    b.set(0, b.make("graph.population_count", bytes, b.input(0)));
  };
  table["Complex"] = [](Binder &b) {
    SmallVector<Value> inputs = b.inputList(0, 2);
    checkSameType(b, inputs);
    if (!b.failed())
      b.set(0, b.make("graph.complex",
                      ComplexType::get(Binder::type(inputs[0])), inputs));
  };
  table["Real"] = part("graph.real");
  table["Imag"] = part("graph.imag");
  table["Angle"] = part("graph.angle");
  table["ComplexAbs"] = part("graph.abs");
  addDerivativeRows(table);
}

} // namespace tenon::tf
