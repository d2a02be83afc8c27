//===- LinearAlgebra.cpp - factorizations, solutions, decoding ------------===//

#include "frontend/tensorflow/ops/Rows.h"

using namespace mlir;

namespace tenon::tf {

namespace {
/// An op over all inputs whose result has the type of the first; attributes
/// that are set become flags.
Row matrix(StringRef op, ArrayRef<std::pair<StringRef, StringRef>> named = {}) {
  SmallVector<std::pair<std::string, std::string>> flags;
  for (auto [attr, flag] : named)
    flags.push_back({attr.str(), flag.str()});
  std::string name = ("graph." + op).str();
  return [name, flags](Binder &b) {
    SmallVector<NamedAttribute> attributes;
    for (const auto &[attr, flag] : flags)
      if (b.flag(attr, attr == "lower"))
        attributes.push_back(b.unit(flag));
    SmallVector<Value> inputs = b.inputList(0);
    if (inputs.empty())
      return b.fail("it has no inputs");
    b.set(0, b.make(name, Binder::type(inputs[0]), inputs, attributes));
  };
}

void importQr(Binder &b) {
  Value input = b.input(0);
  Type type = Binder::type(input);
  SmallVector<NamedAttribute> attributes;
  if (b.flag("full_matrices", false))
    attributes.push_back(b.unit("full_matrices"));
  b.setAll(b.makeAll("graph.qr", {type, type}, input, attributes));
}

void importSvd(Binder &b) {
  Value input = b.input(0);
  Type type = Binder::type(input);
  SmallVector<NamedAttribute> attributes;
  if (b.flag("compute_uv", true))
    attributes.push_back(b.unit("compute_uv"));
  if (b.flag("full_matrices", false))
    attributes.push_back(b.unit("full_matrices"));
  // TensorFlow's singular values have the type of the matrix.
  b.setAll(b.makeAll("graph.svd", {type, type, type}, input, attributes));
}

void importSelfAdjointEig(Binder &b) {
  Value input = b.input(0);
  Type type = Binder::type(input);
  SmallVector<NamedAttribute> attributes;
  if (b.flag("compute_v", true))
    attributes.push_back(b.unit("compute_v"));
  b.setAll(
      b.makeAll("graph.self_adjoint_eig", {type, type}, input, attributes));
}

void importEig(Binder &b) {
  Value input = b.input(0);
  Type type = b.elementType("Tout");
  SmallVector<NamedAttribute> attributes;
  if (b.flag("compute_v", true))
    attributes.push_back(b.unit("compute_v"));
  b.setAll(b.makeAll("graph.eig", {type, type}, input, attributes));
}

void importLogDeterminant(Binder &b) {
  Value input = b.input(0);
  Type type = Binder::type(input);
  b.setAll(b.makeAll("graph.log_determinant", {type, type}, input));
}

void importLu(Binder &b) {
  Value input = b.input(0);
  Type index = b.has("output_idx_type") ? b.elementType("output_idx_type")
                                        : Type(b.builder().getI32Type());
  b.setAll(b.makeAll("graph.lu", {Binder::type(input), index}, input));
}

void importTridiagonalSolve(Binder &b) {
  SmallVector<NamedAttribute> attributes;
  if (b.flag("partial_pivoting", true))
    attributes.push_back(b.unit("pivoting"));
  Value diagonals = b.input(0);
  b.set(0, b.make("graph.tridiagonal_solve", Binder::type(diagonals),
                  {diagonals, b.input(1)}, attributes));
}

void importTriangularSolve(Binder &b, bool banded) {
  SmallVector<NamedAttribute> attributes;
  if (b.flag("lower", true))
    attributes.push_back(b.unit("lower"));
  if (b.flag("adjoint", false))
    attributes.push_back(b.unit("adjoint"));
  if (banded)
    attributes.push_back(b.unit("banded"));
  Value matrix = b.input(0);
  b.set(0, b.make("graph.triangular_solve", Binder::type(matrix),
                  {matrix, b.input(1)}, attributes));
}

void importCtcLoss(Binder &b, bool second) {
  SmallVector<NamedAttribute> attributes;
  if (b.flag("preprocess_collapse_repeated", false))
    attributes.push_back(b.unit("collapse"));
  if (b.flag("ctc_merge_repeated", true))
    attributes.push_back(b.unit("merge"));
  if (b.flag("ignore_longer_outputs_than_inputs", false))
    attributes.push_back(b.unit("ignore_longer"));
  if (second)
    attributes.push_back(b.unit("blank_first"));
  Value input = b.input(0);
  Type type = Binder::type(input);
  b.setAll(
      b.makeAll("graph.ctc_loss", {type, type}, b.inputList(0, 4), attributes));
}

void importCtcGreedy(Binder &b) {
  SmallVector<NamedAttribute> attributes{
      b.attribute("blank", b.integer("blank_index", -1))};
  if (b.flag("merge_repeated", false))
    attributes.push_back(b.unit("merge"));
  Type i64 = b.builder().getI64Type();
  Value input = b.input(0);
  b.setAll(b.makeAll("graph.ctc_greedy", {i64, i64, i64, Binder::type(input)},
                     {input, b.input(1)}, attributes));
}

void importCtcBeam(Binder &b) {
  int64_t paths = b.integer("top_paths");
  SmallVector<NamedAttribute> attributes{
      b.attribute("width", b.integer("beam_width")),
      b.attribute("paths", paths)};
  if (b.flag("merge_repeated", true))
    attributes.push_back(b.unit("merge"));
  if (paths < 1 || paths > 1000)
    return b.fail("top_paths is " + llvm::Twine(paths));
  Value input = b.input(0);
  SmallVector<Type> types(3 * paths, b.builder().getI64Type());
  types.push_back(Binder::type(input));
  b.setAll(b.makeAll("graph.ctc_beam", types, {input, b.input(1)}, attributes));
}

void importSolveLs(Binder &b) {
  SmallVector<NamedAttribute> attributes;
  if (b.flag("fast", true))
    attributes.push_back(b.unit("fast"));
  Value matrix = b.input(0);
  b.set(0, b.make("graph.matrix_solve_ls", Binder::type(matrix),
                  b.inputList(0, 3), attributes));
}
} // namespace

void addLinearAlgebraRows(RowTable &table) {
  table["Cholesky"] = matrix("cholesky");
  table["CholeskyGrad"] = matrix("cholesky_grad");
  table["MatrixInverse"] = matrix("matrix_inverse", {{"adjoint", "adjoint"}});
  table["MatrixSquareRoot"] = matrix("matrix_sqrt");
  table["MatrixExponential"] = matrix("matrix_exp");
  table["MatrixLogarithm"] = matrix("matrix_log");
  table["MatrixSolve"] = matrix("matrix_solve", {{"adjoint", "adjoint"}});
  table["MatrixSolveLs"] = importSolveLs;
  table["MatrixTriangularSolve"] = [](Binder &b) {
    importTriangularSolve(b, false);
  };
  table["BandedTriangularSolve"] = [](Binder &b) {
    importTriangularSolve(b, true);
  };
  table["MatrixDeterminant"] = matrix("determinant");
  table["LogMatrixDeterminant"] = importLogDeterminant;
  table["Lu"] = importLu;
  table["Qr"] = importQr;
  table["Svd"] = importSvd;
  table["SelfAdjointEigV2"] = importSelfAdjointEig;
  table["Eig"] = importEig;
  table["TridiagonalSolve"] = importTridiagonalSolve;
  table["TridiagonalMatMul"] = matrix("tridiagonal_matmul");
  // Names of before all of them took batches.
  for (const char *name :
       {"Cholesky", "MatrixDeterminant", "MatrixInverse", "MatrixSolve",
        "MatrixSolveLs", "MatrixTriangularSolve", "SelfAdjointEigV2", "Svd"})
    table[std::string("Batch") + name] = table[name];
  table["CTCLoss"] = [](Binder &b) { importCtcLoss(b, false); };
  table["CTCLossV2"] = [](Binder &b) { importCtcLoss(b, true); };
  table["CTCGreedyDecoder"] = importCtcGreedy;
  table["CTCBeamSearchDecoder"] = importCtcBeam;
}

} // namespace tenon::tf
