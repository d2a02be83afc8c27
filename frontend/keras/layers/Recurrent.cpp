//===- Recurrent.cpp - layers that repeat a cell or a layer over time -----===//

#include "frontend/keras/layers/Cells.h"
#include "frontend/keras/layers/Layers.h"

using namespace mlir;

namespace tenon::keras {

namespace {
//===----------------------------------------------------------------------===//
// Layers with a cell
//===----------------------------------------------------------------------===//

/// The states that a layer begins with: given ones, those of its last call, or
/// zeros.
SmallVector<Tensor> initialStates(Call &c, Cell &cell, Tensor x,
                                  ArrayRef<const Argument *> given) {
  SmallVector<Tensor> states;
  SmallVector<SmallVector<int64_t>> sizes = cell.stateSizes();
  if (!given.empty()) {
    if (given.size() != sizes.size())
      c.fail("expected " + llvm::Twine(sizes.size()) + " initial states, got " +
             llvm::Twine(given.size()));
    for (const Argument *one : given)
      states.push_back(graph::cast(c.wrap(one->tensor), cell.stateType()));
    return states;
  }
  for (auto [i, size] : llvm::enumerate(sizes)) {
    if (c.config.flag("stateful", false)) {
      SmallVector<int64_t> shape = {c.staticDim(x, 0)};
      llvm::append_range(shape, size);
      states.push_back(
          c.state("rnn_state_" + std::to_string(i), shape, cell.stateType()));
      continue;
    }
    SmallVector<Size> shape = {Size(x, 0)};
    for (int64_t one : size)
      shape.emplace_back(one);
    states.push_back(
        c.g.fill(shapeOf(c.g, shape), c.g.scalar(cell.stateType(), 0)));
  }
  return states;
}

/// Where the mask of a step holds, `now`, else `before`.
Tensor choose(Tensor mask, Tensor now, Tensor before) {
  if (!mask || !now)
    return now;
  SmallVector<int64_t> axes;
  for (int64_t i = 1; i < now.rank(); ++i)
    axes.push_back(i);
  return graph::select(graph::expandDims(mask, axes), now, before);
}

void callRecurrent(Call &c) {
  std::vector<const Argument *> all, given;
  if (!c.arguments.empty())
    c.arguments[0].flatten(all);
  if (all.empty())
    return c.fail("expected a sequence");
  // Old files pass states behind the sequence.
  given.assign(all.begin() + 1, all.end());
  if (given.empty())
    c.argument(1, "initial_state").flatten(given);
  Tensor x = c.wrap(all[0]->tensor), mask = c.mask();
  Layer *inner = c.layer.part("cell");
  if (x.rank() < 3 || !inner)
    return c.fail("expected a sequence of vectors, got " +
                  graph::shapeString(x.dims()));
  bool sequences = c.config.flag("return_sequences", false),
       backwards = c.config.flag("go_backwards", false),
       zeros = c.config.flag("zero_output_for_mask", false);
  SmallVector<int64_t> sample = {-1};
  for (int64_t i = 2; i < x.rank(); ++i)
    sample.push_back(knownDim(x, i).value_or(-1));
  std::unique_ptr<Cell> cell = makeCell(c, *inner, sample);
  if (!cell)
    return;
  SmallVector<Tensor> states = initialStates(c, *cell, x, given);
  cell->prepare(Size(x, 0));
  Tensor steps = moveAxis(cell->project(x), 1, 0);
  if (c.failed() || c.g.failed() || !steps)
    return c.g.abandon();
  if (mask && !mask.type().isInteger(1))
    mask = graph::notEqual(mask, 0);
  if (mask && mask.rank() == 3)
    mask = squeeze(mask, 2);
  Tensor maskSteps = mask ? moveAxis(mask, 1, 0) : Tensor();
  Tensor count = c.g.size(x.value(), 1);

  // Carried: the states; the last output where a masked step repeats it, or
  // where it is the result; the outputs of all steps.
  SmallVector<Tensor> carried(states);
  SmallVector<Size> outputSizes = {Size(x, 0)};
  SmallVector<int64_t> outputSize = cell->stateSizes()[0];
  if (inner->className == "StackedRNNCells") {
    // The last cell's output is like its first state.
    Layer *last = inner->parts.back().second;
    bool two = last->className == "LSTMCell";
    SmallVector<SmallVector<int64_t>> sizes = cell->stateSizes();
    outputSize = sizes[sizes.size() - (two ? 2 : 1)];
  }
  for (int64_t size : outputSize)
    outputSizes.emplace_back(size);
  Tensor zero =
      c.g.fill(shapeOf(c.g, outputSizes), c.g.scalar(cell->stateType(), 0));
  carried.push_back(zero);
  if (sequences) {
    SmallVector<Size> listSizes = {Size(x, 1)};
    llvm::append_range(listSizes, outputSizes);
    carried.push_back(
        c.g.fill(shapeOf(c.g, listSizes), c.g.scalar(cell->stateType(), 0)));
  }
  size_t stateCount = states.size();
  SmallVector<Tensor> results = loop(
      c.g, count, carried,
      [&](GraphBuilder &b, Tensor i, ArrayRef<Tensor> values) {
        auto outside = [&](Tensor value) { return Tensor(b, value.value()); };
        Tensor place = i;
        if (backwards)
          place = outside(count) - b.integer(1) - i;
        auto item = [&](Tensor list) {
          return b.make("graph.list_get_item", list.type(),
                        {outside(list), place});
        };
        SmallVector<Tensor> next(values.take_front(stateCount));
        Tensor output = cell->step(b, item(steps), next);
        if (!output) {
          b.abandon();
          return SmallVector<Tensor>();
        }
        if (maskSteps) {
          Tensor valid = item(maskSteps);
          output =
              choose(valid, output, zeros ? outside(zero) : values[stateCount]);
          for (size_t k = 0; k < stateCount; ++k)
            next[k] = choose(valid, next[k], values[k]);
        }
        next.push_back(output);
        if (sequences)
          next.push_back(b.make("graph.list_set_item", output.type(),
                                {values[stateCount + 1], i, output}));
        return next;
      });
  if (std::string text = cell->problem(); !text.empty())
    return c.fail("its cell: " + text);
  if (c.failed())
    return;
  SmallVector<Tensor> outputs;
  outputs.push_back(sequences ? moveAxis(results[stateCount + 1], 0, 1)
                              : results[stateCount]);
  outputs[0] = graph::cast(outputs[0], c.computeType());
  for (size_t k = 0; k < stateCount; ++k) {
    results[k] = graph::cast(results[k], c.computeType());
    if (c.config.flag("stateful", false))
      c.assignState("rnn_state_" + std::to_string(k),
                    graph::cast(results[k], cell->stateType()));
  }
  if (c.config.flag("return_state", false)) {
    outputs.append(results.begin(), results.begin() + stateCount);
    c.setList(outputs);
  } else {
    c.set(outputs[0]);
  }
  if (sequences)
    c.setMask(mask);
}

/// A layer whose cell has the layer's own configuration.
template <bool convolutional> void declareOwnCell(Declaration &d) {
  llvm::json::Object config(d.config.json());
  std::string className;
  std::string name = config.getString("name").value_or("").str();
  StringRef layer = d.layerClass();
  if (convolutional) {
    className = "ConvLSTMCell";
    config["name"] = "conv_lstm_cell";
  } else {
    className = (layer + "Cell").str();
    config["name"] = snakeCase(className);
  }
  config.erase("shared_object_id");
  d.part("cell", llvm::json::Object{{"class_name", className},
                                    {"module", "keras.layers"},
                                    {"config", std::move(config)}});
}

void declareCell(Declaration &d) {
  if (const llvm::json::Value *cell = d.config.get("cell")) {
    if (!cell->getAsArray())
      return d.part("cell", *cell);
    d.part("cell",
           llvm::json::Object{
               {"class_name", "StackedRNNCells"},
               {"module", "keras.layers"},
               {"config", llvm::json::Object{{"name", "stacked_rnn_cells"},
                                             {"cells", *cell}}}});
  } else {
    d.config.fail("'cell' is missing");
  }
}

//===----------------------------------------------------------------------===//
// Both directions
//===----------------------------------------------------------------------===//

void declareBidirectional(Declaration &d) {
  const llvm::json::Value *forward = d.config.get("layer"),
                          *backward = d.config.get("backward_layer");
  const llvm::json::Object *object = forward ? forward->getAsObject() : nullptr;
  if (!object || !object->getObject("config"))
    return d.config.fail("'layer' is missing");
  // Sequences have zeros where they are masked.
  auto prepared = [](llvm::json::Object copy) {
    llvm::json::Object &config = *copy.getObject("config");
    config["zero_output_for_mask"] =
        config.getBoolean("return_sequences").value_or(false);
    return copy;
  };
  d.part("forward_layer", prepared(*object));
  const llvm::json::Object *other =
      backward ? backward->getAsObject() : nullptr;
  if (other && other->getObject("config"))
    return d.part("backward_layer", prepared(*other));
  llvm::json::Object copy(*object);
  llvm::json::Object &config = *copy.getObject("config");
  config["go_backwards"] = true;
  StringRef name = config.getString("name").value_or("layer");
  name.consume_front("forward_");
  config["name"] = ("backward_" + name).str();
  d.part("backward_layer", prepared(std::move(copy)));
}

void callBidirectional(Call &c) {
  Layer *layers[2] = {c.layer.part("forward_layer"),
                      c.layer.part("backward_layer")};
  if (!layers[0] || !layers[1] || c.arguments.empty())
    return c.fail("expected a sequence");
  std::vector<const Argument *> given;
  c.argument(1, "initial_state").flatten(given);
  Tensor mask = c.mask();
  std::vector<Argument> results[2];
  for (unsigned i = 0; i < 2; ++i) {
    std::map<std::string, Argument> keywords;
    if (mask)
      keywords["mask"] = Argument::of(mask.value());
    if (!given.empty()) {
      size_t half = given.size() / 2;
      std::vector<Argument> states;
      for (size_t k = i * half; k < (i + 1) * half; ++k)
        states.push_back(*given[k]);
      keywords["initial_state"] = Argument::list(std::move(states));
    }
    Argument value = c.callLayer(*layers[i], {c.arguments[0]}, keywords);
    if (c.failed())
      return;
    if (value.kind == Argument::List)
      results[i] = std::move(value.items);
    else
      results[i].push_back(std::move(value));
  }
  Config inner(layers[0]->config, c.problem);
  bool sequences = inner.flag("return_sequences", false);
  Tensor y = c.wrap(results[0][0].tensor), back = c.wrap(results[1][0].tensor);
  if (sequences)
    back = reverse(back, 1);
  SmallVector<Tensor> outputs;
  if (!c.config.has("merge_mode")) {
    outputs = {y, back};
  } else {
    std::string mode = c.config.text("merge_mode");
    if (mode == "concat")
      outputs.push_back(graph::concat({y, back}, y.rank() - 1));
    else if (mode == "sum")
      outputs.push_back(y + back);
    else if (mode == "ave")
      outputs.push_back((y + back) / 2.0);
    else if (mode == "mul")
      outputs.push_back(y * back);
    else
      return c.fail("'merge_mode' " + mode + " is not supported");
  }
  size_t merged = outputs.size();
  for (const std::vector<Argument> &one : results)
    for (const Argument &state : llvm::drop_begin(one))
      outputs.push_back(c.wrap(state.tensor));
  if (outputs.size() == 1)
    c.set(outputs[0]);
  else
    c.setList(outputs);
  if (!sequences || !mask)
    return;
  c.setMask(mask);
  if (merged == 2)
    c.result.items[1].mask = mask.value();
}

//===----------------------------------------------------------------------===//
// A layer at every step
//===----------------------------------------------------------------------===//

void declareInner(Declaration &d) {
  if (const llvm::json::Value *inner = d.config.get("layer"))
    d.part("layer", *inner);
  else
    d.config.fail("'layer' is missing");
}

void callTimeDistributed(Call &c) {
  Tensor x = c.input(3), mask = c.mask();
  if (!x)
    return;
  SmallVector<Size> sizes = sizesOf(x), flat = {Size(-1)};
  flat.append(sizes.begin() + 2, sizes.end());
  Tensor merged = reshape(x, flat);
  if (!merged)
    return;
  std::map<std::string, Argument> keywords;
  // A step's mask needs a dimension more than batch and time.
  if (mask && mask.rank() > 2) {
    SmallVector<Size> maskSizes = sizesOf(mask), flatMask = {Size(-1)};
    flatMask.append(maskSizes.begin() + 2, maskSizes.end());
    keywords["mask"] = Argument::of(reshape(mask, flatMask).value());
  }
  Argument value =
      c.callPart("layer", {Argument::of(merged.value())}, keywords);
  if (c.failed())
    return;
  std::vector<const Argument *> all;
  value.flatten(all);
  SmallVector<Tensor> outputs;
  for (const Argument *one : all) {
    Tensor y = c.wrap(one->tensor);
    SmallVector<Size> result = {sizes[0], sizes[1]};
    for (int64_t i = 1; i < y.rank(); ++i)
      result.emplace_back(y, i);
    outputs.push_back(reshape(y, result));
  }
  if (outputs.size() == 1)
    c.set(outputs[0]);
  else
    c.setList(outputs);
  c.setMask(mask);
}
} // namespace

void addRecurrentLayers(LayerTable &table) {
  for (StringRef name : {"SimpleRNN", "LSTM", "GRU"})
    table[name] = {declareOwnCell<false>, callRecurrent, MaskRule::Own};
  for (StringRef name : {"ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
    table[name] = {declareOwnCell<true>, callRecurrent, MaskRule::Own};
  table["RNN"] = {declareCell, callRecurrent, MaskRule::Own};
  table["Bidirectional"] = {declareBidirectional, callBidirectional,
                            MaskRule::Own};
  table["TimeDistributed"] = {declareInner, callTimeDistributed, MaskRule::Own};
  addCells(table);
}

} // namespace tenon::keras
