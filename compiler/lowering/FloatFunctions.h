//===- FloatFunctions.h - exp, tanh, erf of floats ------------------------===//

#ifndef TENON_COMPILER_LOWERING_FLOATFUNCTIONS_H
#define TENON_COMPILER_LOWERING_FLOATFUNCTIONS_H

#include "mlir/IR/PatternMatch.h"

namespace tenon {

/// math.exp, math.tanh and math.erf of f32, also in vectors, as arithmetic
/// without branches, right within 1.5 units in the last place for all floats
/// (subnormal ones too, with fused multiply-adds; NaN and infinities as
/// expected), math.erfc within 4.5. Preferred to upstream's approximations,
/// which are less exact. `hasScale`: x86's AVX-512, which multiplies by powers
/// of two.
void populateFloatFunctionPatterns(mlir::RewritePatternSet &patterns,
                                   bool hasFma, bool hasScale);

} // namespace tenon

#endif // TENON_COMPILER_LOWERING_FLOATFUNCTIONS_H
