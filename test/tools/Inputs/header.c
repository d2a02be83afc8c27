/* Calls a model with sizes that vary (reserved ahead, so that the calls get no
 * more memory) and one that needs no instance. */
#include "net.h"
#include "small.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef SMALL_MAIN_STATELESS
#error "one dense layer of known size needs nothing of an instance"
#endif
#ifdef NET_MAIN_STATELESS
#error "a model with an arena needs its instance"
#endif

static int allocations;

static void *allocate(void *context, size_t bytes, size_t alignment) {
  ++allocations;
  (void)context;
  return aligned_alloc(alignment,
                       (bytes + alignment - 1) / alignment * alignment);
}

static void release(void *context, void *memory, size_t bytes) {
  (void)context;
  (void)bytes;
  free(memory);
}

static int call(net *model, int64_t rows) {
  int64_t inputShape[] = {rows, 13}, outputShape[] = {rows, 3};
  float *x = calloc((size_t)rows * 13, sizeof *x);
  float *y = calloc((size_t)rows * 3, sizeof *y);
  tenon_tensor input = {x,          {TENON_CPU, 0}, 2, {TENON_FLOAT, 32, 1},
                        inputShape, NULL,           0};
  tenon_tensor output = {y,           {TENON_CPU, 0}, 2, {TENON_FLOAT, 32, 1},
                         outputShape, NULL,           0};
  int status = net_main(model, &input, &output);
  free(x);
  free(y);
  return status;
}

int main(void) {
  float x[1] = {2}, y[1] = {0}, again[1] = {0};
  int without = small_main(NULL, x, y);
  small *instance = small_create(NULL);
  int with = small_main(instance, x, again);
  small_destroy(instance);
  printf("small: %d %d %s\n", without, with,
         y[0] == again[0] && y[0] != 0 ? "equal" : "different");

  tenon_options options = {.struct_size = sizeof options, .threads = 1};
  options.allocate = allocate;
  options.release = release;
  net *model = net_create(&options);
  if (!model)
    return 1;
  printf("net without instance: %d\n", net_main(NULL, NULL, NULL) != 0);
  printf("reserve: %d\n", net_main_reserve(model, 1000));
  int before = allocations;
  printf("calls: %d %d\n", call(model, 1000), call(model, 7));
  printf("allocations: %d\n", allocations - before);
  int larger = call(model, 3000);
  printf("larger: %d, %s\n", larger,
         allocations > before ? "grown" : "not grown");
  printf("negative: %s, %s\n",
         net_main_reserve(model, -1) ? "refused" : "taken", net_error(model));
  printf("without instance: %s\n",
         net_main_reserve(NULL, 1) ? "refused" : "taken");
  printf("after: %d\n", call(model, 5));
  net_destroy(model);
  return 0;
}
