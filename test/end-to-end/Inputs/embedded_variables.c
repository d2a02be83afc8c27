/* Variables of an embedded model: read, written, saved and restored. */
#include "counter.h"

#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                       \
  if (!(condition)) {                                                          \
    printf("line %d: not %s; %s %s\n", __LINE__, #condition, counter_error(a), \
           counter_error(b));                                                  \
    return 1;                                                                  \
  }

static float total(counter *instance) {
  tenon_tensor value;
  if (counter_get_variable(instance, "total", &value))
    return -1;
  return *(float *)value.data;
}

int main(int argc, char **argv) {
  counter *a = counter_create(NULL), *b = counter_create(NULL);
  tenon_tensor value;
  float x = 3, mean, new_value = 42;
  int64_t one = 1;
  if (argc != 3)
    return 2;
  CHECK(counter_get_variable(a, "nothing", &value) == TENON_INVALID);
  CHECK(!strcmp(counter_error(a), "there is no variable 'nothing'"));
  CHECK(counter_get_variable(a, "total", &value) == TENON_FAILED);
  CHECK(counter_save(a, argv[1]) == TENON_FAILED);
  CHECK(strstr(counter_error(a), "is uninitialized"));
  CHECK(!counter_init(a) && !counter_step(a, &x, &mean) && total(a) == 3);
  CHECK(!counter_save(a, argv[1]));
  CHECK(counter_restore(b, argv[2]) == TENON_FAILED);
  CHECK(strstr(counter_error(b), "neither a checkpoint nor a file"));
  CHECK(!counter_restore(b, argv[1]) && total(b) == 3);
  CHECK(!counter_step(b, &x, &mean) && total(b) == 6 && total(a) == 3);
  CHECK(!counter_get_variable(a, "total", &value) && value.ndim == 0);
  value.data = &new_value;
  CHECK(!counter_set_variable(a, "total", &value) && total(a) == 42);
  value.ndim = 1;
  value.shape = &one;
  CHECK(counter_set_variable(a, "total", &value) == TENON_INVALID);
  CHECK(!strcmp(counter_error(a),
                "variable 'total': expected a dense float32[]"));
  counter_destroy(a);
  counter_destroy(b);
  puts("good");
  return 0;
}
