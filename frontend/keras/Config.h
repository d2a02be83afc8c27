//===- Config.h - typed access to a layer's configuration -----------------===//

#ifndef TENON_FRONTEND_KERAS_CONFIG_H
#define TENON_FRONTEND_KERAS_CONFIG_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <optional>
#include <string>

namespace tenon::keras {

/// Parses JSON as Python writes it: NaN and infinities are numbers. Errors:
/// what is not JSON, and values nested deeper than any model's.
llvm::Expected<llvm::json::Value> parseJson(llvm::StringRef text);

/// A number of any kind; nothing for other values.
std::optional<double> asNumber(const llvm::json::Value &value);

/// A JSON object of which keys are read with the types that they must have.
/// The first thing that is wrong is kept in `problem`; from then on values are
/// arbitrary ones.
class Config {
public:
  Config(const llvm::json::Object &object, std::string &problem)
      : object(&object), problem(&problem) {}

  void fail(const llvm::Twine &reason) const {
    if (problem->empty())
      *problem = reason.str();
  }

  /// Present and not null.
  bool has(llvm::StringRef key) const { return get(key) != nullptr; }
  /// The value, null when it is absent or null.
  const llvm::json::Value *get(llvm::StringRef key) const;

  /// A missing value without `otherwise` is a failure.
  int64_t integer(llvm::StringRef key,
                  std::optional<int64_t> otherwise = {}) const;
  double real(llvm::StringRef key, std::optional<double> otherwise = {}) const;
  bool flag(llvm::StringRef key, std::optional<bool> otherwise = {}) const;
  std::string text(llvm::StringRef key,
                   std::optional<std::string> otherwise = {}) const;
  /// A size: an integer from 1 to 2^31.
  int64_t size(llvm::StringRef key,
               std::optional<int64_t> otherwise = {}) const;
  /// A list of integers; one integer stands for `count` of them when `count`
  /// is given, and a list must have that many then.
  llvm::SmallVector<int64_t> integers(llvm::StringRef key,
                                      std::optional<size_t> count = {}) const;
  llvm::SmallVector<double> reals(llvm::StringRef key) const;

  const llvm::json::Object &json() const { return *object; }

private:
  const llvm::json::Object *object;
  std::string *problem;
};

} // namespace tenon::keras

#endif // TENON_FRONTEND_KERAS_CONFIG_H
