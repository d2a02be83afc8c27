#include "compiler/training/CompileConfig.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace tenon::training {

static bool isObject(const json::Value &value) {
  const json::Object *object = value.getAsObject();
  return object && object->getString("class_name");
}

Call toCall(const json::Value &value) {
  Call call;
  if (auto text = value.getAsString()) {
    call.name = text->str();
  } else if (auto boolean = value.getAsBoolean()) {
    call.kind = Call::Kind::Boolean;
    call.number = *boolean;
  } else if (auto number = value.getAsNumber()) {
    call.kind = Call::Kind::Number;
    call.number = *number;
  } else if (const json::Array *list = value.getAsArray()) {
    call.kind = Call::Kind::List;
    for (const json::Value &element : *list)
      call.arguments.push_back({"", toCall(element)});
  } else if (const json::Object *object = value.getAsObject()) {
    call.name = object->getString("class_name").value_or("").str();
    if (const json::Object *config = object->getObject("config")) {
      // An array of numbers.
      if (call.name == "__tensor__" || call.name == "__numpy__")
        if (const json::Value *elements = config->get("value"))
          return toCall(*elements);
      // Sorted: the order of JSON's keys means nothing.
      std::vector<StringRef> keys;
      for (const auto &entry : *config)
        keys.push_back(entry.first);
      llvm::sort(keys);
      for (StringRef key : keys)
        call.arguments.push_back({key.str(), toCall(*config->get(key))});
    } else if (auto function = object->getString("config")) {
      call.name = function->str();
    }
  } else {
    call.kind = Call::Kind::None;
  }
  return call;
}

namespace {
/// Walks what may be one thing, a list with one for each output, or an object
/// by output; `each` gets the output's name, empty for one thing.
template <typename Each>
void forOutputs(const json::Value *value, ArrayRef<std::string> outputs,
                Each each) {
  if (!value || value->getAsNull())
    return;
  if (const json::Array *list = value->getAsArray()) {
    for (auto [i, element] : enumerate(*list))
      if (i < outputs.size() && !element.getAsNull())
        each(outputs[i], element);
    return;
  }
  const json::Object *object = value->getAsObject();
  if (!object || isObject(*value))
    return each(std::string(), *value);
  for (const std::string &output : outputs)
    if (const json::Value *element = object->get(output))
      if (!element->getAsNull())
        each(output, *element);
}

/// Metrics: those of one output are a list of their own.
void readMetrics(const json::Value *value, ArrayRef<std::string> outputs,
                 std::vector<std::pair<std::string, Call>> &into) {
  const json::Array *list = value ? value->getAsArray() : nullptr;
  bool isFlat = list && none_of(*list, [](const json::Value &element) {
                  return element.getAsArray();
                });
  // A flat list of several outputs has one metric for each.
  if (isFlat && outputs.size() == 1) {
    for (const json::Value &metric : *list)
      into.emplace_back("", toCall(metric));
    return;
  }
  forOutputs(value, outputs,
             [&](const std::string &output, const json::Value &metrics) {
               if (const json::Array *several = metrics.getAsArray())
                 for (const json::Value &metric : *several)
                   into.emplace_back(output, toCall(metric));
               else
                 into.emplace_back(output, toCall(metrics));
             });
}
} // namespace

Expected<Request> readCompileConfig(StringRef text,
                                    ArrayRef<std::string> outputs) {
  Expected<json::Value> parsed = json::parse(text);
  if (!parsed)
    return parsed.takeError();
  const json::Object *config = parsed->getAsObject();
  if (!config)
    return createStringError("the compile settings are no JSON object");
  Request request;
  const json::Value *loss = config->get("loss");
  forOutputs(loss, outputs,
             [&](const std::string &output, const json::Value &value) {
               // One loss of several outputs holds for each of them.
               for (const std::string &each : outputs)
                 if (output.empty() || output == each)
                   request.losses.emplace_back(each, toCall(value));
             });
  forOutputs(config->get("loss_weights"), outputs,
             [&](const std::string &output, const json::Value &value) {
               if (auto number = value.getAsNumber())
                 request.lossWeights.emplace_back(output, *number);
             });
  readMetrics(config->get("metrics"), outputs, request.metrics);
  readMetrics(config->get("weighted_metrics"), outputs,
              request.weightedMetrics);
  const json::Value *optimizer = config->get("optimizer");
  if (!optimizer)
    optimizer = config->get("optimizer_config");
  if (optimizer && !optimizer->getAsNull())
    request.optimizer = toCall(*optimizer);
  return request;
}

} // namespace tenon::training
