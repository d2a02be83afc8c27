// print_npz FILE.npz [--full]: prints all arrays of an archive, each followed
// by a line with the character 1; for fixtures/print.py --compare.
#include "io/File.h"
#include "io/Npz.h"
#include "io/Print.h"
#include <stdio.h>

int main(int argc, char **argv) {
  using namespace tenon;
  Text bytes;
  Message message;
  Npz npz;
  if (argc < 2 || !readFile(argv[1], bytes, message) ||
      !npz.open(bytes.data, bytes.size, message))
    return 1;
  Npz::Entry entry;
  for (uint64_t cursor = 0; npz.next(cursor, entry, message);) {
    Array array;
    if (!npz.read(entry, array, message))
      return 1;
    Text out;
    printArray(out, array, argc > 2);
    fwrite(out.data, 1, out.size, stdout);
    fputs("\n\1\n", stdout);
    out.release();
    array.release();
  }
  bytes.release();
  return 0;
}
