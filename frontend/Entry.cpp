//===- Entry.cpp - what --entry says --------------------------------------===//

#include "frontend/Entry.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

namespace tenon {

namespace {
class EntryParser {
public:
  explicit EntryParser(llvm::StringRef text) : text(text) {}

  llvm::Expected<EntrySpec> parse() {
    EntrySpec spec;
    spec.name = text.take_until([](char c) { return c == '('; }).trim().str();
    at = text.find('(');
    if (at == llvm::StringRef::npos) {
      at = text.size();
      return expected("'('");
    }
    if (spec.name.empty()) {
      at = 0;
      return expected("the name of the entry point");
    }
    ++at;
    skipBlanks();
    if (!take(")")) {
      do {
        EntrySpec::Item item;
        if (llvm::Error error = parseItem(item, /*result=*/false))
          return std::move(error);
        spec.arguments.push_back(std::move(item));
      } while (take(","));
      if (!take(")"))
        return expected("',' or ')'");
    }
    if (!take("->"))
      return expected("'->'");
    do {
      EntrySpec::Item item;
      if (llvm::Error error = parseItem(item, /*result=*/true))
        return std::move(error);
      spec.results.push_back(std::move(item));
    } while (take(","));
    if (at != text.size())
      return expected("',' or the end");
    if (llvm::Error error = checkNames(spec.arguments, "arguments"))
      return std::move(error);
    if (llvm::Error error = checkNames(spec.results, "results"))
      return std::move(error);
    return spec;
  }

private:
  llvm::Error expected(const llvm::Twine &what) {
    return llvm::createStringError("entry '" + text + "': expected " + what +
                                   " at column " + llvm::Twine(at + 1));
  }

  void skipBlanks() {
    while (at < text.size() && llvm::isSpace(text[at]))
      ++at;
  }

  bool take(llvm::StringRef token) {
    skipBlanks();
    if (!text.substr(at).starts_with(token))
      return false;
    at += token.size();
    skipBlanks();
    return true;
  }

  llvm::StringRef takeName() {
    skipBlanks();
    size_t start = at;
    while (at < text.size() && !llvm::isSpace(text[at]) &&
           !llvm::StringRef(",()=").contains(text[at]))
      ++at;
    llvm::StringRef name = text.slice(start, at);
    skipBlanks();
    return name;
  }

  llvm::Error parseItem(EntrySpec::Item &item, bool result) {
    item.target = result && take("^");
    llvm::StringRef name = takeName();
    if (name.empty())
      return expected("the name of a tensor");
    item.source = name.str();
    if (item.target)
      return llvm::Error::success();
    if (take("=")) {
      item.name = name.str();
      return result ? parseSource(item, takeName()) : takeTensor(item);
    }
    size_t start = name.data() - text.data();
    if (result)
      if (llvm::Error error = parseSource(item, name))
        return error;
    if (item.gradient.empty())
      name.consume_back(":0");
    else
      name = text.slice(start, at).rtrim();
    item.name = name.str();
    return llvm::Error::success();
  }

  llvm::Error takeTensor(EntrySpec::Item &item) {
    llvm::StringRef source = takeName();
    if (source.empty())
      return expected("the name of a tensor");
    item.source = source.str();
    return llvm::Error::success();
  }

  /// A tensor that begins with `name`, or a derivative.
  llvm::Error parseSource(EntrySpec::Item &item, llvm::StringRef name,
                          unsigned depth = 0) {
    constexpr unsigned kMaxDepth = 64;
    if (name.empty())
      return expected("the name of a tensor");
    bool forward = name == "jvp";
    if ((name != "grad" && !forward) || !take("(")) {
      item.source = name.str();
      return llvm::Error::success();
    }
    item.forward = forward;
    if (depth == kMaxDepth)
      return expected("derivatives of a lower order");
    item.source.clear();
    item.gradient.resize(2);
    if (llvm::Error error =
            parseSource(item.gradient[0], takeName(), depth + 1))
      return error;
    if (!take(","))
      return expected("',' and what the derivative is taken by");
    if (llvm::Error error = takeTensor(item.gradient[1]))
      return error;
    if (take(",")) {
      item.gradient.emplace_back();
      if (llvm::Error error = takeTensor(item.gradient[2]))
        return error;
    } else if (forward) {
      return expected("',' and the direction of the derivative");
    }
    return take(")") ? llvm::Error::success() : expected("',' or ')'");
  }

  llvm::Error checkNames(llvm::ArrayRef<EntrySpec::Item> items,
                         const char *what) {
    llvm::StringSet<> names;
    for (const EntrySpec::Item &item : items)
      if (!item.target && !names.insert(item.name).second)
        return llvm::createStringError("entry '" + text + "': two " + what +
                                       " have the name '" + item.name + "'");
    return llvm::Error::success();
  }

  llvm::StringRef text;
  size_t at = 0;
};
} // namespace

llvm::Expected<EntrySpec> parseEntry(llvm::StringRef text) {
  return EntryParser(text).parse();
}

} // namespace tenon
