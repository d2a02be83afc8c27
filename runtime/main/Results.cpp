// Results to the terminal and to files.
#include "main/Results.h"
#include "io/Fail.h"
#include "io/File.h"
#include "io/Npy.h"
#include "io/Npz.h"
#include "io/Print.h"

#include <string.h>

namespace tenon {

// Writes what a word after -o asks for: NAME=FILE.npy, FILE.npz, FILE.npy or
// "-".
static void writeResults(const Results &results, const char *word) {
  const char *equals = lastOf(word, '=');
  bool single = word[strlen(word) - 1] == 'y';
  const char *path = single && equals ? equals + 1 : word;
  const Result *chosen = results.list;
  if (single && equals) {
    while (chosen < results.list + results.count &&
           behind(word, chosen->name) != equals)
      ++chosen;
    if (chosen == results.list + results.count)
      fail("-o %s: there is no result of that name", word);
  } else if (single && results.count != 1) {
    fail("-o %s: there are %d results, write NAME=FILE.npy or FILE.npz", word,
         results.count);
  }
  int file = openOutput(path);
  if (single) {
    NpyFile npy(chosen->tensor);
    writeAll(file, npy.header.data, npy.header.size);
    writeAll(file, npy.data, npy.bytes);
  } else {
    NpzWriter archive{file, {}};
    for (int32_t i = 0; i < results.count; ++i)
      archive.add(results.list[i].name, results.list[i].tensor);
    archive.finish();
  }
  closeOutput(file, path);
}

void deliver(const Results &results, const Options &options, Text &out) {
  for (int32_t i = 0; i < options.outputs.count; ++i)
    writeResults(results, options.outputs.list[i]);
  if (options.outputs.count)
    return;
  for (int32_t i = 0; i < results.count; ++i) {
    const Result &result = results.list[i];
    if (options.runCount > 1 || results.count > 1)
      out.print("%s:%c", result.name, result.tensor.ndim > 1 ? '\n' : ' ');
    printTensor(out, result.tensor, options.full);
    out.add("\n");
  }
}

void checkFinite(const char *what, const char *name,
                 const tenon_tensor &tensor) {
  bool complex = tensor.dtype.code == TENON_COMPLEX;
  if (!isReal(tensor.dtype) && !complex)
    return;
  int64_t count = elementCount(tensor) << complex;
  for (int64_t i = 0; i < count; ++i) {
    double value = loadFloat(tensor, i);
    if (!isFinite(value))
      fail("%s '%s' is %s at element %lld; compiled with --check-numerics "
           "the program names the node",
           what, name, value != value ? "nan" : "infinite",
           (long long)(i >> complex));
  }
}

} // namespace tenon
