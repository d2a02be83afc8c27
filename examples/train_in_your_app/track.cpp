// A program that learns from its own data while it runs: where the hand of a
// robot's arm with two joints is, from the angles of the joints. The arm is
// bent, and the program knows nothing of that: it sees angles and places.
//
//     track [CHECKPOINT]
#include "learner.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <memory>
#include <random>

namespace {

using Learner = std::unique_ptr<learner, decltype(&learner_destroy)>;
constexpr size_t batch = 16;

// What the program watches: the arm itself.
struct Arm {
  std::mt19937 random{7};

  void move(std::array<float, 2 * batch> &angles,
            std::array<float, 2 * batch> &hand) {
    for (size_t i = 0; i < batch; ++i) {
      float first = float(random() % 1000) / 500 - 1;
      float second = float(random() % 1000) / 500 - 1;
      angles[2 * i] = first;
      angles[2 * i + 1] = second;
      hand[2 * i] =
          0.6F * std::cos(first) + 0.4F * std::cos(first + second + 0.3F);
      hand[2 * i + 1] =
          0.6F * std::sin(first) + 0.4F * std::sin(first + second + 0.3F);
    }
  }
};

int fail(const char *what, const learner *model) {
  std::fprintf(stderr, "%s: %s\n", what, learner_error(model));
  return 1;
}

} // namespace

int main(int argc, char **argv) {
  Learner model(learner_create(nullptr), learner_destroy);
  if (!model)
    return fail("create", nullptr);
  Arm arm;
  std::array<float, 2 * batch> angles, hand, guess;
  std::array<float, batch> weights;
  weights.fill(1);
  float loss = 0, first = 0;
  for (int step = 0; step < 2000; ++step) {
    arm.move(angles, hand);
    if (learner_train_step(model.get(), angles.data(), hand.data(),
                           weights.data(), &loss))
      return fail("train_step", model.get());
    if (!step)
      first = loss;
  }
  arm.move(angles, hand);
  if (learner_evaluate(model.get(), angles.data(), hand.data(), weights.data(),
                       &loss))
    return fail("evaluate", model.get());
  std::printf("mean squared error: %.4f at first, %.6f now\n", first, loss);

  // What was learned is in variables, which have names, and in a checkpoint
  // that TensorFlow reads as well.
  tenon_tensor bias = {};
  if (learner_get_variable(model.get(), "sequential/hand/bias", &bias))
    return fail("get_variable", model.get());
  const float *values = static_cast<const float *>(bias.data);
  std::printf("bias of the last layer: %.4f %.4f\n", values[0], values[1]);
  if (argc < 2)
    return 0;
  if (learner_save(model.get(), argv[1]))
    return fail("save", model.get());
  Learner other(learner_create(nullptr), learner_destroy);
  if (!other || learner_restore(other.get(), argv[1]))
    return fail("restore", other.get());
  std::array<float, 2 * batch> again;
  if (learner_predict(model.get(), angles.data(), guess.data()) ||
      learner_predict(other.get(), angles.data(), again.data()))
    return fail("predict", other.get());
  std::printf("another instance has learned the same: %s\n",
              guess == again ? "yes" : "no");
  return 0;
}
