// Regular expressions with RE2's syntax, in time proportional to the text: a
// program for a machine that follows all ways to match at once. Not known:
// Unicode classes by name beyond a few, case folding beyond ASCII.
#ifndef TENON_RUNTIME_HOST_REGEX_H
#define TENON_RUNTIME_HOST_REGEX_H

#include "host/Host.h"

namespace [[gnu::visibility("hidden")]] tenon {

struct Regex {
  enum { maxGroups = 10, maxProgram = 1 << 16 };

  explicit Regex(HostCall &call) : call(call) {}

  // False after a failure, which names what is wrong with the pattern.
  bool compile(tenon_string pattern);
  // Where the first match from `from` on begins and ends, and its groups
  // (unset: -1). With `whole` the match is all of the text. False when there
  // is none, or after a failure.
  bool match(tenon_string text, int64_t from, bool whole,
             int64_t (&groups)[2 * maxGroups]);

  // What holds at a position without reading a character.
  enum Assertion : uint32_t {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    Boundary,
    NoBoundary
  };
  static bool isWord(uint32_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '_';
  }
  struct Range {
    uint32_t first, last;
  };
  struct Step {
    enum Kind : uint8_t { Char, Any, Class, Split, Jump, Save, Assert, Match };
    Kind kind;
    int32_t next, other; // Split prefers `next`
    uint32_t value;      // character, group, kind of assertion
    int32_t ranges, rangeCount;
  };

  HostCall &call;
  Step *steps = nullptr;
  int32_t stepCount = 0, stepRoom = 0;
  Range *ranges = nullptr;
  int32_t rangeCount = 0, rangeRoom = 0;
  int32_t groupCount = 1;

private:
  // Writes the program (RegexCompile.cpp).
  bool parse(tenon_string pattern);
  struct Threads;
  void follow(Threads &into, int32_t at, tenon_string text, int64_t position,
              const int64_t *groups);
  Threads *pools[2] = {};
  int64_t *stack = nullptr;
};

} // namespace tenon

#endif // TENON_RUNTIME_HOST_REGEX_H
