//===- FedAxes.h - axes that only the run knows
//----------------------------===//
//
// Along an axis that is fed, a tensor is a view of three dimensions: those
// before it, it, and those after it, whose sizes are computed at run time. The
// operation is done along the one in the middle.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_FEDAXES_H
#define TENON_FRONTEND_TENSORFLOW_OPS_FEDAXES_H

#include "frontend/OpImporter.h"

namespace tenon::tf {

/// Whether input `i` is known when the graph is compiled.
bool isKnown(Binder &b, unsigned i);

/// Input 0 transposed by input 1.
mlir::Value transposeAtRun(Binder &b);

/// Input 0 through `op`, which has an `axis` and keeps the shape, along
/// input 1.
mlir::Value scanAtRun(Binder &b, llvm::StringRef op,
                      llvm::ArrayRef<mlir::NamedAttribute> attributes);

/// Input 0 without the axis in input 1, by `op`, which has an `axis`.
mlir::Value extremumAtRun(Binder &b, llvm::StringRef op, mlir::Type type);

/// `input` reduced over the axes in input 1 by `op`; their number is known.
mlir::Value reduceAtRun(Binder &b, llvm::StringRef op, mlir::Value input);

/// Row Roll for axes that are fed.
void rollAtRun(Binder &b);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_FEDAXES_H
