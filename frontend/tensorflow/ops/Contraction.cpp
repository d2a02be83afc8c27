//===- Contraction.cpp - matrix products ----------------------------------===//

#include "dialects/graph/Expression.h"
#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
void multiply(Binder &b, bool transposeA, bool transposeB, bool conjugate) {
  Value lhs = b.input(0), rhs = b.input(1);
  Type type = Binder::type(lhs);
  if (b.has("Tout")) { // the inputs may be narrower
    type = b.elementType("Tout");
    lhs = b.cast(lhs, type);
    rhs = b.cast(rhs, type);
  }
  if (lhs && rhs && Binder::type(lhs) != Binder::type(rhs))
    b.fail("inputs have different element types");
  if (b.failed())
    return;
  conjugate &= isa<ComplexType>(type);
  SmallVector<NamedAttribute> attributes;
  if (transposeA)
    attributes.push_back(b.unit("transpose_a"));
  if (transposeB)
    attributes.push_back(b.unit("transpose_b"));
  if (transposeA && conjugate)
    attributes.push_back(b.unit("conjugate_a"));
  if (transposeB && conjugate)
    attributes.push_back(b.unit("conjugate_b"));
  b.set(0, b.make("graph.matmul", type, {lhs, rhs}, attributes));
}

void importMatMul(Binder &b) {
  for (unsigned i = 0; i < 2; ++i)
    if (Value input = b.input(i); input && b.rank(input) != 2)
      b.fail("expected matrices, input " + llvm::Twine(i) + " has " +
             llvm::Twine(b.rank(input)) + " dimensions");
  multiply(b, b.flag("transpose_a", false), b.flag("transpose_b", false),
           /*conjugate=*/false);
}

/// Matrices of which many elements may be zero, of floats of either width.
void importSparseMatMul(Binder &b) {
  Type f32 = b.builder().getF32Type();
  Value inputs[2];
  for (unsigned i = 0; i < 2; ++i) {
    inputs[i] = b.input(i);
    if (inputs[i] && b.rank(inputs[i]) != 2)
      b.fail("expected matrices, input " + llvm::Twine(i) + " has " +
             llvm::Twine(b.rank(inputs[i])) + " dimensions");
    if (!b.failed())
      inputs[i] = b.cast(inputs[i], f32);
  }
  SmallVector<NamedAttribute> attributes;
  for (const char *side : {"transpose_a", "transpose_b"})
    if (b.flag(side, false))
      attributes.push_back(b.unit(side));
  if (!b.failed())
    b.set(0, b.make("graph.matmul", f32, inputs, attributes));
}

void importBatchMatMul(Binder &b) {
  multiply(b, b.flag("adj_x", false), b.flag("adj_y", false),
           /*conjugate=*/true);
}

/// NumPy's equations may leave the result out: all labels that occur once, in
/// alphabetical order.
std::string explicitEquation(std::string equation) {
  llvm::erase_if(equation, [](char c) { return c == ' '; });
  if (equation.find("->") != std::string::npos)
    return equation;
  std::string once;
  for (char c = 'A'; c <= 'z'; ++c)
    if (llvm::isAlpha(c) && llvm::count(equation, c) == 1)
      once += c;
  bool dots = equation.find("...") != std::string::npos;
  return equation + "->" + (dots ? "..." : "") + once;
}

/// Vectors of three elements: a x b = roll(a, -1) roll(b, -2) - roll(a, -2)
/// roll(b, -1).
void importCross(Binder &b) {
  Value lhs = b.input(0), rhs = b.input(1);
  if (b.failed())
    return;
  if (b.rank(lhs) < 1 || Binder::type(lhs) != Binder::type(rhs))
    return b.fail("expected two tensors of vectors of one element type");
  Type type = Binder::type(lhs), i32 = b.builder().getI32Type();
  SmallVector<int64_t> three(b.rank(lhs), -1);
  three.back() = 3;
  for (Value *value : {&lhs, &rhs})
    if (b.dims(*value).back() != b.shapes().constant(3))
      *value = b.make("graph.ensure_shape", type, *value,
                      b.attribute("shape", three));
  auto roll = [&](Value value, int64_t by) {
    return b.make("graph.roll", type, {value, b.integersConstant(by, i32)},
                  b.attribute("axes", ArrayRef<int64_t>(b.rank(value) - 1)));
  };
  auto mul = [&](Value x, Value y) {
    return b.make("graph.mul", type, {x, y});
  };
  b.set(0, b.make("graph.sub", type,
                  {mul(roll(lhs, -1), roll(rhs, -2)),
                   mul(roll(lhs, -2), roll(rhs, -1))}));
}

void importEinsum(Binder &b) {
  SmallVector<Value> inputs = b.inputList(0);
  if (inputs.empty() || inputs.size() > 2)
    b.fail("expected one or two inputs");
  if (b.failed())
    return;
  // A label that the result has twice: only its diagonal is not zero.
  std::string equation = explicitEquation(b.text("equation", {}));
  size_t arrow = equation.find("->") + 2;
  std::string result = equation.substr(arrow), distinct;
  for (char label : result)
    if (label == '.' || !StringRef(distinct).contains(label))
      distinct += label;
  if (distinct != result && StringRef(result).contains('.'))
    return b.fail("an equation whose result has a label twice and '...' is "
                  "not supported");
  Value value =
      b.make("graph.einsum", Binder::type(inputs[0]), inputs,
             b.textAttribute("equation", equation.substr(0, arrow) + distinct));
  if (value && distinct != result) {
    graph::GraphBuilder builder(b.builder(), b.shapes(), b.location());
    value = spreadDiagonals(graph::Tensor(builder, value), result).value();
  }
  b.set(0, value);
}
} // namespace

void addContractionRows(RowTable &table) {
  table["MatMul"] = importMatMul;
  table["SparseMatMul"] = importSparseMatMul;
  table["BatchMatMul"] = table["BatchMatMulV2"] = table["BatchMatMulV3"] =
      importBatchMatMul;
  table["Cross"] = importCross;
  table["Einsum"] = importEinsum;
}

} // namespace tenon::tf
