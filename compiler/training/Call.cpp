#include "compiler/training/Call.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace tenon::training {

namespace {
constexpr unsigned kMaxDepth = 32;

/// Recursive descent over one line of text.
class Parser {
public:
  explicit Parser(StringRef text) : text(text) {}

  Expected<Call> one() {
    Call result;
    if (!value(result, 0) || (skip(), at < text.size() && !wrong("the end")))
      return createStringError(error);
    return result;
  }

  Expected<std::vector<Call>> several() {
    std::vector<Call> result(1);
    while (value(result.back(), 0)) {
      if (!take(',')) {
        if (at < text.size())
          wrong("',' or the end");
        break;
      }
      result.emplace_back();
    }
    if (!error.empty())
      return createStringError(error);
    return result;
  }

private:
  void skip() {
    while (at < text.size() && isSpace(text[at]))
      ++at;
  }
  bool take(char c) {
    skip();
    if (at == text.size() || text[at] != c)
      return false;
    ++at;
    return true;
  }
  bool wrong(const Twine &expected) {
    if (error.empty())
      error = ("'" + text + "': expected " + expected + " at column " +
               Twine(at + 1))
                  .str();
    return false;
  }

  bool number(Call &out) {
    size_t end = at;
    while (end < text.size() &&
           (isAlnum(text[end]) || text[end] == '.' ||
            ((text[end] == '-' || text[end] == '+') &&
             (end == at || toLower(text[end - 1]) == 'e'))))
      ++end;
    if (text.slice(at, end).getAsDouble(out.number))
      return wrong("a number");
    at = end;
    out.kind = Call::Kind::Number;
    return true;
  }

  bool list(Call &out, char close, bool named, unsigned depth) {
    if (take(close))
      return true;
    do {
      Argument argument;
      skip();
      size_t end = at;
      while (end < text.size() && (isAlnum(text[end]) || text[end] == '_'))
        ++end;
      if (size_t equals = text.find_first_not_of(' ', end);
          named && end > at && equals != StringRef::npos &&
          text[equals] == '=') {
        argument.name = text.slice(at, end);
        at = equals + 1;
      }
      if (!value(argument.value, depth + 1))
        return false;
      out.arguments.push_back(std::move(argument));
    } while (take(','));
    return take(close) || wrong(Twine("',' or '") + Twine(close) + "'");
  }

  bool value(Call &out, unsigned depth) {
    skip();
    if (depth > kMaxDepth)
      return wrong("less depth");
    char c = at < text.size() ? text[at] : '\0';
    if (isDigit(c) || c == '-' || c == '+' || c == '.')
      return number(out);
    if (c == '[') {
      ++at;
      out.kind = Call::Kind::List;
      return list(out, ']', /*named=*/false, depth);
    }
    if (c == '\'' || c == '"') {
      size_t end = text.find(c, at + 1);
      if (end == StringRef::npos)
        return wrong("a closing quote");
      out.kind = Call::Kind::Text;
      out.name = text.slice(at + 1, end);
      at = end + 1;
      return true;
    }
    if (!isAlpha(c) && c != '_')
      return wrong("a name, a number or a list");
    size_t end = at;
    while (end < text.size() && (isAlnum(text[end]) || text[end] == '_'))
      ++end;
    out.name = text.slice(at, end);
    at = end;
    std::string lower = StringRef(out.name).lower();
    if (lower == "true" || lower == "false") {
      out.kind = Call::Kind::Boolean;
      out.number = lower == "true";
      return true;
    }
    if (lower == "none" || lower == "null") {
      out.kind = Call::Kind::None;
      return true;
    }
    return !take('(') || list(out, ')', /*named=*/true, depth);
  }

  StringRef text;
  size_t at = 0;
  std::string error;
};
} // namespace

Expected<Call> parseCall(StringRef text) { return Parser(text).one(); }
Expected<std::vector<Call>> parseCalls(StringRef text) {
  return Parser(text).several();
}

std::string canonical(StringRef name) {
  std::string result;
  for (char c : name)
    if (isAlnum(c))
      result += toLower(c);
  return result;
}

const Call *Arguments::find(StringRef name) {
  asked.push_back(name.str());
  const Call *found = nullptr;
  size_t number = 0;
  for (const auto &[key, value] : call.arguments)
    if (key.empty() ? number++ == positional : key == name) {
      if (found && !key.empty())
        fail("has '" + name + "' twice");
      if (key.empty() || !found)
        found = &value;
    }
  ++positional;
  return found && found->kind != Call::Kind::None ? found : nullptr;
}

bool Arguments::isNone(StringRef name) const {
  return any_of(call.arguments, [&](const auto &argument) {
    const auto &[key, value] = argument;
    return key == name && value.kind == Call::Kind::None;
  });
}

std::optional<double> Arguments::optionalNumber(StringRef name) {
  const Call *value = find(name);
  if (!value)
    return std::nullopt;
  if (value->kind == Call::Kind::Number || value->kind == Call::Kind::Boolean)
    return value->number;
  fail("has '" + name + "', which must be a number");
  return std::nullopt;
}

double Arguments::number(StringRef name, double otherwise) {
  return optionalNumber(name).value_or(otherwise);
}

double Arguments::required(StringRef name) {
  std::optional<double> value = optionalNumber(name);
  if (!value)
    fail("needs '" + name + "'");
  return value.value_or(1);
}

int64_t Arguments::integer(StringRef name, int64_t otherwise) {
  double value = number(name, double(otherwise));
  if (value != double(int64_t(value)))
    fail("has '" + name + "', which must be an integer");
  return int64_t(value);
}

bool Arguments::flag(StringRef name, bool otherwise) {
  const Call *value = find(name);
  if (!value)
    return otherwise;
  if (value->kind != Call::Kind::Boolean && value->kind != Call::Kind::Number)
    fail("has '" + name + "', which must be true or false");
  return value->number != 0;
}

std::string Arguments::text(StringRef name, StringRef otherwise) {
  const Call *value = find(name);
  if (!value)
    return otherwise.str();
  if (value->kind != Call::Kind::Text && value->kind != Call::Kind::Call)
    fail("has '" + name + "', which must be a name");
  return value->name;
}

std::vector<double> Arguments::numbers(StringRef name) {
  std::vector<double> result;
  const Call *value = find(name);
  if (!value)
    return result;
  if (value->kind == Call::Kind::Number)
    return {value->number};
  for (const auto &[key, element] : value->arguments)
    if (value->kind == Call::Kind::List && element.kind == Call::Kind::Number)
      result.push_back(element.number);
  if (value->kind != Call::Kind::List ||
      result.size() != value->arguments.size())
    fail("has '" + name + "', which must be a list of numbers");
  return result;
}

void Arguments::ignore(ArrayRef<StringRef> names) {
  for (StringRef name : names)
    asked.push_back(name.str());
}

void Arguments::fail(const Twine &reason) {
  if (error.empty())
    error = (what + " '" + call.name + "' " + reason).str();
}

Error Arguments::finish() {
  size_t given = 0;
  for (const auto &[key, value] : call.arguments) {
    given += key.empty();
    if (!key.empty() && !is_contained(asked, key))
      fail("has no argument '" + key +
           "'; its arguments are: " + join(asked, ", "));
  }
  if (given > positional)
    fail("has " + Twine(positional) + " arguments, got " + Twine(given));
  return error.empty() ? Error::success() : createStringError(error);
}

} // namespace tenon::training
