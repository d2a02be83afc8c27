//===- Call.h - what is asked for by name and arguments -------------------===//
//
// Losses, metrics, optimizers and schedules are written as Keras names them:
// `sgd(learning_rate=exponential_decay(0.1, 100, 0.96), momentum=0.9)`.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_TRAINING_CALL_H
#define TENON_COMPILER_TRAINING_CALL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenon::training {

/// A name with arguments, or the value of one: a number, `true`, `false`,
/// `none`, a text in quotes, a list in brackets, or a call in its turn. A name
/// without parentheses is a call without arguments.
struct Call {
  enum class Kind { Call, Number, Boolean, None, Text, List };
  Kind kind = Kind::Call;
  /// The name of a call, in Keras's or any other spelling; a text.
  std::string name;
  double number = 0; // or 0 and 1
  /// Of a call: by name, or without one ("") by position. Of a list: elements.
  std::vector<struct Argument> arguments;
};

struct Argument {
  std::string name;
  Call value;
};

/// Parses one call. Errors say what was expected at which column.
llvm::Expected<Call> parseCall(llvm::StringRef text);
/// Parses calls that commas separate.
llvm::Expected<std::vector<Call>> parseCalls(llvm::StringRef text);

/// A name without what spellings differ in: `MeanSquaredError` and
/// `mean_squared_error` are one.
std::string canonical(llvm::StringRef name);

/// Reads the arguments of a call. The first error stays; every reader then
/// returns its default.
class Arguments {
public:
  /// `what` ("loss") is for messages.
  Arguments(llvm::StringRef what, const Call &call) : what(what), call(call) {}

  /// The argument called `name`, or the next one given by position.
  const Call *find(llvm::StringRef name);
  /// Whether it is given by name, as none.
  bool isNone(llvm::StringRef name) const;
  double number(llvm::StringRef name, double otherwise);
  std::optional<double> optionalNumber(llvm::StringRef name);
  int64_t integer(llvm::StringRef name, int64_t otherwise);
  bool flag(llvm::StringRef name, bool otherwise);
  std::string text(llvm::StringRef name, llvm::StringRef otherwise);
  std::vector<double> numbers(llvm::StringRef name);
  /// An argument that must be there.
  double required(llvm::StringRef name);
  /// Arguments that mean nothing here.
  void ignore(llvm::ArrayRef<llvm::StringRef> names);

  void fail(const llvm::Twine &reason);
  /// The first error, or that of an argument that nothing asked for.
  llvm::Error finish();

  llvm::StringRef name() const { return call.name; }

private:
  std::string what;
  const Call &call;
  std::vector<std::string> asked;
  size_t positional = 0; // asked for so far
  std::string error;
};

} // namespace tenon::training

#endif // TENON_COMPILER_TRAINING_CALL_H
