// FILE COMMAND...: runs it and writes its peak memory in KiB to FILE. What a
// process forks inherits the peak of its parent: a small parent is needed.
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3)
    return 2;
  pid_t child = fork();
  if (!child) {
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  int status;
  struct rusage usage;
  FILE *file = fopen(argv[1], "w");
  if (child < 0 || !file || wait4(child, &status, 0, &usage) < 0)
    return 1;
  fprintf(file, "%ld\n", usage.ru_maxrss);
  return fclose(file) || !WIFEXITED(status) ? 1 : WEXITSTATUS(status);
}
