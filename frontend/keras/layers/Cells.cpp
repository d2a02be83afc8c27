//===- Cells.cpp - what recurrent layers repeat ---------------------------===//

#include "frontend/keras/layers/Cells.h"

#include "frontend/keras/layers/Layers.h"
#include "frontend/keras/layers/Window.h"

using namespace mlir;

namespace tenon::keras {

namespace {
/// A cell whose layer is read through a call of its own.
class LayerCell : public Cell {
public:
  LayerCell(Call &outer, Layer &layer)
      : c(outer.importer, layer, outer.g.loc, outer.g.builder, outer.g.shapes,
          outer.training) {}

  Type stateType() override { return c.computeType(); }
  std::string problem() override { return c.problem; }

  Call c;

protected:
  /// A value from before the loop, for use inside of it.
  static Tensor at(GraphBuilder &b, Tensor value) {
    return value ? Tensor(b, value.value()) : value;
  }

  /// Masks of zeros and 1 / (1 - rate) over a batch of these sizes, one for
  /// each of `count` gates; none when nothing is dropped.
  SmallVector<Tensor> drawMasks(StringRef key, Size batch,
                                ArrayRef<int64_t> sizes, int64_t count) {
    SmallVector<Tensor> masks;
    double rate = c.config.real(key, 0.0);
    if (!c.training || rate <= 0 || rate >= 1)
      return masks;
    SmallVector<Size> shape = {batch};
    for (int64_t size : sizes)
      shape.emplace_back(size);
    for (int64_t i = 0; i < count; ++i) {
      Tensor drawn = c.randomUniform(shape, c.g.builder.getF32Type());
      Tensor kept = drawn >= c.g.scalar(c.g.builder.getF32Type(), rate);
      masks.push_back(graph::cast(kept, c.computeType()) * (1 / (1 - rate)));
    }
    return masks;
  }

  Tensor activate(Tensor x) { return c.activation(x); }
  Tensor gate(Tensor x) { return c.activation(x, "recurrent_activation"); }
};

//===----------------------------------------------------------------------===//
// Dense cells
//===----------------------------------------------------------------------===//

/// Cells whose input is multiplied by one matrix for all gates.
class DenseCell : public LayerCell {
public:
  DenseCell(Call &outer, Layer &layer, ArrayRef<int64_t> sample, int64_t gates)
      : LayerCell(outer, layer), gates(gates), units(c.config.size("units")) {
    if (sample.size() != 2) {
      c.fail("expected steps of vectors");
      return;
    }
    features = sample[1];
    kernel = c.weight("kernel", {sample[1], gates * units});
    recurrent = c.weight("recurrent_kernel", {units, gates * units});
  }

  SmallVector<SmallVector<int64_t>> stateSizes() override { return {{units}}; }

  /// Each gate has masks of its own where states are dropped.
  void prepare(Size batch) override {
    int64_t count = c.config.real("recurrent_dropout", 0.0) > 0 ? gates : 1;
    inputMasks = drawMasks("dropout", batch, features, count);
    stateMasks = drawMasks("recurrent_dropout", batch, units, count);
  }

  Tensor project(Tensor sequence) override {
    if (inputMasks.empty() || !sequence)
      return dense(sequence, kernel, inputBias);
    GraphBuilder &b = sequence.builder();
    SmallVector<Tensor> parts;
    SmallVector<Tensor> kernels = {kernel};
    if (inputMasks.size() > 1)
      kernels = split(kernel, 1, unsigned(gates));
    for (auto [mask, part] : llvm::zip(inputMasks, kernels))
      parts.push_back(
          dense(sequence * graph::expandDims(at(b, mask), 1), at(b, part), {}));
    Tensor y = graph::concat(parts, 2);
    return inputBias ? y + at(b, inputBias) : y;
  }

protected:
  /// States times a matrix whose columns belong to gates from `first` on.
  Tensor times(GraphBuilder &b, Tensor h, Tensor matrix, size_t first = 0) {
    if (stateMasks.empty() || !h)
      return graph::matmul(h, at(b, matrix), false, false);
    if (stateMasks.size() == 1)
      return graph::matmul(h * at(b, stateMasks[0]), at(b, matrix), false,
                           false);
    int64_t count = knownDim(matrix, 1).value_or(units) / units;
    SmallVector<Tensor> parts,
        columns = split(at(b, matrix), 1, unsigned(count));
    for (auto [i, column] : llvm::enumerate(columns))
      parts.push_back(graph::matmul(h * at(b, stateMasks[first + i]), column,
                                    false, false));
    return graph::concat(parts, 1);
  }

  int64_t gates, units, features = 1;
  Tensor kernel, recurrent, inputBias;
  SmallVector<Tensor> inputMasks, stateMasks;
};

class SimpleCell final : public DenseCell {
public:
  SimpleCell(Call &outer, Layer &layer, ArrayRef<int64_t> sample)
      : DenseCell(outer, layer, sample, 1) {
    if (c.hasWeight("bias"))
      inputBias = c.weight("bias", units);
  }

  Tensor step(GraphBuilder &b, Tensor x,
              SmallVectorImpl<Tensor> &states) override {
    states[0] = activate(x + times(b, states[0], recurrent));
    return states[0];
  }
};

class LstmCell final : public DenseCell {
public:
  LstmCell(Call &outer, Layer &layer, ArrayRef<int64_t> sample)
      : DenseCell(outer, layer, sample, 4) {
    if (c.hasWeight("bias"))
      inputBias = c.weight("bias", 4 * units);
  }

  SmallVector<SmallVector<int64_t>> stateSizes() override {
    return {{units}, {units}};
  }

  Tensor step(GraphBuilder &b, Tensor x,
              SmallVectorImpl<Tensor> &states) override {
    Tensor all = x + times(b, states[0], recurrent);
    SmallVector<Tensor> z = split(all, 1, 4u);
    Tensor carry = gate(z[1]) * states[1] + gate(z[0]) * activate(z[2]);
    states[0] = gate(z[3]) * activate(carry);
    states[1] = carry;
    return states[0];
  }
};

class GruCell final : public DenseCell {
public:
  GruCell(Call &outer, Layer &layer, ArrayRef<int64_t> sample)
      : DenseCell(outer, layer, sample, 3),
        resetAfter(c.config.flag("reset_after", true)) {
    if (c.hasWeight("bias") && resetAfter) {
      Tensor both = c.weight("bias", {2, 3 * units});
      inputBias = element(both, 0, 0);
      recurrentBias = element(both, 0, 1);
    } else if (c.hasWeight("bias")) {
      inputBias = c.weight("bias", 3 * units);
    }
    if (!resetAfter && recurrent) {
      SmallVector<Tensor> parts = split(recurrent, 1, {2 * units, units});
      updateAndReset = parts[0];
      candidate = parts[1];
    }
  }

  Tensor step(GraphBuilder &b, Tensor x,
              SmallVectorImpl<Tensor> &states) override {
    Tensor h = states[0];
    SmallVector<Tensor> in = split(x, 1, 3u);
    Tensor update, next;
    if (resetAfter) {
      Tensor inner = times(b, h, recurrent);
      if (recurrentBias)
        inner = inner + at(b, recurrentBias);
      SmallVector<Tensor> r = split(inner, 1, 3u);
      update = gate(in[0] + r[0]);
      next = activate(in[2] + gate(in[1] + r[1]) * r[2]);
    } else {
      SmallVector<Tensor> r = split(times(b, h, updateAndReset), 1, 2u);
      update = gate(in[0] + r[0]);
      Tensor reset = gate(in[1] + r[1]);
      next = activate(in[2] + times(b, reset * h, candidate, 2));
    }
    states[0] = update * h + (1.0 - update) * next;
    return states[0];
  }

private:
  bool resetAfter;
  Tensor recurrentBias, updateAndReset, candidate;
};

//===----------------------------------------------------------------------===//
// Convolutional cell
//===----------------------------------------------------------------------===//

class ConvLstmCell final : public LayerCell {
public:
  ConvLstmCell(Call &outer, Layer &layer, ArrayRef<int64_t> sample,
               int64_t spatial)
      : LayerCell(outer, layer), window(c, spatial),
        filters(c.config.size("filters")),
        size(windowSizes(c, "kernel_size", spatial)),
        input(sample.drop_front()) {
    int64_t channels = sample[window.channelAxis()];
    SmallVector<int64_t> shape(size), inner(size);
    llvm::append_values(shape, channels, 4 * filters);
    llvm::append_values(inner, filters, 4 * filters);
    kernel = c.weight("kernel", shape);
    recurrent = c.weight("recurrent_kernel", inner);
    if (c.hasWeight("bias"))
      bias = c.weight("bias", 4 * filters);
    for (int64_t i = 0; i < spatial; ++i) {
      int64_t in = sample[window.firstSpatial() + i],
              reach = (size[i] - 1) * window.dilations[i] + 1;
      if (in < 0) {
        c.fail("spatial dimensions must be known");
        in = reach;
      }
      state.push_back(window.padding == "SAME"
                          ? llvm::divideCeil(in, window.strides[i])
                          : (in - reach) / window.strides[i] + 1);
    }
    state.insert(window.channelsFirst ? state.begin() : state.end(), filters);
  }

  SmallVector<SmallVector<int64_t>> stateSizes() override {
    return {state, state};
  }

  void prepare(Size batch) override {
    inputMasks = drawMasks("dropout", batch, input, 4);
    stateMasks = drawMasks("recurrent_dropout", batch, state, 4);
  }

  /// All steps of all samples in one convolution, or in one for each gate.
  Tensor project(Tensor sequence) override {
    if (c.failed() || !sequence)
      return {};
    GraphBuilder &b = sequence.builder();
    SmallVector<Size> sizes = sizesOf(sequence), flat = {Size(-1)};
    flat.append(sizes.begin() + 2, sizes.end());
    auto convolve = [&](Tensor x, Tensor filter) {
      return b.make("graph.conv", sequence.type(), {reshape(x, flat), filter},
                    window.attributes(c, size, true));
    };
    Tensor y;
    if (inputMasks.empty()) {
      y = convolve(sequence, at(b, kernel));
    } else {
      SmallVector<Tensor> parts,
          filters = split(at(b, kernel), window.spatial + 1, 4u);
      for (auto [mask, filter] : llvm::zip(inputMasks, filters))
        parts.push_back(
            convolve(sequence * graph::expandDims(at(b, mask), 1), filter));
      y = graph::concat(parts, window.channelAxis());
    }
    y = addBias(y, at(b, bias), window.channelAxis());
    if (!y)
      return y;
    SmallVector<Size> result = {sizes[0], sizes[1]};
    for (int64_t i = 1; i < y.rank(); ++i)
      result.emplace_back(y, i);
    return reshape(y, result);
  }

  Tensor step(GraphBuilder &b, Tensor x,
              SmallVectorImpl<Tensor> &states) override {
    SmallVector<NamedAttribute> attributes = {
        b.attr("padding", StringRef("SAME"))};
    if (window.channelsFirst)
      attributes.push_back(b.unit("channels_first"));
    auto convolve = [&](Tensor h, Tensor filter) {
      return b.make("graph.conv", x.type(), {h, filter}, attributes);
    };
    Tensor inner;
    if (stateMasks.empty()) {
      inner = convolve(states[0], at(b, recurrent));
    } else {
      SmallVector<Tensor> parts,
          filters = split(at(b, recurrent), window.spatial + 1, 4u);
      for (auto [mask, filter] : llvm::zip(stateMasks, filters))
        parts.push_back(convolve(states[0] * at(b, mask), filter));
      inner = graph::concat(parts, window.channelAxis());
    }
    SmallVector<Tensor> z = split(x + inner, window.channelAxis(), 4u);
    Tensor carry = gate(z[1]) * states[1] + gate(z[0]) * activate(z[2]);
    states[0] = gate(z[3]) * activate(carry);
    states[1] = carry;
    return states[0];
  }

private:
  Window window;
  int64_t filters;
  SmallVector<int64_t> size, input, state;
  Tensor kernel, recurrent, bias;
  SmallVector<Tensor> inputMasks, stateMasks;
};

//===----------------------------------------------------------------------===//
// Stacks
//===----------------------------------------------------------------------===//

class StackedCells final : public Cell {
public:
  StackedCells(Call &outer, Layer &layer, ArrayRef<int64_t> sample) {
    SmallVector<int64_t> sizes(sample);
    for (auto &[name, part] : layer.parts) {
      std::unique_ptr<Cell> cell = makeCell(outer, *part, sizes);
      if (!cell)
        return;
      sizes.assign(1, sample[0]);
      llvm::append_range(sizes, cell->stateSizes()[0]);
      cells.push_back(std::move(cell));
    }
    if (cells.empty())
      outer.fail("it stacks no cells");
  }

  SmallVector<SmallVector<int64_t>> stateSizes() override {
    SmallVector<SmallVector<int64_t>> all;
    for (auto &cell : cells)
      llvm::append_range(all, cell->stateSizes());
    return all;
  }

  Type stateType() override { return cells[0]->stateType(); }

  std::string problem() override {
    for (auto &cell : cells)
      if (std::string text = cell->problem(); !text.empty())
        return text;
    return "";
  }

  void prepare(Size batch) override {
    for (auto &cell : cells)
      cell->prepare(batch);
  }

  Tensor project(Tensor sequence) override {
    return cells[0]->project(sequence);
  }

  Tensor step(GraphBuilder &b, Tensor x,
              SmallVectorImpl<Tensor> &states) override {
    size_t first = 0;
    for (auto [i, cell] : llvm::enumerate(cells)) {
      size_t count = cell->stateSizes().size();
      SmallVector<Tensor> own(states.begin() + first,
                              states.begin() + first + count);
      // One step is a sequence of one.
      if (i)
        x = squeeze(cell->project(graph::expandDims(x, 1)), 1);
      x = cell->step(b, x, own);
      llvm::copy(own, states.begin() + first);
      first += count;
    }
    return x;
  }

private:
  std::vector<std::unique_ptr<Cell>> cells;
};

/// A cell called as a layer: an input and the states.
void callCell(Call &c) {
  Tensor x;
  if (!c.arguments.empty() && c.arguments[0].kind == Argument::Tensor)
    x = c.wrap(c.arguments[0].tensor);
  std::vector<const Argument *> given;
  c.argument(1, "states").flatten(given);
  if (!x || x.rank() < 2)
    return c.fail("expected a tensor and states");
  SmallVector<int64_t> sample;
  for (int64_t i = 0; i < x.rank(); ++i)
    sample.push_back(knownDim(x, i).value_or(-1));
  std::unique_ptr<Cell> cell = makeCell(c, c.layer, sample);
  if (!cell)
    return;
  if (given.size() != cell->stateSizes().size())
    return c.fail("expected " + llvm::Twine(cell->stateSizes().size()) +
                  " states, got " + llvm::Twine(given.size()));
  SmallVector<Tensor> states;
  for (const Argument *one : given)
    states.push_back(c.wrap(one->tensor));
  cell->prepare(Size(x, 0));
  x = squeeze(cell->project(graph::expandDims(x, 1)), 1);
  Tensor y = cell->step(c.g, x, states);
  if (std::string text = cell->problem(); !text.empty())
    return c.fail(text);
  states.insert(states.begin(), y);
  c.setList(states);
}

void declareWeights(Declaration &d) {
  d.weight("kernel");
  d.weight("recurrent_kernel");
  if (d.config.flag("use_bias", true))
    d.weight("bias");
}

void declareStack(Declaration &d) {
  const llvm::json::Value *value = d.config.get("cells");
  const llvm::json::Array *list = value ? value->getAsArray() : nullptr;
  if (!list)
    return d.config.fail("'cells' must be a list of cells");
  llvm::StringMap<unsigned> used;
  for (const llvm::json::Value &cell : *list) {
    const llvm::json::Object *object = cell.getAsObject();
    std::string name =
        snakeCase(object ? object->getString("class_name").value_or("") : "");
    auto [known, isNew] = used.try_emplace(name, 0);
    if (!isNew)
      name += "_" + std::to_string(++known->second);
    d.part(name, cell, "cells/" + name);
  }
}
} // namespace

std::unique_ptr<Cell> makeCell(Call &c, Layer &layer,
                               ArrayRef<int64_t> sample) {
  if (c.failed() || !layer.kind) {
    c.g.abandon();
    return nullptr;
  }
  if (layer.className == "StackedRNNCells") {
    auto stack = std::make_unique<StackedCells>(c, layer, sample);
    if (c.failed())
      return nullptr;
    return stack;
  }
  std::unique_ptr<LayerCell> cell;
  StringRef name = layer.className;
  if (name == "SimpleRNNCell")
    cell = std::make_unique<SimpleCell>(c, layer, sample);
  else if (name == "LSTMCell")
    cell = std::make_unique<LstmCell>(c, layer, sample);
  else if (name == "GRUCell")
    cell = std::make_unique<GruCell>(c, layer, sample);
  else if (name == "ConvLSTMCell" && sample.size() >= 3)
    cell = std::make_unique<ConvLstmCell>(c, layer, sample,
                                          int64_t(sample.size()) - 2);
  else
    c.fail("'" + name + "' is not one of Keras's own cells");
  if (cell && cell->c.failed()) {
    c.fail("its cell: " + cell->c.problem);
    return nullptr;
  }
  return cell;
}

void addCells(LayerTable &table) {
  for (StringRef name :
       {"SimpleRNNCell", "LSTMCell", "GRUCell", "ConvLSTMCell"})
    table[name] = {declareWeights, callCell, MaskRule::Own};
  table["StackedRNNCells"] = {declareStack, callCell, MaskRule::Own};
}

} // namespace tenon::keras
