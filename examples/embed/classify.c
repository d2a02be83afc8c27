/* Classifies pictures with one compiled model and averages the winner's
 * probability with another: two models in one program, from C.
 *
 *     classify images.npy        (float32, any number of 8x8 pictures)
 */
#include "counter.h"
#include "digits.h"

#include <stdio.h>

/* Skips the header of a version 1 .npy file; 0 when it is one. */
static int skipHeader(FILE *file) {
  unsigned char head[10];
  if (fread(head, 1, sizeof head, file) != sizeof head || head[0] != 0x93)
    return 1;
  return fseek(file, head[8] | head[9] << 8, SEEK_CUR);
}

int main(int argc, char **argv) {
  FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (!file || skipHeader(file)) {
    fprintf(stderr, "usage: classify IMAGES.npy\n");
    return 2;
  }
  digits *model = digits_create(NULL);
  counter *average = counter_create(NULL);
  if (!model || !average || counter_init(average)) {
    fprintf(stderr, "cannot create the models\n");
    return 1;
  }
  float image[8 * 8], probabilities[10], mean = 0;
  long seen[10] = {0}, total = 0;
  while (fread(image, sizeof image, 1, file) == 1) {
    if (digits_main(model, image, probabilities)) {
      fprintf(stderr, "%s\n", digits_error(model));
      return 1;
    }
    int best = 0;
    for (int c = 1; c < 10; ++c)
      if (probabilities[c] > probabilities[best])
        best = c;
    ++seen[best];
    ++total;
    if (counter_step(average, &probabilities[best], &mean)) {
      fprintf(stderr, "%s\n", counter_error(average));
      return 1;
    }
  }
  for (int c = 0; c < 10; ++c)
    printf("%d: %ld\n", c, seen[c]);
  printf("%ld pictures, mean confidence %.4f\n", total, mean);
  digits_destroy(model);
  counter_destroy(average);
  fclose(file);
  return 0;
}
