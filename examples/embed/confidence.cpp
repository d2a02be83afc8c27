// Prints the picture the model is least sure of: the same two models from C++,
// owned by unique_ptr, one instance of each.
//
//     confidence images.npy
#include "counter.h"
#include "digits.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>
#include <memory>

namespace {
using Digits = std::unique_ptr<digits, decltype(&digits_destroy)>;
using Counter = std::unique_ptr<counter, decltype(&counter_destroy)>;
} // namespace

int main(int argc, char **argv) {
  std::ifstream file(argc == 2 ? argv[1] : "", std::ios::binary);
  std::array<unsigned char, 10> head{};
  if (!file.read(reinterpret_cast<char *>(head.data()), head.size())) {
    std::cerr << "usage: confidence IMAGES.npy\n";
    return 2;
  }
  file.ignore(head[8] | head[9] << 8);

  Digits model(digits_create(nullptr), digits_destroy);
  Counter average(counter_create(nullptr), counter_destroy);
  if (!model || !average || counter_init(average.get()))
    return 1;

  std::array<float, 64> image;
  std::array<float, 10> probabilities;
  float mean = 0, least = 2;
  long number = 0, doubtful = 0;
  while (file.read(reinterpret_cast<char *>(image.data()), sizeof image)) {
    if (digits_main(model.get(), image.data(), probabilities.data())) {
      std::cerr << digits_error(model.get()) << '\n';
      return 1;
    }
    float best = *std::max_element(probabilities.begin(), probabilities.end());
    counter_step(average.get(), &best, &mean);
    if (best < least) {
      least = best;
      doubtful = number;
    }
    ++number;
  }
  std::cout << "picture " << doubtful << " of " << number
            << " is the most doubtful: " << least << " against " << mean
            << " on average\n";
  return 0;
}
