// einsum: sums and transpositions around one matrix product.
#include "dialects/graph/LoweringSupport.h"
#include "dialects/graph/ShapeContents.h"
#include "dialects/graph/ops/Contraction.h"
#include "dialects/graph/ops/ContractionSupport.h"
#include "dialects/kernel/Kernel.h"

using namespace mlir;
using namespace tenon::graph;

namespace {

/// An equation for given ranks. Labels are letters; dimensions that `...`
/// stands for get the labels after 'z', counted from the back.
struct Equation {
  SmallVector<SmallVector<char>> inputs;
  SmallVector<char> output;
};

/// `dims` (nothing: the result) is the operand's rank.
LogicalResult parseTerm(EinsumOp op, StringRef text,
                        std::optional<int64_t> rank, int64_t ellipsisRank,
                        SmallVector<char> &labels) {
  constexpr char firstEllipsisLabel = 'z' + 1;
  int64_t letters =
      llvm::count_if(text, [](char c) { return llvm::isAlpha(c); });
  bool ellipsis = text.contains("...");
  int64_t hidden = !ellipsis ? 0 : rank ? *rank - letters : ellipsisRank;
  if (hidden < 0 || hidden > 4 || (rank && !ellipsis && letters != *rank))
    return op.emitOpError()
           << "term '" << text << "' does not fit rank " << rank.value_or(0);
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (llvm::isAlpha(c)) {
      labels.push_back(c);
    } else if (text.substr(i).starts_with("...")) {
      for (int64_t k = hidden; k-- > 0;)
        labels.push_back(firstEllipsisLabel + k);
      i += 2;
    } else {
      return op.emitOpError()
             << "equation has an unexpected '" << Twine(c) << "'";
    }
  }
  if (rank && int64_t(labels.size()) != *rank)
    return op.emitOpError()
           << "term '" << text << "' does not fit rank " << *rank;
  return success();
}

FailureOr<Equation> parseEquation(EinsumOp op, ShapeContext &shapes) {
  std::string text;
  for (char c : op.getEquation())
    if (c != ' ')
      text += c;
  auto [left, right] = StringRef(text).split("->");
  if (!StringRef(text).contains("->"))
    return op.emitOpError("equation has no '->'"), failure();
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != op.getInputs().size() || terms.size() > 2)
    return op.emitOpError()
               << "equation has " << terms.size() << " terms for "
               << op.getInputs().size() << " operands; one or two are possible",
           failure();
  Equation equation;
  int64_t hidden = 0;
  for (auto [term, input] : llvm::zip(terms, op.getInputs())) {
    int64_t rank = shapes.dims(input).size();
    if (failed(parseTerm(op, term, rank, 0, equation.inputs.emplace_back())))
      return failure();
    if (term.contains("..."))
      hidden = std::max<int64_t>(
          hidden, llvm::count_if(equation.inputs.back(),
                                 [](char c) { return c > 'z'; }));
  }
  if (failed(parseTerm(op, right, std::nullopt, hidden, equation.output)))
    return failure();
  for (auto [i, label] : llvm::enumerate(equation.output)) {
    bool known = llvm::any_of(equation.inputs, [&, label = label](auto &term) {
      return llvm::is_contained(term, label);
    });
    if (!known ||
        llvm::is_contained(ArrayRef(equation.output).take_front(i), label))
      return op.emitOpError()
                 << "label '" << Twine(label) << "' of the result "
                 << (known ? "is there twice" : "is in no operand"),
             failure();
  }
  return equation;
}

using Sizes = llvm::SmallDenseMap<char, AffineExpr>;

/// The size of each label; a known size above 1 decides.
FailureOr<Sizes> labelSizes(EinsumOp op, ShapeContext &shapes,
                            const Equation &equation) {
  Sizes sizes;
  for (auto [term, input] : llvm::zip(equation.inputs, op.getInputs()))
    for (auto [label, dim] : llvm::zip(term, shapes.dims(input))) {
      AffineExpr &size = sizes[label];
      if (!size || ShapeContext::asConstant(size) == 1) {
        size = dim;
        continue;
      }
      if (ShapeContext::asConstant(dim) == 1)
        continue;
      if (failed(expectSame(
              op, size, dim,
              (Twine("sizes of label '") + Twine(label) + "'").str())))
        return failure();
      if (ShapeContext::asConstant(dim))
        size = dim;
    }
  return sizes;
}

/// An operand on its way: a tensor and the labels of its dimensions.
struct Term {
  Value value;
  SmallVector<char> labels;
};

Dims dimsOf(const Sizes &sizes, ArrayRef<char> labels) {
  Dims dims;
  for (char label : labels)
    dims.push_back(sizes.lookup(label));
  return dims;
}

/// Takes diagonals of repeated labels and sums over labels not in `kept`.
Term reduceTerm(LoweringContext &lowering, Location loc, Term term,
                const Sizes &sizes, ArrayRef<char> kept) {
  OpBuilder &b = lowering.builder;
  SmallVector<char> loops, summed;
  for (char label : term.labels) {
    bool stays = llvm::is_contained(kept, label);
    SmallVector<char> &list = stays ? loops : summed;
    if (!llvm::is_contained(list, label))
      list.push_back(label);
  }
  if (summed.empty() && loops.size() == term.labels.size())
    return term;
  SmallVector<char> all(loops);
  llvm::append_range(all, summed);
  unsigned rank = all.size();
  SmallVector<AffineExpr> read;
  for (char label : term.labels)
    read.push_back(b.getAffineDimExpr(llvm::find(all, label) - all.begin()));
  SmallVector<AffineExpr> written;
  for (size_t i = 0; i < loops.size(); ++i)
    written.push_back(b.getAffineDimExpr(i));
  SmallVector<utils::IteratorType> iterators(loops.size(),
                                             utils::IteratorType::parallel);
  iterators.resize(rank, utils::IteratorType::reduction);
  Type element = getElementTypeOrSelf(term.value.getType());
  Value start =
      linalg::FillOp::create(b, loc, zeroOf(b, loc, element),
                             lowering.empty(dimsOf(sizes, loops), element))
          .getResult(0);
  Value result =
      linalg::GenericOp::create(
          b, loc, TypeRange{start.getType()}, term.value, start,
          {AffineMap::get(rank, 0, read, b.getContext()),
           AffineMap::get(rank, 0, written, b.getContext())},
          iterators,
          [&](OpBuilder &nested, Location at, ValueRange v) {
            linalg::YieldOp::create(nested, at, sum(nested, at, v[1], v[0]));
          })
          .getResult(0);
  return {result, loops};
}

Term arrange(OpBuilder &b, Location loc, const Term &term,
             ArrayRef<char> labels) {
  SmallVector<int64_t> permutation;
  for (char label : labels)
    permutation.push_back(llvm::find(term.labels, label) - term.labels.begin());
  return {transposed(b, loc, term.value, permutation),
          SmallVector<char>(labels)};
}

} // namespace

LogicalResult EinsumOp::inferShapes(ShapeContext &shapes) {
  FailureOr<Equation> equation = parseEquation(*this, shapes);
  if (failed(equation))
    return failure();
  FailureOr<Sizes> sizes = labelSizes(*this, shapes, *equation);
  if (failed(sizes))
    return failure();
  if (getInputs().size() == 2 && failed(expectContractible(*this)))
    return failure();
  shapes.setDims(getResult(), dimsOf(*sizes, equation->output));
  return success();
}

LogicalResult EinsumOp::lowerToLinalg(LoweringContext &lowering) {
  OpBuilder &b = lowering.builder;
  Location loc = getLoc();
  ShapeContext &shapes = lowering.shapes;
  FailureOr<Equation> equation = parseEquation(*this, shapes);
  if (failed(equation))
    return failure();
  FailureOr<Sizes> sizes = labelSizes(*this, shapes, *equation);
  if (failed(sizes))
    return failure();
  SmallVector<Term> terms;
  for (auto [i, input] : llvm::enumerate(getInputs())) {
    // Dimensions of size 1 that another operand enlarges go at once: the sum
    // over one element is that element.
    ArrayRef<AffineExpr> from = shapes.dims(input);
    Term term{lowering.get(input), equation->inputs[i]};
    Dims to, squeezed;
    SmallVector<char> labels;
    for (auto [label, dim] : llvm::zip(term.labels, from)) {
      AffineExpr size = sizes->lookup(label);
      bool repeated = ShapeContext::asConstant(dim) == 1 &&
                      ShapeContext::asConstant(size) != 1;
      to.push_back(repeated ? dim : size);
      if (!repeated) {
        squeezed.push_back(size);
        labels.push_back(label);
      }
    }
    term.value = conform(lowering, loc, term.value, from, to,
                         "operands have different sizes");
    term.value = reshapeTo(lowering, loc, term.value, to, squeezed);
    term.labels = labels;
    SmallVector<char> kept(equation->output);
    for (auto [k, other] : llvm::enumerate(equation->inputs))
      if (k != i)
        llvm::append_range(kept, other);
    terms.push_back(reduceTerm(lowering, loc, term, *sizes, kept));
  }
  if (terms.size() == 1) {
    lowering.set(getResult(),
                 arrange(b, loc, terms[0], equation->output).value);
    return success();
  }
  auto isIn = [](const Term &term, char label) {
    return llvm::is_contained(term.labels, label);
  };
  SmallVector<char> batch, rows, columns, inner;
  for (char label : equation->output)
    (isIn(terms[0], label) ? isIn(terms[1], label) ? batch : rows : columns)
        .push_back(label);
  for (char label : terms[0].labels)
    if (!llvm::is_contained(equation->output, label) && isIn(terms[1], label))
      inner.push_back(label);
  // What remains only in one operand is summed there.
  SmallVector<char> kept(equation->output);
  llvm::append_range(kept, inner);
  for (Term &term : terms)
    term = reduceTerm(lowering, loc, term, *sizes, kept);
  auto joined = [](std::initializer_list<ArrayRef<char>> parts) {
    SmallVector<char> labels;
    for (ArrayRef<char> part : parts)
      llvm::append_range(labels, part);
    return labels;
  };
  SmallVector<char> rhsOrder = joined({batch, inner, columns}),
                    transposedOrder = joined({batch, columns, inner});
  bool transposeB =
      terms[1].labels == transposedOrder && rhsOrder != transposedOrder;
  Term lhs = arrange(b, loc, terms[0], joined({batch, rows, inner})),
       rhs = arrange(b, loc, terms[1], transposeB ? transposedOrder : rhsOrder);
  AffineExpr m = shapes.product(dimsOf(*sizes, rows)),
             n = shapes.product(dimsOf(*sizes, columns)),
             k = shapes.product(dimsOf(*sizes, inner));
  auto matrices = [&](const Term &term, AffineExpr first, AffineExpr second) {
    Dims dims = dimsOf(*sizes, batch);
    dims.append({first, second});
    return reshapeTo(lowering, loc, term.value, dimsOf(*sizes, term.labels),
                     dims);
  };
  Value a = matrices(lhs, m, k),
        weights = packed(b, loc,
                         transposeB ? matrices(rhs, n, k) : matrices(rhs, k, n),
                         0, 1, transposeB);
  Dims product = dimsOf(*sizes, batch);
  product.append({m, n});
  Value result = kernel::ContractOp::create(
                     b, loc, a, weights,
                     lowering.empty(product, getElementTypeOrSelf(a.getType())))
                     ->getResult(0);
  SmallVector<char> labels = joined({batch, rows, columns});
  result = reshapeTo(lowering, loc, result, product, dimsOf(*sizes, labels));
  lowering.set(getResult(),
               arrange(b, loc, {result, labels}, equation->output).value);
  return success();
}
