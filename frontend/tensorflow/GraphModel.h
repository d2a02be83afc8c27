//===- GraphModel.h - a TensorFlow model in memory ------------------------===//
//
// What the readers make of a file and the importer works on: every name is
// resolved to an index, every length is checked.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_TENSORFLOW_GRAPHMODEL_H
#define TENON_FRONTEND_TENSORFLOW_GRAPHMODEL_H

#include "frontend/tensorflow/Proto.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tenon::tf {

using tfproto::AttrValue;
using tfproto::DataType;

/// Output `output` of node `node` of the same graph.
struct Edge {
  int node = -1;
  int output = 0;
  bool operator==(const Edge &) const = default;
};

/// An operation of a graph or of a function's body. An argument of a function
/// is a node of kind `_Arg` with an empty definition.
struct Node {
  std::string name, op;
  const tfproto::NodeDef *def = nullptr; // null: argument
  llvm::SmallVector<Edge, 4> inputs;
  llvm::SmallVector<int, 2> controls; // nodes that must run before
  bool moved = false; // into a function, when control flow was raised

  /// Attribute `name`, null when the node does not have it.
  const AttrValue *attr(llvm::StringRef name) const;
};

/// A graph, or the body of a function.
struct Graph {
  std::string name;
  std::vector<Node> nodes;
  llvm::StringMap<int> index; // node name -> position in nodes

  // Functions only. Argument i is node i.
  const tfproto::FunctionDef *def = nullptr;
  int argumentCount = 0;
  bool raised = false; // a piece of a graph: its nodes have full names
  std::vector<Edge> results;
  std::vector<int> controlResults; // nodes that must run even if unused

  const Node *find(llvm::StringRef name) const;
};

/// The elements of a tensor in a file.
struct TensorData {
  DataType dtype = DataType::DT_INVALID;
  std::vector<int64_t> shape;
  /// Little-endian elements in row-major order, one byte per bool; may be
  /// unaligned. Empty for strings.
  llvm::ArrayRef<char> bytes;
  std::vector<std::string> strings;
  bool splat = false;                // one element stands for all
  std::shared_ptr<const void> owner; // keeps `bytes` alive
};

/// A variable of the model: what its handle is called and where its first
/// value is.
struct Variable {
  std::string name; // shared name of the handle
  DataType dtype = DataType::DT_INVALID;
  std::vector<int64_t> shape;
  bool trainable = false;
  /// Reads the first value (null: uninitialised). Only what an entry needs is
  /// read, so that optimizer slots cost nothing.
  std::function<llvm::Expected<TensorData>()> read;
};

/// One named input or output of a signature.
struct SignatureTensor {
  std::string name;   // key in the signature
  std::string tensor; // "node:0"
  DataType dtype = DataType::DT_INVALID;
  bool unknownRank = true;
  std::vector<int64_t> shape; // -1: unknown
};

struct Signature {
  std::string name;
  std::vector<SignatureTensor> inputs, outputs; // sorted by name
};

/// A whole model.
struct GraphModel {
  std::string path;
  Graph graph;
  std::map<std::string, std::unique_ptr<Graph>> functions;
  std::vector<Signature> signatures; // sorted by name
  /// By the name of the handle's node (VarHandleOp, VariableV2).
  std::map<std::string, Variable> variables;
  /// Node that restores the variables; what it does is in `variables`.
  std::string restoreNode;
  int producer = 0;     // version of the graph
  std::string initNode; // runs once before the first call; may be empty

  std::deque<tfproto::NodeDef> synthetic; // of nodes that no file has
  std::shared_ptr<const void> storage;    // what nodes' definitions point into

  const Graph *function(llvm::StringRef name) const;
};

/// Resolves the names in `def` and its library. `storage` owns `def`.
///
/// Errors: a node without a name or op, two of one name, an input that names no
/// node, a malformed reference, more than 2^20 inputs of one node, a node that
/// is not what TensorFlow says of its operation (Definitions.h).
llvm::Error buildGraph(const tfproto::GraphDef &def, GraphModel &model);

/// "node 'y' (Relu) of function 'f'"
std::string describe(const tfproto::NodeDef &def, const Graph &graph);

/// Nodes that `roots` need, each after what it depends on. An edge for which
/// `skip` holds, given its consumer, is not followed; a control input is an
/// edge from output -1. Fails with the name of a node on a cycle.
llvm::Expected<std::vector<int>>
orderNodes(const Graph &graph, llvm::ArrayRef<int> roots,
           llvm::function_ref<bool(const Node &, Edge)> skip);

/// Splits "name", "name:2" and "^name" (output -1).
llvm::Expected<std::pair<llvm::StringRef, int>>
parseTensorName(llvm::StringRef text);

/// The elements of an attribute's tensor. `owner` keeps `proto` alive.
///
/// Errors: an unknown or negative shape, a number of elements that does not fit
/// it, a type that has no elements (resources and the like).
llvm::Expected<TensorData> readTensor(const tfproto::TensorProto &proto,
                                      std::shared_ptr<const void> owner);

/// Bytes of one element; 0 for strings and types that cannot be stored.
unsigned elementBytes(DataType dtype);

/// "float32", "int64", "string": what diagnostics call `dtype`.
llvm::StringRef dtypeName(DataType dtype);

/// TensorFlow's limit, and what no machine has: a larger size is a mistake.
constexpr int kMaxRank = 254;
constexpr int64_t kMaxTensorBytes = int64_t(1) << 40;

/// The product of `shape`, or nothing when a size is negative or the product
/// (times `unit`) is more than `kMaxTensorBytes`.
std::optional<int64_t> elementCount(llvm::ArrayRef<int64_t> shape,
                                    int64_t unit = 1);

} // namespace tenon::tf

#endif // TENON_FRONTEND_TENSORFLOW_GRAPHMODEL_H
