//===- NodeBinder.h - rows' view of a TensorFlow node ---------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_NODEBINDER_H
#define TENON_FRONTEND_TENSORFLOW_NODEBINDER_H

#include "frontend/tensorflow/BodyImporter.h"

namespace tenon::tf {

class NodeBinder final : public Binder {
public:
  NodeBinder(BodyImporter &importer, Frame &frame, const Node &node,
             mlir::Location location, llvm::StringRef name,
             llvm::ArrayRef<ImportedValue> inputs)
      : Binder(importer.state, location, name, node.op, inputs),
        importer(importer), frame(frame), node(node) {}

  bool has(llvm::StringRef attr) override;
  int64_t integer(llvm::StringRef attr,
                  std::optional<int64_t> otherwise) override;
  double real(llvm::StringRef attr, std::optional<double> otherwise) override;
  bool flag(llvm::StringRef attr, std::optional<bool> otherwise) override;
  std::string text(llvm::StringRef attr,
                   std::optional<std::string> otherwise) override;
  mlir::Type elementType(llvm::StringRef attr) override;
  bool isOpaque(llvm::StringRef attr) override;
  llvm::SmallVector<std::string> texts(llvm::StringRef attr) override;
  llvm::SmallVector<mlir::Type> elementTypes(llvm::StringRef attr) override;
  llvm::SmallVector<std::optional<llvm::SmallVector<int64_t>>>
  shapeList(llvm::StringRef attr) override;
  llvm::SmallVector<int64_t>
  integers(llvm::StringRef attr,
           std::optional<llvm::SmallVector<int64_t>> otherwise) override;
  llvm::SmallVector<double> reals(llvm::StringRef attr) override;
  std::optional<llvm::SmallVector<int64_t>>
  shape(llvm::StringRef attr) override;
  mlir::ElementsAttr elements(llvm::StringRef attr) override;

  int functionCount(llvm::StringRef attr) override;
  unsigned functionArity(Callee callee) override;
  llvm::SmallVector<bool> passedThrough(Callee callee) override;
  llvm::SmallVector<ImportedValue>
  inlineFunction(Callee callee,
                 llvm::ArrayRef<ImportedValue> arguments) override;
  ImportedValue declareVariable(bool reference) override;
  ImportedValue declareGenerator(mlir::RankedTensorType type,
                                 mlir::ElementsAttr initial) override;

  /// Calls function `name` with all inputs; its results become the node's.
  void callByName(llvm::StringRef name);

private:
  /// Attribute `attr` if it has the given kind of value; a failure otherwise.
  const AttrValue *find(llvm::StringRef attr, AttrValue::ValueCase kind,
                        bool optional);
  const Graph *function(Callee callee);
  /// A tensor that was read as elements, if it was and its type is supported.
  mlir::ElementsAttr checked(llvm::Expected<TensorData> &tensor,
                             llvm::StringRef name);
  /// Adds the variable of `handle` to the module.
  void buildVariable(const ImportedValue &handle, mlir::RankedTensorType type,
                     mlir::ElementsAttr initial,
                     llvm::ArrayRef<mlir::NamedAttribute> more);

  BodyImporter &importer;
  Frame &frame;
  const Node &node;
};

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_NODEBINDER_H
