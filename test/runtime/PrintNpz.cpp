// print_npz FILE.npz [--full]: prints all arrays of an archive, each followed
// by a line with the character 1; for fixtures/print.py --compare.
#include "io/Fail.h"
#include "io/File.h"
#include "io/Npz.h"
#include "io/Print.h"

int main(int argc, char **argv) {
  using namespace tenon;
  if (argc < 2)
    return 1;
  failContext.program = argv[0];
  failContext.status = 1;
  // What links them, as a model that has strings does.
  static const tenon_string_functions *const volatile strings = &tenon_strings;
  if (!strings)
    return 1;
  Text bytes = readFile(argv[1]);
  Npz npz(bytes.data, bytes.size);
  while (npz.next()) {
    Text out;
    printTensor(out, npz.read(), argc > 2);
    out.add("\n\1\n");
    writeAll(1, out.data, out.size);
  }
  return 0;
}
