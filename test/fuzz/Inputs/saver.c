// A checkpoint that cannot be read is a failure of the call, not of the
// process.
#include "reader.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

int main(int argc, char **argv) {
  reader *model = reader_create(NULL);
  for (int i = 1; i < argc; ++i) {
    tenon_string prefix = {argv[i], strlen(argv[i])};
    int status = reader_load(model, &prefix);
    printf("%s: %d %s\n", argv[i], status, status ? reader_error(model) : "");
  }
  float values[6] = {0};
  printf("values: %d", reader_value(model, values));
  for (int i = 0; i < 6; ++i)
    printf(" %g", values[i]);
  // Nothing is left open or mapped, however often it fails.
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  tenon_string broken = {argv[1], strlen(argv[1])},
               good = {argv[argc - 1], strlen(argv[argc - 1])};
  int failed = 0;
  for (int i = 0; i < 5000; ++i) {
    failed += reader_load(model, &broken) != 0;
    failed += reader_load(model, &good) != 0;
  }
  getrusage(RUSAGE_SELF, &after);
  printf("\nfailed: %d, %s\n", failed,
         after.ru_maxrss - before.ru_maxrss < 8192 ? "no memory is lost"
                                                   : "memory is lost");
  reader_destroy(model);
  return 0;
}
