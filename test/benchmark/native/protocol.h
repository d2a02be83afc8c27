// The worker protocol of ../protocol.py for programs in C and C++.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static inline long peakKib(void) {
  char line[256];
  long value = 0;
  FILE *file = fopen("/proc/self/status", "r");
  while (file && fgets(line, sizeof line, file))
    if (!strncmp(line, "VmHWM:", 6))
      value = atol(line + 6);
  if (file)
    fclose(file);
  return value;
}

static inline void failed(const char *who, const char *why) {
  printf("{\"error\": \"%s: ", who);
  for (; *why; ++why)
    putchar(*why == '"' || *why == '\\' || *why < ' ' ? ' ' : *why);
  puts("\"}");
  fflush(stdout);
  exit(1);
}

// The tensor of a file written by numpy.ndarray.tofile, 64-aligned.
static inline float *readFloats(const char *path, size_t count) {
  float *data = (float *)aligned_alloc(64, (count * 4 + 63) / 64 * 64);
  FILE *file = fopen(path, "rb");
  if (!data || !file || fread(data, 4, count, file) != count)
    failed(path, "cannot be read");
  fclose(file);
  return data;
}

static inline void writeFloats(const char *path, const float *data,
                               size_t count) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(data, 4, count, file) != count || fclose(file))
    failed(path, "cannot be written");
}

static inline int compareDoubles(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return left < right ? -1 : left > right;
}

/// Says that the first call is done, then answers requests.
static inline void serve(void (*call)(void *), void *context) {
  enum { most = 1 << 20 };
  double *times = (double *)malloc(most * sizeof(double));
  char line[256];
  printf("{\"ready\": true, \"peak_kib\": %ld}\n", peakKib());
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    double seconds = atof(line + strcspn(line, " ")), single = 1;
    for (int i = 0; i < 2; ++i) {
      double start = now();
      call(context);
      double time = now() - start;
      single = time < single ? time : single;
    }
    long group = single < 20e-6 ? (long)(20e-6 / (single + 1e-9)) + 1 : 1;
    long count = 0;
    double last = now(), end = last + seconds;
    while ((last < end || count < 3) && count < most) {
      for (long i = 0; i < group; ++i)
        call(context);
      double time = now();
      times[count++] = (time - last) / (double)group * 1e3;
      last = time;
    }
    qsort(times, (size_t)count, sizeof *times, compareDoubles);
    printf("{\"min_ms\": %.9g, \"median_ms\": %.9g, \"calls\": %ld}\n",
           times[0], times[count / 2], count * group);
    fflush(stdout);
  }
}
