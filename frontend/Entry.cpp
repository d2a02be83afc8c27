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
      llvm::StringRef source = takeName();
      if (source.empty())
        return expected("the name of a tensor");
      item.source = source.str();
    } else {
      name.consume_back(":0");
      item.name = name.str();
    }
    if (at < text.size() && text[at] == '(' && item.source == "grad")
      return llvm::createStringError(
          "entry '" + text +
          "': derivatives are not supported by this version");
    return llvm::Error::success();
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
