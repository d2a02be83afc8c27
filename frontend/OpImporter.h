//===- OpImporter.h - rows that turn source operations into graph ops -----===//
//
// A format's importer walks its nodes in order and looks up a row for each: a
// function of a Binder, through which the row reads inputs and attributes and
// writes results. Binders remember the first thing that went wrong; from then
// on every value is null and every call a no-op, so rows need no checks of
// their own. What went wrong is reported for all nodes at once.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_OPIMPORTER_H
#define TENON_FRONTEND_OPIMPORTER_H

#include "dialects/graph/Graph.h"
#include "frontend/Frontend.h"
#include "mlir/IR/Builders.h"

#include <functional>
#include <map>
#include <memory>

namespace tenon {

/// What becomes known of a list's elements while a loop's body is read.
struct ListShape {
  std::optional<graph::Dims> element;
  mlir::Type elementType;
};

/// What an edge of the source graph carries.
struct ImportedValue {
  enum Kind {
    Missing,  ///< of a node that could not be translated
    Tensor,   ///< `tensor`
    Variable, ///< handle of the variable `symbol`
    List,     ///< tensors of one shape: `tensor` with a leading dimension;
              ///< what else there is, see `sizes` and `parts` (Lists.h)
    Either,   ///< `parts[0]` where a condition holds, else `parts[1]`
    Restored, ///< tensor `symbol` of the checkpoint whose prefix is `tensor`
    Table,    ///< handle of the table `symbol`
    Absent,   ///< an optional that holds nothing (one that does is its value),
              ///< or, with the reason in `symbol`, what has no one kind
    Text      ///< a resource that stands for nothing at run time
  };
  Kind kind = Missing;
  mlir::Value tensor;
  std::string symbol;                       // Variable; Tensor: see `seen`
  mlir::Type elementType;                   // Variable, List; of a Table's keys
  mlir::Type valueType;                     // of a Table
  llvm::SmallVector<int64_t, 2> valueShape; // of a value of a Table
  mlir::Value length;                       // List without tensor: scalar
  /// Ragged List, whose items differ in size: these stand one after another in
  /// the vector `tensor`, and here (i64) are the sizes of each in a row.
  mlir::Value sizes;
  /// Ragged List: the sizes that all items have; null: unknown.
  std::vector<mlir::AffineExpr> itemDims;
  /// List of what is no tensor: a list for each tensor of an item. Either: the
  /// two values.
  std::vector<ImportedValue> parts;
  /// List with parts: an item, whose tensors stand for nothing. List of what
  /// has no tensors, such as handles: each of its items.
  std::shared_ptr<const ImportedValue> item;
  mlir::Value condition; // Either: of the two, when it is one of this place
  std::shared_ptr<ListShape> listShape; // List without tensor
  /// List of small integer tensors: what every element that was set contains.
  std::optional<std::vector<mlir::AffineExpr>> elementContents;
  bool reference = false; // Variable: reading it needs no operation
  bool fixed = false;     // Table: one initialization gives it its contents
  bool optional = false;  // Tensor: what an optional holds
  bool untouched = false; // List: no element was set yet
  bool declared = false;  // List: the elements' shape is that of the model
  /// Tensor: how often the reference variable `symbol` had been changed when it
  /// was read. Such a tensor shares the variable's memory, so operations that
  /// run after another change see it.
  unsigned seen = 0;

  static ImportedValue of(mlir::Value tensor);
  bool operator==(const ImportedValue &other) const {
    return kind == other.kind && tensor == other.tensor &&
           symbol == other.symbol && listShape == other.listShape &&
           sizes == other.sizes && parts == other.parts;
  }
};

/// A pair of entry dimensions that some operation takes to be equal.
struct DimEquality {
  unsigned a, b; // symbols
};

/// What all nodes of one entry point share.
struct ImportState {
  ImportState(mlir::ModuleOp module, mlir::OpBuilder &builder,
              graph::ShapeContext &shapes)
      : module(module), builder(builder), shapes(shapes) {}
  ImportState(const ImportState &) = delete;
  ~ImportState() { release(); }

  /// Destroys what was discarded; before the function that it belongs to goes.
  void release();

  mlir::ModuleOp module;
  mlir::OpBuilder &builder;
  graph::ShapeContext &shapes;
  std::vector<UnsupportedNode> unsupported;
  std::vector<DimEquality> equalities;
  unsigned loopDepth = 0;
  llvm::StringMap<unsigned> writes; // to reference variables
  /// Bodies of loops that were read under wrong assumptions. Their values'
  /// addresses must not be used again while `shapes` knows them.
  std::vector<mlir::Operation *> discarded;
};

/// A function that an attribute names, or the one at `index` of its list.
struct Callee {
  Callee(const char *attr) : attr(attr) {}
  Callee(llvm::StringRef attr, int index = -1) : attr(attr), index(index) {}
  llvm::StringRef attr;
  int index = -1;
};

/// One source node in translation.
class Binder {
public:
  Binder(ImportState &state, mlir::Location loc, llvm::StringRef name,
         llvm::StringRef op, llvm::ArrayRef<ImportedValue> inputs)
      : state(state), loc(loc), nodeName(name), opName(op), inputs(inputs) {}
  virtual ~Binder() = default;

  llvm::StringRef name() const { return nodeName; }
  llvm::StringRef op() const { return opName; }
  mlir::OpBuilder &builder() { return state.builder; }
  graph::ShapeContext &shapes() { return state.shapes; }
  mlir::MLIRContext *context() { return builder().getContext(); }
  mlir::Location location() const { return loc; }

  //===--- What went wrong ------------------------------------------------===//

  /// Makes this node one that cannot be translated. The first reason counts.
  void fail(const llvm::Twine &reason);
  bool failed() const { return !reason.empty(); }
  const std::string &failure() const { return reason; }

  //===--- Inputs ---------------------------------------------------------===//

  unsigned inputCount() const { return inputs.size(); }
  /// Input `i`, a tensor; a variable's value when it is a reference to one.
  mlir::Value input(unsigned i);
  /// Inputs `first` to the end, or `count` of them.
  llvm::SmallVector<mlir::Value> inputList(unsigned first,
                                           std::optional<unsigned> count = {});
  /// Input `i` as it is.
  const ImportedValue &raw(unsigned i);
  /// A value as it is now: one that shares a variable's memory sees changes.
  ImportedValue current(const ImportedValue &value);
  /// The variable whose handle input `i` is: symbol and element type.
  ImportedValue variable(unsigned i);
  /// The elements of integer input `i`, which must be known at compile time.
  llvm::SmallVector<int64_t> constants(unsigned i);
  int64_t constant(unsigned i);
  /// The value of floating-point input `i` when it is one known number.
  std::optional<double> constantFloat(mlir::Value value);

  static mlir::Type type(mlir::Value value);
  int64_t rank(mlir::Value value);
  llvm::ArrayRef<mlir::AffineExpr> dims(mlir::Value value);
  /// A dimension that must be known at compile time.
  int64_t staticDim(mlir::Value value, int64_t dim);
  /// `axis` of a tensor of `rank` dimensions, negative ones from the end.
  int64_t axis(int64_t axis, int64_t rank);

  //===--- Attributes -----------------------------------------------------===//

  virtual bool has(llvm::StringRef attr) = 0;
  virtual int64_t integer(llvm::StringRef attr,
                          std::optional<int64_t> otherwise = {}) = 0;
  virtual double real(llvm::StringRef attr,
                      std::optional<double> otherwise = {}) = 0;
  virtual bool flag(llvm::StringRef attr,
                    std::optional<bool> otherwise = {}) = 0;
  virtual std::string text(llvm::StringRef attr,
                           std::optional<std::string> otherwise = {}) = 0;
  virtual mlir::Type elementType(llvm::StringRef attr) = 0;
  /// Whether that type stands for lists and optionals, or for handles.
  virtual bool isOpaque(llvm::StringRef) { return false; }
  /// Lists of texts, element types and shapes; empty when absent.
  virtual llvm::SmallVector<std::string> texts(llvm::StringRef attr) = 0;
  virtual llvm::SmallVector<mlir::Type> elementTypes(llvm::StringRef attr) = 0;
  virtual llvm::SmallVector<std::optional<llvm::SmallVector<int64_t>>>
  shapeList(llvm::StringRef attr) = 0;
  virtual llvm::SmallVector<int64_t>
  integers(llvm::StringRef attr,
           std::optional<llvm::SmallVector<int64_t>> otherwise = {}) = 0;
  /// A list; empty when absent.
  virtual llvm::SmallVector<double> reals(llvm::StringRef attr) = 0;
  /// Sizes, -1 for unknown ones; nothing when the rank is unknown.
  virtual std::optional<llvm::SmallVector<int64_t>>
  shape(llvm::StringRef attr) = 0;
  /// The elements of a tensor attribute; null after a failure.
  virtual mlir::ElementsAttr elements(llvm::StringRef attr) = 0;

  //===--- Functions and variables ----------------------------------------===//

  /// Number of functions in the list `attr`.
  virtual int functionCount(llvm::StringRef attr) = 0;
  /// Number of arguments of a function; fails when there is none.
  virtual unsigned functionArity(Callee callee) = 0;
  /// Which arguments of that function it returns unchanged in their place.
  virtual llvm::SmallVector<bool> passedThrough(Callee callee) = 0;
  /// Translates that function at the builder's place. Values are missing after
  /// a failure.
  virtual llvm::SmallVector<ImportedValue>
  inlineFunction(Callee callee, llvm::ArrayRef<ImportedValue> arguments) = 0;
  /// The handle of the variable that this node stands for.
  virtual ImportedValue declareVariable(bool reference) = 0;
  /// The state of this node's random numbers: a variable of its own. Without
  /// `initial` it starts with random bytes.
  virtual ImportedValue declareGenerator(mlir::RankedTensorType type,
                                         mlir::ElementsAttr initial) = 0;

  //===--- Building -------------------------------------------------------===//

  using Attributes = llvm::ArrayRef<mlir::NamedAttribute>;

  /// Creates the op `name` ("graph.add") and gives its first result. Null
  /// operands and earlier failures make a null result.
  mlir::Value make(llvm::StringRef name, mlir::Type elementType,
                   mlir::ValueRange operands, Attributes attributes = {});
  /// All results.
  llvm::SmallVector<mlir::Value>
  makeAll(llvm::StringRef name, llvm::ArrayRef<mlir::Type> elementTypes,
          mlir::ValueRange operands, Attributes attributes = {});
  /// An op without results.
  void perform(llvm::StringRef name, mlir::ValueRange operands,
               Attributes attributes = {});

  mlir::Value constant(mlir::ElementsAttr value);
  /// A scalar of any number type.
  mlir::Value scalar(mlir::Type elementType, double value);
  mlir::Value integersConstant(llvm::ArrayRef<int64_t> values,
                               mlir::Type elementType);
  /// The sizes `dims` as an i64 tensor of rank 1. Sizes that are not known are
  /// computed from values that are visible here, else this fails.
  mlir::Value shapeTensor(llvm::ArrayRef<mlir::AffineExpr> dims);
  mlir::Value cast(mlir::Value value, mlir::Type elementType);
  mlir::Value transpose(mlir::Value value, llvm::ArrayRef<int64_t> permutation);
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<mlir::AffineExpr> dims);

  mlir::NamedAttribute attribute(llvm::StringRef name, mlir::Attribute value);
  mlir::NamedAttribute attribute(llvm::StringRef name, int64_t value);
  mlir::NamedAttribute attribute(llvm::StringRef name,
                                 llvm::ArrayRef<int64_t> value);
  mlir::NamedAttribute unit(llvm::StringRef name);
  mlir::NamedAttribute realAttribute(llvm::StringRef name, double value);
  mlir::NamedAttribute textAttribute(llvm::StringRef name,
                                     llvm::StringRef value);

  //===--- Results --------------------------------------------------------===//

  /// Result `i`; a null value after a failure.
  void set(unsigned i, mlir::Value value);
  void set(unsigned i, ImportedValue value);
  void setAll(llvm::ArrayRef<mlir::Value> values);

  std::vector<ImportedValue> results;
  ImportState &state;

private:
  mlir::Value readVariable(llvm::StringRef symbol, mlir::Type elementType);
  void noteEqualities(mlir::Operation *op);
  mlir::Value folded(mlir::Value value);

  mlir::Location loc;
  llvm::StringRef nodeName, opName;
  llvm::ArrayRef<ImportedValue> inputs;
  std::string reason;
};

using Row = std::function<void(Binder &)>;
using RowTable = llvm::StringMap<Row>;

/// Translates an if over two functions: input `condition` chooses, the inputs
/// from `first` on are their arguments.
void importIf(Binder &binder, unsigned condition, unsigned first,
              Callee thenBranch, Callee elseBranch);

/// The same for one of a list of functions, by the integer input `index`.
void importCase(Binder &binder, unsigned index, unsigned first,
                llvm::StringRef branchesAttr);

/// Translates a loop over two functions of all inputs. Arguments that the body
/// returns unchanged stay outside; shapes that the body changes become dynamic;
/// a list whose elements' shape only the body knows gets it before the loop.
void importWhile(Binder &binder, llvm::StringRef conditionAttr,
                 llvm::StringRef bodyAttr);

} // namespace tenon

#endif // TENON_FRONTEND_OPIMPORTER_H
