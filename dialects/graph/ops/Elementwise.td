// One element of the result from one element of each operand.
#ifndef TENON_GRAPH_ELEMENTWISE
#define TENON_GRAPH_ELEMENTWISE

include "dialects/graph/GraphTypes.td"

def Graph_BoolTensor : RankedTensorOf<[I1]>;
def Graph_FloatTensor : RankedTensorOf<[AnyFloat]>;
def Graph_ComplexTensor : RankedTensorOf<[AnyComplex]>;
def Graph_FloatOrComplexTensor : RankedTensorOf<[AnyFloat, AnyComplex]>;
def Graph_RealTensor : RankedTensorOf<[AnyInteger, AnyFloat]>;
def Graph_NumberTensor : RankedTensorOf<[AnyInteger, AnyFloat, AnyComplex]>;

/// Shape rule and lowering are shared; an op adds `buildScalar`, and
/// `foldElement` when sizes are computed with it.
class Graph_ElementwiseOp<string mnemonic, list<Trait> traits = [], list<string> methods = []>
    : Graph_PureOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<Graph_Elementwise, methods>], traits)> {
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferShapes(ShapeContext &shapes) {
      return inferElementwiseShapes(*this, shapes);
    }
    ::llvm::LogicalResult $cppClass::lowerToLinalg(LoweringContext &lowering) {
      return lowerElementwise(*this, lowering);
    }
  }];
}

/// A description whose example is made from the op's name.
class Graph_Described<string text, string example> {
  string description = "\n" # text # "\n\n```mlir\n" # example # "\n```\n";
}

class Graph_UnaryOp<string mnemonic, string about, string meaning = "", TypeConstraint input_type = Graph_NumberTensor,
    list<Trait> traits = [AllElementTypesMatch<["input", "result"]>], list<string> methods = [],
    string example_type = "f32", string result_type = example_type>
    : Graph_ElementwiseOp<mnemonic, traits, methods> {
  let summary = about;
  let description = Graph_Described<meaning, "%r = graph." # mnemonic # " %a : (tensor<2x3x" # example_type # ">) -> tensor<2x3x" # result_type # ">">.description;
  let arguments = (ins input_type:$input);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

/// For f16 to f64.
class Graph_FloatUnaryOp<string mnemonic, string about, string meaning = "">
    : Graph_UnaryOp<mnemonic, about, meaning, Graph_FloatTensor>;
/// For floats and complex numbers.
class Graph_ComplexUnaryOp<string mnemonic, string about, string meaning = "">
    : Graph_UnaryOp<mnemonic, about, meaning, Graph_FloatOrComplexTensor>;
/// A question about a float.
class Graph_FloatTestOp<string mnemonic, string about>
    : Graph_UnaryOp<mnemonic, about, "", Graph_FloatTensor, [], [], "f32", "i1">;
/// The real-valued part of a complex number.
class Graph_ComplexPartOp<string mnemonic, string about, string meaning = "">
    : Graph_UnaryOp<mnemonic, about, meaning, Graph_FloatOrComplexTensor, [], [], "complex<f32>", "f32">;

class Graph_BinaryOp<string mnemonic, string about, string meaning = "", TypeConstraint operand_type = Graph_NumberTensor,
    list<Trait> traits = [AllElementTypesMatch<["lhs", "rhs", "result"]>], list<string> methods = [],
    string example_type = "f32", string result_type = example_type>
    : Graph_ElementwiseOp<mnemonic, traits, methods> {
  let summary = about;
  let description = Graph_Described<meaning, "%r = graph." # mnemonic # " %a, %b : (tensor<2x3x" # example_type # ">, tensor<3x" # example_type #
      ">) -> tensor<2x3x" # result_type # ">">.description;
  let arguments = (ins operand_type:$lhs, operand_type:$rhs);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

/// For all numbers; shapes are computed with it.
class Graph_SizeBinaryOp<string mnemonic, string about, string meaning = "">
    : Graph_BinaryOp<mnemonic, about, meaning, Graph_NumberTensor, [AllElementTypesMatch<["lhs", "rhs", "result"]>], ["foldElement"]>;
/// For integers and floats; shapes are computed with it.
class Graph_RealBinaryOp<string mnemonic, string about, string meaning = "">
    : Graph_BinaryOp<mnemonic, about, meaning, Graph_RealTensor, [AllElementTypesMatch<["lhs", "rhs", "result"]>], ["foldElement"]>;
/// Where an integer divided by zero fails the run.
class Graph_DivisionOp<string mnemonic, string about, string meaning>
    : Graph_RealBinaryOp<mnemonic, about, meaning> {
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferShapes(ShapeContext &shapes) {
      return inferElementwiseShapes(*this, shapes);
    }
    ::llvm::LogicalResult $cppClass::lowerToLinalg(LoweringContext &lowering) {
      requireNonZero(*this, getRhs(), lowering);
      return lowerElementwise(*this, lowering);
    }
  }];
}
class Graph_FloatBinaryOp<string mnemonic, string about, string meaning = "", TypeConstraint type = Graph_FloatTensor>
    : Graph_BinaryOp<mnemonic, about, meaning, type>;
/// For integers and booleans.
class Graph_BitBinaryOp<string mnemonic, string about, string meaning = "", list<string> methods = []>
    : Graph_BinaryOp<mnemonic, about, meaning, Graph_IntTensor, [AllElementTypesMatch<["lhs", "rhs", "result"]>], methods, "i32">;
class Graph_ComparisonOp<string mnemonic, string about, string meaning = "", TypeConstraint type = Graph_RealTensor>
    : Graph_BinaryOp<mnemonic, about, meaning, type, [AllElementTypesMatch<["lhs", "rhs"]>], ["foldElement"], "f32", "i1">;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

def Graph_AddOp : Graph_SizeBinaryOp<"add", "sum", "Integers wrap around.">;
def Graph_SubOp : Graph_SizeBinaryOp<"sub", "difference", "Integers wrap around.">;
def Graph_MulOp : Graph_SizeBinaryOp<"mul", "product", "Integers wrap around.">;
def Graph_DivOp : Graph_FloatBinaryOp<"div", "quotient of floats or complex numbers", "", Graph_FloatOrComplexTensor>;
def Graph_FloorDivOp : Graph_DivisionOp<"floor_div", "quotient rounded down",
    "An integer divided by zero fails the run; the least integer divided by -1 wraps around.">;
def Graph_TruncDivOp : Graph_DivisionOp<"trunc_div", "quotient rounded towards zero",
    "An integer divided by zero fails the run; the least integer divided by -1 wraps around.">;
def Graph_FloorModOp : Graph_DivisionOp<"floor_mod", "remainder with the sign of the divisor", "An integer modulo zero fails the run.">;
def Graph_TruncModOp : Graph_DivisionOp<"trunc_mod", "remainder with the sign of the dividend", "An integer modulo zero fails the run.">;
def Graph_PowOp : Graph_BinaryOp<"pow", "lhs to the power of rhs",
    "A negative integer exponent gives what is left of the power without its fraction: 0, or 1 or -1 for the bases 1 and -1."> {
  let hasCanonicalizeMethod = 1;
}
def Graph_MaximumOp : Graph_RealBinaryOp<"maximum", "the greater one; NaN when either is NaN">;
def Graph_MinimumOp : Graph_RealBinaryOp<"minimum", "the lesser one; NaN when either is NaN">;
def Graph_SquaredDifferenceOp : Graph_BinaryOp<"squared_difference", "(lhs - rhs) squared",
    "Of complex numbers: the difference times its conjugate.">;
def Graph_Atan2Op : Graph_FloatBinaryOp<"atan2", "angle of the point (rhs, lhs)">;
def Graph_IgammaOp : Graph_FloatBinaryOp<"igamma", "lower incomplete gamma function of shape lhs at rhs, divided by the complete one">;
def Graph_IgammacOp : Graph_FloatBinaryOp<"igammac", "1 - igamma(lhs, rhs), exact for large rhs">;
def Graph_XdivyOp : Graph_FloatBinaryOp<"xdivy", "lhs / rhs, and 0 where lhs is 0", "", Graph_FloatOrComplexTensor>;
def Graph_XlogyOp : Graph_FloatBinaryOp<"xlogy", "lhs * log(rhs), and 0 where lhs is 0", "", Graph_FloatOrComplexTensor>;
def Graph_Xlog1pyOp : Graph_FloatBinaryOp<"xlog1py", "lhs * log1p(rhs), and 0 where lhs is 0", "", Graph_FloatOrComplexTensor>;
def Graph_DivNoNanOp : Graph_FloatBinaryOp<"div_no_nan", "lhs / rhs, and 0 where rhs is 0", "", Graph_FloatOrComplexTensor>;
def Graph_MulNoNanOp : Graph_FloatBinaryOp<"mul_no_nan", "lhs * rhs, and 0 where rhs is 0", "", Graph_FloatOrComplexTensor>;
def Graph_NextAfterOp : Graph_FloatBinaryOp<"next_after", "the float next to lhs in the direction of rhs", "", RankedTensorOf<[F32, F64]>>;
def Graph_NegOp : Graph_UnaryOp<"neg", "negation", "Integers wrap around.", Graph_NumberTensor, [AllElementTypesMatch<["input", "result"]>], ["foldElement"]>;
def Graph_AbsOp : Graph_UnaryOp<"abs", "absolute value", "Integers wrap around. A complex number's is a float.", Graph_NumberTensor, []>;
def Graph_SignOp : Graph_UnaryOp<"sign", "-1, 0 or 1; NaN stays NaN", "Of a complex number: the number divided by its absolute value, or 0.">;
def Graph_ReciprocalOp : Graph_UnaryOp<"reciprocal", "1 / x", "Of integers: rounded towards zero; 0 for 0.">;
def Graph_SquareOp : Graph_UnaryOp<"square", "x * x">;
def Graph_SqrtOp : Graph_ComplexUnaryOp<"sqrt", "square root">;
def Graph_RsqrtOp : Graph_ComplexUnaryOp<"rsqrt", "1 / square root">;

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

def Graph_ExpOp : Graph_ComplexUnaryOp<"exp", "e to the power of x">;
def Graph_Expm1Op : Graph_ComplexUnaryOp<"expm1", "exp(x) - 1, exact near 0">;
def Graph_LogOp : Graph_ComplexUnaryOp<"log", "natural logarithm">;
def Graph_Log1pOp : Graph_ComplexUnaryOp<"log1p", "log(1 + x), exact near 0">;
def Graph_SinOp : Graph_ComplexUnaryOp<"sin", "sine">;
def Graph_CosOp : Graph_ComplexUnaryOp<"cos", "cosine">;
def Graph_TanOp : Graph_ComplexUnaryOp<"tan", "tangent">;
def Graph_AsinOp : Graph_ComplexUnaryOp<"asin", "arc sine">;
def Graph_AcosOp : Graph_ComplexUnaryOp<"acos", "arc cosine">;
def Graph_AtanOp : Graph_ComplexUnaryOp<"atan", "arc tangent">;
def Graph_SinhOp : Graph_ComplexUnaryOp<"sinh", "hyperbolic sine">;
def Graph_CoshOp : Graph_ComplexUnaryOp<"cosh", "hyperbolic cosine">;
def Graph_TanhOp : Graph_ComplexUnaryOp<"tanh", "hyperbolic tangent">;
def Graph_AsinhOp : Graph_ComplexUnaryOp<"asinh", "inverse hyperbolic sine">;
def Graph_AcoshOp : Graph_ComplexUnaryOp<"acosh", "inverse hyperbolic cosine">;
def Graph_AtanhOp : Graph_ComplexUnaryOp<"atanh", "inverse hyperbolic tangent">;
def Graph_ErfOp : Graph_FloatUnaryOp<"erf", "error function">;
def Graph_ErfcOp : Graph_FloatUnaryOp<"erfc", "1 - erf(x), exact for large x">;
def Graph_ErfinvOp : Graph_FloatUnaryOp<"erfinv", "inverse of the error function">;
def Graph_NdtriOp : Graph_FloatUnaryOp<"ndtri", "quantile of the normal distribution">;
def Graph_LgammaOp : Graph_FloatUnaryOp<"lgamma", "logarithm of the gamma function's absolute value">;
def Graph_DigammaOp : Graph_FloatUnaryOp<"digamma", "derivative of lgamma">;
def Graph_BesselI0Op : Graph_FloatUnaryOp<"bessel_i0", "modified Bessel function of order 0">;
def Graph_BesselI1Op : Graph_FloatUnaryOp<"bessel_i1", "modified Bessel function of order 1">;
def Graph_BesselI0eOp : Graph_FloatUnaryOp<"bessel_i0e", "bessel_i0(x) * exp(-|x|)">;
def Graph_BesselI1eOp : Graph_FloatUnaryOp<"bessel_i1e", "bessel_i1(x) * exp(-|x|)">;
def Graph_FloorOp : Graph_FloatUnaryOp<"floor", "rounded down">;
def Graph_CeilOp : Graph_FloatUnaryOp<"ceil", "rounded up">;
def Graph_RoundOp : Graph_UnaryOp<"round", "rounded to the nearest integer, halves to even", "Integers stay what they are.", Graph_RealTensor>;

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

def Graph_SigmoidOp : Graph_ComplexUnaryOp<"sigmoid", "1 / (1 + exp(-x))">;
def Graph_SoftplusOp : Graph_FloatUnaryOp<"softplus", "log(1 + exp(x)), without overflow">;
def Graph_SoftsignOp : Graph_FloatUnaryOp<"softsign", "x / (1 + |x|)">;
def Graph_ReluOp : Graph_UnaryOp<"relu", "max(x, 0); NaN stays NaN", "", Graph_RealTensor>;
def Graph_Relu6Op : Graph_UnaryOp<"relu6", "min(max(x, 0), 6); NaN stays NaN", "", Graph_RealTensor>;
def Graph_EluOp : Graph_FloatUnaryOp<"elu", "x where positive, else exp(x) - 1">;
def Graph_SeluOp : Graph_FloatUnaryOp<"selu", "the scaled elu of self-normalizing networks">;

def Graph_LeakyReluOp : Graph_ElementwiseOp<"leaky_relu", [AllElementTypesMatch<["input", "result"]>]> {
  let summary = "x where positive, else alpha * x";
  let description = [{
    ```mlir
    %r = graph.leaky_relu %a {alpha = 0.2 : f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Graph_FloatTensor:$input, DefaultValuedAttr<F32Attr, "0.2f">:$alpha);
  let results = (outs Graph_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Comparisons, logic and bits
//===----------------------------------------------------------------------===//

def Graph_EqualOp : Graph_ComparisonOp<"equal", "whether lhs == rhs; false when either is NaN", "", Graph_NumberTensor>;
def Graph_NotEqualOp : Graph_ComparisonOp<"not_equal", "whether lhs != rhs; true when either is NaN", "", Graph_NumberTensor>;
def Graph_LessOp : Graph_ComparisonOp<"less", "whether lhs < rhs; false when either is NaN">;
def Graph_LessEqualOp : Graph_ComparisonOp<"less_equal", "whether lhs <= rhs; false when either is NaN">;
def Graph_GreaterOp : Graph_ComparisonOp<"greater", "whether lhs > rhs; false when either is NaN">;
def Graph_GreaterEqualOp : Graph_ComparisonOp<"greater_equal", "whether lhs >= rhs; false when either is NaN">;
def Graph_IsNanOp : Graph_FloatTestOp<"is_nan", "whether x is NaN">;
def Graph_IsInfOp : Graph_FloatTestOp<"is_inf", "whether x is an infinity">;
def Graph_IsFiniteOp : Graph_FloatTestOp<"is_finite", "whether x is neither NaN nor an infinity">;

def Graph_AndOp : Graph_BitBinaryOp<"and", "bitwise and; logical and of booleans", "", ["foldElement"]>;
def Graph_OrOp : Graph_BitBinaryOp<"or", "bitwise or; logical or of booleans", "", ["foldElement"]>;
def Graph_XorOp : Graph_BitBinaryOp<"xor", "bitwise exclusive or; inequality of booleans">;
def Graph_NotOp : Graph_UnaryOp<"not", "all bits flipped; logical not of booleans", "", Graph_IntTensor,
    [AllElementTypesMatch<["input", "result"]>], ["foldElement"], "i32">;
def Graph_LeftShiftOp : Graph_BitBinaryOp<"left_shift", "bits moved up", "The distance is clamped to the width less one.">;
def Graph_RightShiftOp : Graph_BitBinaryOp<"right_shift", "bits moved down, filled with the sign of signed integers",
    "The distance is clamped to the width less one.">;
def Graph_PopulationCountOp : Graph_UnaryOp<"population_count", "number of bits that are set", "", Graph_IntTensor, [], [], "i32", "ui8">;

//===----------------------------------------------------------------------===//
// Choice and conversion
//===----------------------------------------------------------------------===//

def Graph_SelectOp : Graph_ElementwiseOp<"select", [AllElementTypesMatch<["on_true", "on_false", "result"]>], ["foldElement"]> {
  let summary = "one of two elements, by a boolean";
  let description = [{
    ```mlir
    %r = graph.select %p, %a, %b : (tensor<2x1xi1>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Graph_BoolTensor:$condition, Graph_Tensor:$on_true, Graph_Tensor:$on_false);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$condition `,` $on_true `,` $on_false attr-dict `:` functional-type(operands, results)";
}

def Graph_ClipOp : Graph_ElementwiseOp<"clip", [AllElementTypesMatch<["input", "low", "high", "result"]>], ["foldElement"]> {
  let summary = "x kept between two bounds: min(max(x, low), high)";
  let description = [{
    ```mlir
    %r = graph.clip %a, %low, %high : (tensor<2x3xf32>, tensor<f32>, tensor<f32>) -> tensor<2x3xf32>
    ```
  }];
  let arguments = (ins Graph_RealTensor:$input, Graph_RealTensor:$low, Graph_RealTensor:$high);
  let results = (outs Graph_RealTensor:$result);
  let assemblyFormat = "$input `,` $low `,` $high attr-dict `:` functional-type(operands, results)";
}

def Graph_CastOp : Graph_ElementwiseOp<"cast", [], ["foldElement"]> {
  let summary = "conversion to another element type";
  let description = [{
    Floats become integers by dropping the fraction; what does not fit gives the
    least integer for 32 and 64 bits, and the low bits of that for narrower
    types. Booleans are 0 and 1, and every number but 0 is true (NaN too).
    A complex number becomes a real one by dropping the imaginary part.

    ```mlir
    %r = graph.cast %a : (tensor<2x3xf32>) -> tensor<2x3xi32>
    ```
  }];
  let arguments = (ins Graph_NumberTensor:$input);
  let results = (outs Graph_NumberTensor:$result);
  let assemblyFormat = "$input attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Complex numbers
//===----------------------------------------------------------------------===//

def Graph_ComplexOp : Graph_BinaryOp<"complex", "the complex number lhs + rhs * i", "", Graph_FloatTensor,
    [AllElementTypesMatch<["lhs", "rhs"]>], [], "f32", "complex<f32>">;
def Graph_RealOp : Graph_ComplexPartOp<"real", "the real part", "Of a real number: the number.">;
def Graph_ImagOp : Graph_ComplexPartOp<"imag", "the imaginary part", "Of a real number: 0.">;
def Graph_AngleOp : Graph_ComplexPartOp<"angle", "the angle from the positive real axis, in radians">;
def Graph_ConjOp : Graph_UnaryOp<"conj", "the complex conjugate", "Of a real number: the number.">;

#endif // TENON_GRAPH_ELEMENTWISE
