#include "train/Board.h"
#include "checkpoint/Checkpoint.h"
#include "checkpoint/Format.h"
#include "io/Tensor.h"
#include "main/Events.h"
#include "train/State.h"

#include <string.h>

namespace tenon::train {

using checkpoint::addField;
using checkpoint::addVarint;

namespace {

constexpr int buckets = 30;
enum DataClass : uint64_t { Scalar = 1, Tensor = 2 };

void addText(Text &out, unsigned field, const char *text) {
  Text bytes;
  bytes.add(text);
  addField(out, field, bytes);
}

// Summary { Value value = 1 { tag = 1, TensorProto tensor = 8, metadata = 9 {
// plugin_data = 1 { plugin_name = 1 }, data_class = 4 } } }.
void addValue(int file, int64_t step, const char *tag, const char *plugin,
              DataClass dataClass, const Text &tensor) {
  Text pluginData, metadata, value, summary;
  addText(pluginData, 1, plugin);
  addField(metadata, 1, pluginData);
  addField(metadata, 4, dataClass);
  addText(value, 1, tag);
  addField(value, 8, tensor);
  addField(value, 9, metadata);
  addField(summary, 1, value);
  writeEvent(file, uint64_t(step), EventSummary, summary.data, summary.size);
}

// TensorProto { dtype = 1, shape = 2, tensor_content = 4 }.
void addScalar(int file, int64_t step, const char *tag, double number) {
  Text tensor, shape, content;
  float value = float(number);
  content.add(&value, sizeof value);
  addField(tensor, 1, uint64_t(1)); // float
  addField(tensor, 2, shape);
  addField(tensor, 4, content);
  addValue(file, step, tag, "scalars", Scalar, tensor);
}

void addMetrics(int file, int64_t step, const Metrics &metrics) {
  for (int32_t i = 0; i < metrics.count; ++i) {
    Text tag;
    tag.print("epoch_%s", metrics.names[i]);
    addScalar(file, step, tag.terminated(), metrics.values[i]);
  }
}

// A row per bucket: where it begins, where it ends, how many are in it.
void addHistogram(int file, int64_t step, const char *name,
                  const tenon_tensor &tensor) {
  int64_t count = elementCount(tensor), finite = 0;
  double least = 0, most = 0;
  for (int64_t i = 0; i < count; ++i) {
    double value = loadFloat(tensor, i);
    if (!isFinite(value))
      continue;
    least = !finite || value < least ? value : least;
    most = !finite || value > most ? value : most;
    ++finite;
  }
  if (!finite)
    return;
  double rows[buckets][3] = {}, width = (most - least) / buckets;
  for (int i = 0; i < buckets; ++i) {
    rows[i][0] = least + width * i;
    rows[i][1] = i + 1 == buckets ? most : least + width * (i + 1);
  }
  for (int64_t i = 0; i < count; ++i) {
    double value = loadFloat(tensor, i);
    if (!isFinite(value))
      continue;
    int bucket = width > 0 ? int((value - least) / width) : buckets - 1;
    rows[bucket < buckets ? bucket : buckets - 1][2] += 1;
  }
  Text proto, shape, content, tag;
  const uint64_t sizes[] = {buckets, 3};
  for (uint64_t size : sizes) {
    Text dimension;
    addField(dimension, 1, size);
    addField(shape, 2, dimension);
  }
  content.add(rows, sizeof rows);
  addField(proto, 1, uint64_t(2)); // double
  addField(proto, 2, shape);
  addField(proto, 4, content);
  tag.print("%s/histogram", name);
  addValue(file, step, tag.terminated(), "histograms", Tensor, proto);
}

// GraphDef { NodeDef { name = 1, op = 2, repeated input = 3 } node = 1 }.
// Inputs are names, one after the other, each with a zero behind it.
void addNode(Text &graph, const char *name, const char *op,
             const Text &inputs) {
  Text node;
  addText(node, 1, name);
  addText(node, 2, op);
  for (size_t at = 0; at < inputs.size; at += strlen(inputs.data + at) + 1)
    addText(node, 3, inputs.data + at);
  addField(graph, 1, node);
}

void addName(Text &names, const char *name) {
  names.add(name, strlen(name) + 1);
}

// The program's graph: what a step takes, reads and changes.
void addGraph(int file, const Signature &signature) {
  Text graph, none, sources, results;
  const DataSpec spec = readFields(signature);
  for (int32_t i = 0; i < spec.fieldCount; ++i) {
    Text name;
    name.print("%s/%s",
               spec.fields[i].role == Input    ? "inputs"
               : spec.fields[i].role == Target ? "targets"
                                               : "weights",
               spec.fields[i].spec->name);
    addNode(graph, name.terminated(), "Placeholder", none);
    addName(sources, name.data);
  }
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    addNode(graph, signature.variables[i].name, "VarHandleOp", none);
    addName(sources, signature.variables[i].name);
  }
  addNode(graph, "train_step", "StatefulPartitionedCall", sources);
  addName(results, "train_step");
  const Metrics metrics = readMetricNames(signature);
  for (int32_t i = 0; i < metrics.count; ++i) {
    Text name;
    name.print("results/%s", metrics.names[i]);
    addNode(graph, name.terminated(), "Identity", results);
  }
  writeEvent(file, 0, EventGraph, graph.data, graph.size);
}

} // namespace

void Board::open(const Signature &signature, const char *folder,
                 bool validates) {
  Text path;
  path.print("%s/train", folder);
  training = openEvents(path.terminated());
  addGraph(training, signature);
  if (!validates)
    return;
  path.size = 0;
  path.print("%s/validation", folder);
  validation = openEvents(path.terminated());
}

void Board::add(Instance &instance, int64_t epoch, const Metrics &metrics,
                const Metrics *validated, const float *rate) {
  addMetrics(training, epoch, metrics);
  if (rate)
    addScalar(training, epoch, "epoch_learning_rate", double(*rate));
  if (validated)
    addMetrics(validation, epoch, *validated);
  const Signature &signature = instance.signature;
  for (int32_t i = 0; i < signature.variableCount; ++i) {
    const VariableSpec &variable = signature.variables[i];
    if (!variable.generator && !isAuxiliary(variable.name) &&
        isReal(variable.dtype))
      addHistogram(training, epoch, variable.name,
                   viewVariable(instance, variable));
  }
}

} // namespace tenon::train
