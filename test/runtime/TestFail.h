// The tests' version of io/Fail.h: what ends a generated program throws here.
#ifndef TENON_TEST_RUNTIME_TESTFAIL_H
#define TENON_TEST_RUNTIME_TESTFAIL_H

#include "io/Fail.h"
#include <string>

// The text of a failure.
struct Failure {
  std::string text;
};

// The text that `action` fails with, or "" when it does not.
template <typename Action> std::string failureOf(const Action &action) {
  try {
    action();
  } catch (const Failure &failure) {
    return failure.text;
  }
  return "";
}

#endif // TENON_TEST_RUNTIME_TESTFAIL_H
