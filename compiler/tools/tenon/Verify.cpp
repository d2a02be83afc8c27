//===- Verify.cpp - tenon verify ------------------------------------------===//

#include "compiler/tools/tenon/Commands.h"
#include "compiler/tools/tenon/Npz.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Program.h"

#include <cmath>

using namespace llvm;

namespace tenon {

namespace {

/// How far two arrays are apart.
struct Difference {
  double maxAbs = 0, maxRel = 0, maxUlp = 0, excess = 0;
  size_t worst = 0; // where the excess over the tolerance is largest
  double got = 0, want = 0;
};

/// Elements as numbers: one per element, two for complex ones.
class Numbers {
public:
  explicit Numbers(const Array &array)
      : array(array), isComplex(array.kind == 'c'),
        width(isComplex ? array.itemSize / 2 : array.itemSize) {}

  size_t size() const { return array.bytes.size() / width; }

  bool isFloat() const { return StringRef("fec").contains(array.kind); }

  double get(size_t i) const {
    uint64_t bits = getBits(i);
    switch (array.kind) {
    case 'i':
      return SignExtend64(bits, 8 * width);
    case 'b':
    case 'u':
      return bits;
    default:
      APFloat value(getSemantics(), APInt(8 * width, bits));
      bool lost;
      value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
      return value.convertToDouble();
    }
  }

  /// Position of the element among all numbers of its format.
  double getOrdinal(size_t i) const {
    uint64_t bits = getBits(i), sign = uint64_t(1) << (8 * width - 1);
    return bits & sign ? -double(bits & ~sign) : double(bits);
  }

private:
  uint64_t getBits(size_t i) const {
    uint64_t bits = 0;
    std::memcpy(&bits, array.bytes.data() + i * width, width);
    return bits;
  }

  const fltSemantics &getSemantics() const {
    return array.kind == 'e' ? APFloat::BFloat()
           : width == 2      ? APFloat::IEEEhalf()
           : width == 4      ? APFloat::IEEEsingle()
                             : APFloat::IEEEdouble();
  }

  const Array &array;
  bool isComplex;
  unsigned width;
};

Difference compare(const Numbers &got, const Numbers &want, double rtol,
                   double atol, bool sameFormat) {
  Difference result;
  result.excess = -INFINITY;
  for (size_t i = 0; i < want.size(); ++i) {
    double g = got.get(i), w = want.get(i);
    double abs = 0, rel = 0, ulp = 0, excess;
    bool bothNan = std::isnan(g) && std::isnan(w);
    if (!bothNan && g != w) {
      abs = std::fabs(g - w);
      if (std::isnan(abs)) // a NaN against a number
        abs = INFINITY;
      rel = w != 0 ? abs / std::fabs(w) : INFINITY;
      if (sameFormat && want.isFloat())
        ulp = std::fabs(got.getOrdinal(i) - want.getOrdinal(i));
    }
    // An infinite tolerance would let anything pass beside an infinity.
    excess = abs == 0           ? -atol
             : std::isfinite(w) ? abs - (atol + rtol * std::fabs(w))
                                : INFINITY;
    result.maxAbs = std::max(result.maxAbs, abs);
    result.maxRel = std::max(result.maxRel, rel);
    result.maxUlp = std::max(result.maxUlp, ulp);
    if (excess > result.excess) {
      result.excess = excess;
      result.worst = i;
      result.got = g;
      result.want = w;
    }
  }
  return result;
}

std::string describeShape(const Array &array) {
  std::vector<std::string> dims;
  for (int64_t size : array.shape)
    dims.push_back(std::to_string(size));
  return (Twine(array.kind) + Twine(8 * array.itemSize) + "[" +
          join(dims, ", ") + "]")
      .str();
}

class Verification {
public:
  explicit Verification(const Options &options) : options(options) {}

  int run(ArrayRef<Array> results, ArrayRef<Array> references) {
    bool allGood = true;
    if (references.empty())
      return fail("the reference holds no arrays");
    for (const Array &want : references) {
      const Array *got = find(results, want.name);
      // One unnamed array against one result needs no name.
      if (!got && results.size() == 1 && references.size() == 1 &&
          want.name == "arr_0")
        got = &results.front();
      if (!got) {
        errs() << options.model << ": error: the reference has '" << want.name
               << "', the results are";
        for (const Array &result : results)
          errs() << " '" << result.name << "'";
        errs() << '\n';
        allGood = false;
        continue;
      }
      allGood &= checkOne(*got, want);
    }
    outs().flush();
    return allGood ? kDone : kFault;
  }

private:
  static const Array *find(ArrayRef<Array> arrays, StringRef name) {
    for (const Array &array : arrays)
      if (array.name == name)
        return &array;
    return nullptr;
  }

  int fail(const Twine &message) {
    errs() << options.model << ": error: " << message << '\n';
    return kFault;
  }

  bool checkOne(const Array &got, const Array &want) {
    if (got.shape != want.shape)
      return fail("'" + want.name + "': expected " + describeShape(want) +
                  ", got " + describeShape(got)),
             false;
    bool isText = want.kind == 'S' || got.kind == 'S';
    if (isText || (want.kind == 'c') != (got.kind == 'c'))
      return checkText(got, want);
    Numbers gotNumbers(got), wantNumbers(want);
    double atol = options.atol;
    if (atol < 0)
      atol = 1e-5 * findMax(wantNumbers);
    bool sameFormat = got.kind == want.kind && got.itemSize == want.itemSize;
    Difference difference =
        compare(gotNumbers, wantNumbers, options.rtol, atol, sameFormat);
    bool isGood = !(difference.excess > 0);
    outs() << want.name << ": max abs " << format("%.3g", difference.maxAbs)
           << ", max rel " << format("%.3g", difference.maxRel) << ", ULP "
           << (sameFormat ? formatUlp(difference.maxUlp) : "-")
           << (isGood ? "" : "  BEYOND TOLERANCE") << '\n';
    if (!isGood)
      outs() << "  element " << difference.worst << ": expected "
             << format("%.9g", difference.want) << ", got "
             << format("%.9g", difference.got) << '\n';
    return isGood;
  }

  static std::string formatUlp(double ulp) {
    std::string text;
    raw_string_ostream(text) << format("%.0f", ulp);
    return text;
  }

  static double findMax(const Numbers &numbers) {
    double max = 0;
    for (size_t i = 0; i < numbers.size(); ++i)
      if (double value = std::fabs(numbers.get(i)); std::isfinite(value))
        max = std::max(max, value);
    return max;
  }

  /// Strings: equal up to NumPy's padding.
  bool checkText(const Array &got, const Array &want) {
    bool isGood = got.kind == want.kind;
    for (size_t i = 0; isGood && i < want.getCount(); ++i) {
      StringRef g = StringRef(got.bytes).substr(i * got.itemSize, got.itemSize);
      StringRef w =
          StringRef(want.bytes).substr(i * want.itemSize, want.itemSize);
      isGood = g.rtrim('\0') == w.rtrim('\0');
    }
    outs() << want.name << ": " << (isGood ? "equal" : "DIFFERENT") << '\n';
    return isGood;
  }

  const Options &options;
};

} // namespace

int verifyCommand(const Options &options, StringRef tool) {
  auto fail = [&](const Twine &message) {
    errs() << options.model << ": error: " << message << '\n';
    return kFault;
  };
  Expected<std::vector<Array>> references = readNpz(options.reference);
  if (!references)
    return fail("reference '" + options.reference +
                "': " + toString(references.takeError()));
  std::string program = compileToCache(options.model, options, tool);
  if (program.empty())
    return kFault;
  SmallString<128> results;
  if (std::error_code code =
          sys::fs::createTemporaryFile("tenon-verify", "npz", results))
    return fail("cannot make a temporary file: " + code.message());
  FileRemover remover(results);
  std::vector<StringRef> arguments = {program};
  if (!options.runEntry.empty())
    llvm::append_values(arguments, StringRef("--entry"),
                        StringRef(options.runEntry));
  for (const std::string &input : options.arguments)
    arguments.push_back(input);
  llvm::append_values(arguments, StringRef("-o"), results.str());
  std::string message;
  int status =
      sys::ExecuteAndWait(program, arguments, std::nullopt, {}, 0, 0, &message);
  if (status)
    return message.empty() ? status : fail(message);
  Expected<std::vector<Array>> got = readNpz(results);
  if (!got)
    return fail("results: " + toString(got.takeError()));
  return Verification(options).run(*got, *references);
}

} // namespace tenon
