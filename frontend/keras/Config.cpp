//===- Config.cpp - typed access to a layer's configuration ---------------===//

#include "frontend/keras/Config.h"

#include <limits>

using namespace llvm;

namespace tenon::keras {

namespace {
/// The parser and everything after it recurse.
constexpr int kMaxDepth = 200;
/// Numbers that JSON does not have are texts that no file contains otherwise.
constexpr StringLiteral kNumberMark("\x01number:");

/// `text` with Python's names of numbers as texts. Null when it nests too
/// deeply.
std::optional<std::string> preprocess(StringRef text) {
  std::string result;
  result.reserve(text.size());
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quoted) {
      result += c;
      if (c == '\\' && i + 1 < text.size())
        result += text[++i];
      else if (c == '"')
        quoted = false;
      continue;
    }
    quoted = c == '"';
    if (c == '[' || c == '{') {
      if (++depth > kMaxDepth)
        return std::nullopt;
    } else if (c == ']' || c == '}') {
      --depth;
    }
    StringRef rest = text.substr(i), name;
    for (StringRef candidate : {"NaN", "Infinity", "-Infinity"})
      if (rest.starts_with(candidate))
        name = candidate;
    if (name.empty()) {
      result += c;
      continue;
    }
    result += ("\"\\u0001" + kNumberMark.drop_front() + name + "\"").str();
    i += name.size() - 1;
  }
  return result;
}
} // namespace

Expected<json::Value> parseJson(StringRef text) {
  std::optional<std::string> prepared = preprocess(text);
  if (!prepared)
    return createStringError("the configuration nests deeper than " +
                             Twine(kMaxDepth) + " levels");
  Expected<json::Value> value = json::parse(*prepared);
  if (!value)
    return createStringError("the configuration is not JSON: " +
                             toString(value.takeError()));
  return value;
}

std::optional<double> asNumber(const json::Value &value) {
  if (auto number = value.getAsNumber())
    return number;
  std::optional<StringRef> text = value.getAsString();
  if (!text || !text->consume_front(kNumberMark))
    return std::nullopt;
  double infinity = std::numeric_limits<double>::infinity();
  if (*text == "NaN")
    return std::numeric_limits<double>::quiet_NaN();
  return *text == "Infinity" ? infinity : -infinity;
}

const json::Value *Config::get(StringRef key) const {
  const json::Value *value = object->get(key);
  return value && value->kind() != json::Value::Null ? value : nullptr;
}

int64_t Config::integer(StringRef key, std::optional<int64_t> otherwise) const {
  const json::Value *value = get(key);
  if (!value && otherwise)
    return *otherwise;
  if (value)
    if (auto number = value->getAsInteger())
      return *number;
  fail("'" + key + "' must be an integer");
  return otherwise.value_or(1);
}

double Config::real(StringRef key, std::optional<double> otherwise) const {
  const json::Value *value = get(key);
  if (!value && otherwise)
    return *otherwise;
  if (value)
    if (auto number = asNumber(*value))
      return *number;
  fail("'" + key + "' must be a number");
  return otherwise.value_or(1);
}

bool Config::flag(StringRef key, std::optional<bool> otherwise) const {
  const json::Value *value = get(key);
  if (!value && otherwise)
    return *otherwise;
  if (value)
    if (auto flag = value->getAsBoolean())
      return *flag;
  fail("'" + key + "' must be true or false");
  return otherwise.value_or(false);
}

std::string Config::text(StringRef key,
                         std::optional<std::string> otherwise) const {
  const json::Value *value = get(key);
  if (!value && otherwise)
    return *otherwise;
  if (value)
    if (auto text = value->getAsString())
      return text->str();
  fail("'" + key + "' must be a text");
  return otherwise.value_or("");
}

int64_t Config::size(StringRef key, std::optional<int64_t> otherwise) const {
  int64_t value = integer(key, otherwise);
  if (value >= 1 && value <= INT32_MAX)
    return value;
  fail("'" + key + "' is " + Twine(value) + ", expected a size");
  return 1;
}

SmallVector<int64_t> Config::integers(StringRef key,
                                      std::optional<size_t> count) const {
  SmallVector<int64_t> result;
  const json::Value *value = get(key);
  if (value && count)
    if (auto number = value->getAsInteger()) {
      result.assign(*count, *number);
      return result;
    }
  const json::Array *list = value ? value->getAsArray() : nullptr;
  if (list)
    for (const json::Value &element : *list)
      if (auto number = element.getAsInteger())
        result.push_back(*number);
  if (!list || result.size() != list->size() ||
      (count && result.size() != *count)) {
    fail("'" + key + "' must be a list of " +
         (count ? Twine(*count) + " " : Twine("")) + "integers");
    result.assign(count.value_or(0), 1);
  }
  return result;
}

SmallVector<double> Config::reals(StringRef key) const {
  SmallVector<double> result;
  const json::Value *value = get(key);
  const json::Array *list = value ? value->getAsArray() : nullptr;
  if (list)
    for (const json::Value &element : *list)
      if (auto number = asNumber(element))
        result.push_back(*number);
  if (!list || result.size() != list->size())
    fail("'" + key + "' must be a list of numbers");
  return result;
}

} // namespace tenon::keras
