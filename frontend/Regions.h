//===- Regions.h - what conditions and loops share ------------------------===//

#ifndef TENON_FRONTEND_REGIONS_H
#define TENON_FRONTEND_REGIONS_H

#include "frontend/Lists.h"

namespace tenon {

/// Ends the builder's block with the tensors of `values`.
void yield(Binder &binder, llvm::ArrayRef<mlir::Value> values);

/// Two regions in the making. They stand where their op will, so that symbols
/// and values around them are found.
class PendingRegions {
public:
  PendingRegions(Binder &binder, llvm::StringRef op);
  PendingRegions(const PendingRegions &) = delete;
  /// What was read in vain goes out of the way; see `discarded`.
  ~PendingRegions();

  mlir::Region &operator[](unsigned i) { return holder->getRegion(i); }

  /// Hands the regions to the op that is built next.
  void moveTo(mlir::OperationState &state);

private:
  Binder &binder;
  mlir::Operation *holder;
};

/// Builds an op with regions and infers its result types; null after a failure.
mlir::Operation *finish(Binder &binder, mlir::OperationState &state);

} // namespace tenon

#endif // TENON_FRONTEND_REGIONS_H
