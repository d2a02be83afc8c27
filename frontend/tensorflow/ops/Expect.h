//===- Expect.h - what TensorFlow checks of operands at run time ----------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_EXPECT_H
#define TENON_FRONTEND_TENSORFLOW_OPS_EXPECT_H

#include "frontend/OpImporter.h"

namespace tenon::tf {

/// The run ends with a message that names the node unless all booleans in
/// `good` hold. Nothing is left of it when the compiler knows that they do.
void expect(Binder &b, mlir::Value good, const llvm::Twine &message);

/// `x comparison y`, a comparison of the graph dialect, for all elements.
void expect(Binder &b, mlir::Value x, llvm::StringRef comparison, mlir::Value y,
            const llvm::Twine &message);

/// Dimension `d` of `value` has the size of dimension `e` of `other`.
void expectSize(Binder &b, mlir::Value value, int64_t d, mlir::Value other,
                int64_t e, const llvm::Twine &message);

/// Dimension `d` of `value` has at least `least` elements.
void expectAtLeast(Binder &b, mlir::Value value, int64_t d, int64_t least,
                   const llvm::Twine &message);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_EXPECT_H
