// Derivatives of matrix products: products with the other operand.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ops/Contraction.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

/// With A and B the operands as they are multiplied, dA = G B^H and dB = A^H G.
/// Where an operand is stored transposed, the transposed product is taken: no
/// tensor is transposed by itself.
void matMulGradient(MatMulOp op, Gradient &g) {
  bool ta = op.getTransposeA(), tb = op.getTransposeB();
  Tensor a = g(op.getLhs()), b = g(op.getRhs()), y = g.of();
  Tensor ac = op.getConjugateA() ? a : conj(a),
         bc = op.getConjugateB() ? b : conj(b);
  if (g.wants(op.getLhs())) {
    Tensor da = ta ? matmul(bc, y, tb, true) : matmul(y, bc, false, !tb);
    g.add(op.getLhs(), op.getConjugateA() ? conj(da) : da);
  }
  if (g.wants(op.getRhs())) {
    Tensor db = tb ? matmul(y, ac, true, ta) : matmul(ac, y, !ta, false);
    g.add(op.getRhs(), op.getConjugateB() ? conj(db) : db);
  }
}

/// The terms of an einsum with a letter for every dimension.
struct Terms {
  std::vector<std::string> inputs;
  std::string output;

  Terms(EinsumOp op, ShapeContext &shapes) {
    std::string text;
    for (char c : op.getEquation())
      if (c != ' ')
        text += c;
    auto [left, right] = StringRef(text).split("->");
    SmallVector<StringRef> parts;
    left.split(parts, ',');
    // Dimensions that `...` stands for get letters counted from the back.
    std::string free;
    for (char c = 'z'; c >= 'A'; --c)
      if (llvm::isAlpha(c) && !StringRef(text).contains(c))
        free += c;
    size_t most = 0;
    auto spellOut = [&](StringRef term, size_t hidden) {
      auto [before, after] = term.split("...");
      if (!term.contains("..."))
        return term.str();
      std::string letters = free.substr(0, hidden);
      std::reverse(letters.begin(), letters.end());
      return (before + letters + after).str();
    };
    for (auto [term, input] : llvm::zip(parts, op.getInputs())) {
      size_t hidden = 0;
      if (term.contains("..."))
        hidden = shapes.dims(input).size() - (term.size() - 3);
      most = std::max(most, hidden);
      inputs.push_back(spellOut(term, hidden));
    }
    output = spellOut(right, most);
  }
};

void einsumGradient(EinsumOp op, Gradient &g) {
  Terms terms(op, g.shapes);
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    if (!g.wants(input))
      continue;
    StringRef term = terms.inputs[i];
    std::string equation = terms.output, kept;
    SmallVector<Tensor> operands = {g.of()};
    if (terms.inputs.size() == 2) {
      equation += "," + terms.inputs[1 - i];
      operands.push_back(conj(g(op.getInputs()[1 - i])));
    }
    // Labels that only this operand has were summed up: every element of the
    // dimension gets the same.
    SmallVector<int64_t> missing;
    std::string distinct;
    for (char label : term) {
      if (StringRef(distinct).contains(label))
        continue;
      if (StringRef(equation).contains(label))
        kept += label;
      else
        missing.push_back(distinct.size());
      distinct += label;
    }
    Tensor d = g.make("graph.einsum", operands[0].type(), operands,
                      g.attr("equation", StringRef(equation + "->" + kept)));
    g.add(input, spreadDiagonals(expandDims(d, missing), term, input));
  }
}
} // namespace

void tenon::graph::addContractionGradients(MLIRContext *context) {
  addRule<MatMulOp>(context,
                    [](MatMulOp op, Gradient &g) { matMulGradient(op, g); });
  addRule<EinsumOp>(context,
                    [](EinsumOp op, Gradient &g) { einsumGradient(op, g); });
}
