#include "compiler/training/CompileConfig.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

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

namespace {
/// A class of Keras's, and its arguments by position.
struct KerasClass {
  StringLiteral name, arguments;
};
constexpr KerasClass kSchedules[] = {
    {"ExponentialDecay",
     "initial_learning_rate decay_steps decay_rate staircase"},
    {"InverseTimeDecay",
     "initial_learning_rate decay_steps decay_rate staircase"},
    {"PolynomialDecay",
     "initial_learning_rate decay_steps end_learning_rate power cycle"},
    {"PiecewiseConstantDecay", "boundaries values"},
    {"CosineDecay", "initial_learning_rate decay_steps alpha name "
                    "warmup_target warmup_steps"},
    {"CosineDecayRestarts",
     "initial_learning_rate first_decay_steps t_mul m_mul alpha"},
};
constexpr KerasClass kOptimizers[] = {
    {"SGD", "learning_rate momentum nesterov"},
    {"RMSprop", "learning_rate rho momentum epsilon centered"},
    {"Adam", "learning_rate beta_1 beta_2 epsilon amsgrad"},
    {"AdamW", "learning_rate weight_decay beta_1 beta_2 epsilon amsgrad"},
    {"Adamax", "learning_rate beta_1 beta_2 epsilon"},
    {"Nadam", "learning_rate beta_1 beta_2 epsilon"},
    {"Adagrad", "learning_rate initial_accumulator_value epsilon"},
    {"Adadelta", "learning_rate rho epsilon"},
    {"Ftrl", "learning_rate learning_rate_power initial_accumulator_value "
             "l1_regularization_strength l2_regularization_strength "
             "l2_shrinkage_regularization_strength beta"},
    {"Lion", "learning_rate beta_1 beta_2"},
    {"Lamb", "learning_rate beta_1 beta_2 epsilon"},
    {"Adafactor", "learning_rate beta_2_decay epsilon_1 epsilon_2 "
                  "clip_threshold relative_step"},
    {"LossScaleOptimizer",
     "inner_optimizer initial_scale dynamic_growth_steps"},
};

/// As Keras serializes it; none where Keras has no such thing.
std::optional<json::Value> toJson(const Call &call) {
  switch (call.kind) {
  case Call::Kind::Number:
    if (call.number == double(int64_t(call.number)))
      return int64_t(call.number);
    return call.number;
  case Call::Kind::Boolean:
    return call.number != 0;
  case Call::Kind::None:
    return nullptr;
  case Call::Kind::Text:
    return call.name;
  case Call::Kind::List: {
    json::Array list;
    for (const auto &[name, element] : call.arguments) {
      std::optional<json::Value> value = toJson(element);
      if (!value)
        return std::nullopt;
      list.push_back(std::move(*value));
    }
    return list;
  }
  case Call::Kind::Call:
    break;
  }
  const KerasClass *found = nullptr;
  StringRef module = "keras.optimizers.schedules";
  for (ArrayRef<KerasClass> classes :
       {ArrayRef(kSchedules), ArrayRef(kOptimizers)})
    for (const KerasClass &each : classes)
      if (canonical(each.name) == canonical(call.name)) {
        found = &each;
        if (classes.data() == kOptimizers)
          module = "keras.optimizers";
      }
  if (!found)
    return std::nullopt;
  SmallVector<StringRef> names;
  found->arguments.split(names, ' ');
  json::Object config;
  size_t position = 0;
  for (const auto &[name, argument] : call.arguments) {
    if (name == "exclude_from_weight_decay") // no setting of Keras's
      continue;
    std::optional<json::Value> value = toJson(argument);
    if (!value || (name.empty() && position == names.size()))
      return std::nullopt;
    config[name.empty() ? names[position++] : StringRef(name)] =
        std::move(*value);
  }
  return json::Object{{"module", module},
                      {"class_name", found->name},
                      {"config", std::move(config)},
                      {"registered_name", nullptr}};
}
} // namespace

std::string withOptimizer(StringRef text, const Call &optimizer) {
  Expected<json::Value> config = json::parse(text);
  json::Object *model = config ? config->getAsObject() : nullptr;
  if (!config)
    consumeError(config.takeError());
  json::Object *compiled = model ? model->getObject("compile_config") : nullptr;
  if (!compiled)
    return text.str();
  if (std::optional<json::Value> value = toJson(optimizer))
    (*compiled)["optimizer"] = std::move(*value);
  else
    model->erase("compile_config");
  return formatv("{0}", *config);
}

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
