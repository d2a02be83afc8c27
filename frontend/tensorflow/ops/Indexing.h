//===- Indexing.h - subscripts shared by several families -----------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_OPS_INDEXING_H
#define TENON_FRONTEND_TENSORFLOW_OPS_INDEXING_H

#include "frontend/OpImporter.h"

namespace tenon::tf {

/// The masks of a strided slice that are not 0.
llvm::SmallVector<mlir::NamedAttribute> sliceMasks(Binder &binder);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_OPS_INDEXING_H
