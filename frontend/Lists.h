//===- Lists.h - lists of tensors, and of what is not one tensor ----------===//
//
// A list is one of these:
//
// - items of which only the type is known, or nothing: no tensor, `length`;
// - items of one shape: `tensor` with a leading dimension;
// - ragged: items of one rank, one after another in the vector `tensor`, with
//   the sizes of each in a row of `sizes`;
// - items that are lists or one of two values: `parts` has a list for each
//   tensor of an item, `item` says how to put these together.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_LISTS_H
#define TENON_FRONTEND_LISTS_H

#include "frontend/OpImporter.h"

namespace tenon {

/// Calls `visit` for each tensor that a value consists of. `isSize`: it says
/// where items begin and end, not what they are.
void forEachTensor(
    ImportedValue &value,
    llvm::function_ref<void(mlir::Value &tensor, bool isSize)> visit);

/// Whether a value can be used where the builder stands.
bool isVisible(Binder &binder, mlir::Value value);
/// Whether what a size is computed from can.
bool isVisible(Binder &binder, mlir::AffineExpr size);

/// Forgets sizes and contents that are not known where the builder stands.
void forgetInvisible(Binder &binder, ImportedValue &value);

/// Zeros in the place of a value's tensors that are not visible; a size that is
/// not visible either is 0.
ImportedValue standIn(Binder &binder, ImportedValue value);

/// What two values have in common: whether tensors can stand in for each other.
bool isAlike(Binder &binder, const ImportedValue &a, const ImportedValue &b);

/// Keeps what is known of the items of both lists.
void mergeKnowledge(ImportedValue &value, const ImportedValue &other);

/// Whether the same is known of the items of both lists.
bool isEquallyKnown(const ImportedValue &a, const ImportedValue &b);

/// A list of the items in `tensor`.
ImportedValue listOf(mlir::Value tensor);

/// A list without tensor, with zeros of the sizes `element` as items.
ImportedValue filledList(Binder &binder, ImportedValue list,
                         llvm::ArrayRef<mlir::AffineExpr> element);

/// The same with items like those of `other`; where their sizes are not
/// visible, with items that have no elements.
ImportedValue filledLike(Binder &binder, const ImportedValue &list,
                         const ImportedValue &other);

/// A list of tensors with a row of sizes for each.
ImportedValue ragged(Binder &binder, ImportedValue list);

/// A ragged list of pieces of `value` along its first dimension, of the lengths
/// in an integer vector.
ImportedValue piecesOf(Binder &binder, mlir::Value value, mlir::Value lengths);

/// The items of a ragged list one after another along their first dimension,
/// and (i64) how long each is in it.
std::pair<mlir::Value, mlir::Value> joinedItems(Binder &binder,
                                                const ImportedValue &list);

/// Nothing is known of it but, maybe, the type of its items.
bool isUnknownList(const ImportedValue &value);

/// `value` in the form that `other` has, as far as one can be made of the
/// other.
ImportedValue inFormOf(Binder &binder, ImportedValue value,
                       const ImportedValue &other);

/// The tensor of a list's items, which must be tensors of one shape.
mlir::Value stacked(Binder &binder, const ImportedValue &list);

/// The number of items, an i64 vector of one element.
mlir::Value itemCount(Binder &binder, const ImportedValue &list);

/// `list`, of which something is known, with another item at its end.
ImportedValue pushItem(Binder &binder, ImportedValue list,
                       const ImportedValue &item);
/// The list without its last item, and that.
std::pair<ImportedValue, ImportedValue> popItem(Binder &binder,
                                                ImportedValue list);
ImportedValue getItem(Binder &binder, const ImportedValue &list,
                      mlir::Value index);
/// With item `index` replaced; a list that may grow gets items without elements
/// before it.
ImportedValue setItem(Binder &binder, ImportedValue list, mlir::Value index,
                      const ImportedValue &item, bool grow);

/// As many zeros in lists as there are.
ImportedValue zerosLike(Binder &binder, ImportedValue value);

/// The sum of two lists, item by item; what only one has counts as zero.
ImportedValue sumOf(Binder &binder, ImportedValue a, ImportedValue b);

} // namespace tenon

#endif // TENON_FRONTEND_LISTS_H
