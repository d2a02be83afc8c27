// A pattern in RE2's syntax becomes the program of a Regex.
#include "host/Regex.h"
#include "host/Utf8.h"

#include <stdlib.h>

namespace tenon {

namespace {

// Parses a pattern and writes the program. A piece of it is the steps from
// `first` to the end of the program; a way out of it goes to the step behind.
class Compiler {
public:
  Compiler(Regex &regex, tenon_string pattern)
      : regex(regex), pattern(pattern) {}

  bool run() {
    emit({Regex::Step::Save, 0, 0, 0, 0, 0});
    alternatives(0);
    if (!failed && at < pattern.size)
      fail("unexpected ')'");
    emit({Regex::Step::Save, 0, 0, 1, 0, 0});
    emit({Regex::Step::Match, 0, 0, 0, 0, 0});
    return !failed;
  }

private:
  struct Flags {
    bool fold = false, multiLine = false, dotAll = false, ungreedy = false;
  };

  void fail(const char *what) {
    if (!failed)
      regex.call.fail("invalid pattern '%.*s': %s",
                      int(pattern.size < 200 ? pattern.size : 200),
                      pattern.data, what);
    failed = true;
  }

  // Adds a step whose successor is the one behind it.
  int32_t emit(Regex::Step step) {
    if (failed)
      return 0;
    if (regex.stepCount >= Regex::maxProgram) {
      fail("it is too large");
      return 0;
    }
    if (regex.stepCount == regex.stepRoom)
      grow(regex.steps, regex.stepCount, regex.stepRoom);
    if (failed)
      return 0;
    step.next = regex.stepCount + 1;
    regex.steps[regex.stepCount] = step;
    return regex.stepCount++;
  }

  template <typename T> void grow(T *&list, int32_t count, int32_t &room) {
    int32_t larger = room ? 2 * room : 64;
    T *more = regex.call.array<T>(larger);
    if (!more) {
      failed = true;
      return;
    }
    if (count)
      memcpy(more, list, sizeof(T) * size_t(count));
    list = more;
    room = larger;
  }

  void addRange(uint32_t first, uint32_t last) {
    if (regex.rangeCount == regex.rangeRoom)
      grow(regex.ranges, regex.rangeCount, regex.rangeRoom);
    if (!failed)
      regex.ranges[regex.rangeCount++] = {first, last};
  }

  // Moves the program's steps from `first` on by one, and puts one there.
  void insert(int32_t first, Regex::Step step) {
    emit(step);
    if (failed)
      return;
    for (int32_t i = regex.stepCount - 1; i > first; --i) {
      regex.steps[i] = regex.steps[i - 1];
      if (regex.steps[i].next >= first)
        ++regex.steps[i].next;
      if (regex.steps[i].other >= first &&
          regex.steps[i].kind == Regex::Step::Split)
        ++regex.steps[i].other;
    }
    step.next = first + 1;
    regex.steps[first] = step;
  }

  bool more() const { return at < pattern.size && !failed; }
  bool take(char c) {
    if (!more() || pattern.data[at] != c)
      return false;
    ++at;
    return true;
  }
  bool take(const char *word) {
    size_t length = strlen(word);
    if (pattern.size - at < length || memcmp(pattern.data + at, word, length))
      return false;
    at += length;
    return true;
  }

  void alternatives(int depth) {
    if (depth > 200) {
      fail("it nests too deeply");
      return;
    }
    int32_t first = regex.stepCount;
    sequence(depth);
    if (!more() || pattern.data[at] != '|')
      return;
    // split -> this | the rest; this jumps behind the rest.
    insert(first, {Regex::Step::Split, 0, 0, 0, 0, 0});
    int32_t jump = emit({Regex::Step::Jump, 0, 0, 0, 0, 0});
    ++at;
    if (failed)
      return;
    regex.steps[first].other = regex.stepCount;
    alternatives(depth + 1);
    if (!failed)
      regex.steps[jump].next = regex.stepCount;
  }

  void sequence(int depth) {
    while (more() && pattern.data[at] != '|' && pattern.data[at] != ')') {
      int32_t first = regex.stepCount;
      if (pattern.size - at >= 2 && pattern.data[at] == '\\' &&
          pattern.data[at + 1] == 'Q') {
        at += 2;
        while (more() && !take("\\E"))
          literal(character());
        continue;
      }
      atom(depth);
      repeat(first);
    }
  }

  uint32_t character() {
    uint32_t c = decodeUtf8(pattern, at);
    if (c == badCharacter)
      fail("it is not UTF-8");
    return c;
  }

  void literal(uint32_t c) {
    uint32_t other = c ^ 32;
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!flags.fold || !letter) {
      emit({Regex::Step::Char, 0, 0, c, 0, 0});
      return;
    }
    int32_t from = regex.rangeCount;
    addRange(c, c);
    addRange(other, other);
    emit({Regex::Step::Class, 0, 0, 0, from, 2});
  }

  void assertion(Regex::Assertion kind) {
    emit({Regex::Step::Assert, 0, 0, kind, 0, 0});
  }

  void atom(int depth) {
    char c = pattern.data[at];
    switch (c) {
    case '(':
      ++at;
      return group(depth);
    case '[':
      ++at;
      return bracket();
    case '.':
      ++at;
      if (flags.dotAll) {
        emit({Regex::Step::Any, 0, 0, 0, 0, 0});
      } else {
        int32_t from = regex.rangeCount;
        addRange(0, '\n' - 1);
        addRange('\n' + 1, 0x10ffff);
        emit({Regex::Step::Class, 0, 0, 0, from, 2});
      }
      return;
    case '^':
      ++at;
      return assertion(flags.multiLine ? Regex::LineStart : Regex::TextStart);
    case '$':
      ++at;
      return assertion(flags.multiLine ? Regex::LineEnd : Regex::TextEnd);
    case '*':
    case '+':
    case '?':
      return fail("nothing to repeat");
    case '\\':
      ++at;
      return escape();
    default:
      return literal(character());
    }
  }

  void group(int depth) {
    Flags outer = flags;
    int32_t number = 0;
    if (take('?')) {
      if (take("P<") || take('<')) {
        number = regex.groupCount++;
        size_t name = at;
        while (more() && Regex::isWord(uint8_t(pattern.data[at])))
          ++at;
        if (name == at || !take('>'))
          return fail("a group's name is malformed");
      } else if (!setFlags()) {
        return; // flags for the rest of the enclosing group
      }
    } else {
      number = regex.groupCount++;
    }
    bool saved = number > 0 && number < Regex::maxGroups;
    if (saved)
      emit({Regex::Step::Save, 0, 0, uint32_t(2 * number), 0, 0});
    alternatives(depth + 1);
    if (!take(')'))
      return fail("a ')' is missing");
    if (saved)
      emit({Regex::Step::Save, 0, 0, uint32_t(2 * number + 1), 0, 0});
    flags = outer;
  }

  // After "(?": true when a group follows, false after "(?i)" and the like.
  bool setFlags() {
    bool on = true;
    for (; more(); ++at) {
      switch (pattern.data[at]) {
      case 'i':
        flags.fold = on;
        break;
      case 'm':
        flags.multiLine = on;
        break;
      case 's':
        flags.dotAll = on;
        break;
      case 'U':
        flags.ungreedy = on;
        break;
      case '-':
        if (!on) {
          fail("a group's flags are malformed");
          return false;
        }
        on = false;
        break;
      case ':':
        ++at;
        return true;
      case ')':
        ++at;
        return false;
      default:
        fail("a kind of group is not known");
        return false;
      }
    }
    fail("a ')' is missing");
    return false;
  }

  static int hexDigit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  }

  // The character that an escape stands for; at is behind the backslash.
  uint32_t escapedCharacter() {
    if (!more()) {
      fail("a backslash ends it");
      return 0;
    }
    char c = pattern.data[at];
    switch (c) {
    case 'a':
      return ++at, 7;
    case 'f':
      return ++at, 12;
    case 't':
      return ++at, 9;
    case 'n':
      return ++at, 10;
    case 'r':
      return ++at, 13;
    case 'v':
      return ++at, 11;
    case 'x': {
      ++at;
      uint32_t value = 0;
      bool braces = take('{');
      int count = 0;
      while (more() && (braces || count < 2)) {
        int digit = hexDigit(pattern.data[at]);
        if (digit < 0)
          break;
        value = value * 16 + uint32_t(digit);
        ++at;
        if (++count > 6)
          break;
      }
      if (!count || (braces ? !take('}') : count != 2) || value > 0x10ffff)
        fail("\\x is malformed");
      return value;
    }
    default:
      break;
    }
    if (c >= '0' && c <= '7') { // octal: \0 to \0377; \1 to \9 are references
      if (c != '0' && !(pattern.size - at >= 2 && pattern.data[at + 1] >= '0' &&
                        pattern.data[at + 1] <= '7')) {
        fail("references to groups are not supported");
        return 0;
      }
      uint32_t value = 0;
      for (int i = 0; i < 3 && more() && pattern.data[at] >= '0' &&
                      pattern.data[at] <= '7';
           ++i)
        value = value * 8 + uint32_t(pattern.data[at++] - '0');
      return value;
    }
    if (Regex::isWord(uint8_t(c)) && uint8_t(c) < 128 && c != '_') {
      fail("an escape is not known");
      return 0;
    }
    return character();
  }

  // Adds \d, \w, \s or their opposites; false when the escape is none of them.
  bool perlClass() {
    if (!more())
      return false;
    char c = pattern.data[at], kind = char(c | 32);
    if (kind != 'd' && kind != 'w' && kind != 's')
      return false;
    ++at;
    static const Regex::Range digit[] = {{'0', '9'}},
                              word[] = {{'0', '9'},
                                        {'A', 'Z'},
                                        {'_', '_'},
                                        {'a', 'z'}},
                              space[] = {{9, 10}, {12, 13}, {32, 32}};
    if (kind == 'd')
      addRanges(digit, 1, c == 'D');
    else if (kind == 'w')
      addRanges(word, 4, c == 'W');
    else
      addRanges(space, 3, c == 'S');
    return true;
  }

  // Ranges in ascending order, or all between them.
  void addRanges(const Regex::Range *list, int count, bool negate) {
    uint32_t next = 0;
    for (int i = 0; i < count; ++i) {
      if (!negate)
        addRange(list[i].first, list[i].last);
      else if (list[i].first > next)
        addRange(next, list[i].first - 1);
      next = list[i].last + 1;
    }
    if (negate)
      addRange(next, 0x10ffff);
  }

  void escape() {
    if (!more())
      return fail("a backslash ends it");
    char c = pattern.data[at];
    int32_t from = regex.rangeCount;
    if (perlClass()) {
      emit({Regex::Step::Class, 0, 0, 0, from, regex.rangeCount - from});
      return;
    }
    switch (c) {
    case 'A':
      ++at;
      return assertion(Regex::TextStart);
    case 'z':
      ++at;
      return assertion(Regex::TextEnd);
    case 'b':
      ++at;
      return assertion(Regex::Boundary);
    case 'B':
      ++at;
      return assertion(Regex::NoBoundary);
    case 'p':
    case 'P':
      return fail("Unicode classes are not supported");
    default:
      return literal(escapedCharacter());
    }
  }

  // [:alpha:] and the like inside of brackets.
  bool posixClass() {
    struct Named {
      const char *name;
      Regex::Range ranges[4];
      int count;
    };
    static const Named names[] = {
        {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, 3},
        {"alpha", {{'A', 'Z'}, {'a', 'z'}}, 2},
        {"ascii", {{0, 127}}, 1},
        {"blank", {{9, 9}, {32, 32}}, 2},
        {"cntrl", {{0, 31}, {127, 127}}, 2},
        {"digit", {{'0', '9'}}, 1},
        {"graph", {{33, 126}}, 1},
        {"lower", {{'a', 'z'}}, 1},
        {"print", {{32, 126}}, 1},
        {"punct", {{33, 47}, {58, 64}, {91, 96}, {123, 126}}, 4},
        {"space", {{9, 13}, {32, 32}}, 2},
        {"upper", {{'A', 'Z'}}, 1},
        {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, 4},
        {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, 3}};
    if (!take("[:"))
      return false;
    bool negate = take('^');
    for (const Named &named : names) {
      size_t length = strlen(named.name);
      if (pattern.size - at < length + 2 ||
          memcmp(pattern.data + at, named.name, length) ||
          memcmp(pattern.data + at + length, ":]", 2))
        continue;
      at += length + 2;
      addRanges(named.ranges, named.count, negate);
      return true;
    }
    fail("a class is not known");
    return true;
  }

  void bracket() {
    int32_t from = regex.rangeCount;
    bool negate = take('^'), first = true;
    for (; more() && (first || pattern.data[at] != ']'); first = false) {
      if (pattern.data[at] == '[' && posixClass())
        continue;
      if (take('\\')) {
        if (perlClass())
          continue;
        if (more() && (pattern.data[at] == 'p' || pattern.data[at] == 'P'))
          return fail("Unicode classes are not supported");
        range(escapedCharacter());
        continue;
      }
      range(character());
    }
    if (!take(']'))
      return fail("a ']' is missing");
    if (flags.fold)
      foldRanges(from);
    if (negate)
      negateRanges(from);
    emit({Regex::Step::Class, 0, 0, 0, from, regex.rangeCount - from});
  }

  void range(uint32_t low) {
    if (pattern.size - at < 2 || pattern.data[at] != '-' ||
        pattern.data[at + 1] == ']')
      return addRange(low, low);
    ++at;
    uint32_t high = take('\\') ? escapedCharacter() : character();
    if (high < low)
      return fail("a range is empty");
    addRange(low, high);
  }

  void foldRanges(int32_t from) {
    for (int32_t i = from, end = regex.rangeCount; i < end && !failed; ++i)
      for (uint32_t c = 'A'; c <= 'Z'; ++c) {
        Regex::Range range = regex.ranges[i];
        bool upper = c >= range.first && c <= range.last,
             lower = (c | 32) >= range.first && (c | 32) <= range.last;
        if (upper != lower)
          addRange(upper ? c | 32 : c, upper ? c | 32 : c);
      }
  }

  void negateRanges(int32_t from) {
    if (failed)
      return;
    Regex::Range *list = regex.ranges + from;
    int32_t count = regex.rangeCount - from;
    for (int32_t i = 1; i < count; ++i)
      for (int32_t k = i; k > 0 && list[k].first < list[k - 1].first; --k) {
        Regex::Range swapped = list[k];
        list[k] = list[k - 1];
        list[k - 1] = swapped;
      }
    int32_t old = regex.rangeCount;
    uint32_t next = 0;
    for (int32_t i = 0; i < count && !failed; ++i) {
      Regex::Range range = regex.ranges[from + i];
      if (range.first > next)
        addRange(next, range.first - 1);
      if (range.last + 1 > next)
        next = range.last + 1;
    }
    if (next <= 0x10ffff)
      addRange(next, 0x10ffff);
    if (failed)
      return;
    memmove(regex.ranges + from, regex.ranges + old,
            sizeof(Regex::Range) * size_t(regex.rangeCount - old));
    regex.rangeCount -= old - from;
  }

  bool number(int64_t &value) {
    if (!more() || pattern.data[at] < '0' || pattern.data[at] > '9')
      return false;
    value = 0;
    while (more() && pattern.data[at] >= '0' && pattern.data[at] <= '9') {
      value = value * 10 + (pattern.data[at++] - '0');
      if (value > 100000)
        value = 100000;
    }
    return true;
  }

  // {n}, {n,} and {n,m}; anything else is literal braces.
  bool bounds(int64_t &least, int64_t &most) {
    size_t start = at;
    if (take('{') && number(least)) {
      most = least;
      if (take(',')) {
        most = -1;
        number(most);
      }
      if (take('}'))
        return true;
    }
    at = start;
    return false;
  }

  void repeat(int32_t first) {
    bool repeated = false;
    while (more()) {
      int64_t least = 0, most = -1;
      if (take('*')) {
      } else if (take('+')) {
        least = 1;
      } else if (take('?')) {
        most = 1;
      } else if (!bounds(least, most)) {
        return;
      }
      bool lazy = take('?') != flags.ungreedy;
      if (least > 1000 || most > 1000)
        return fail("a number of repetitions is above 1000");
      if (most >= 0 && most < least)
        return fail("a number of repetitions is malformed");
      if (repeated)
        return fail("a repetition is repeated");
      repeated = true;
      copies(first, least, most, lazy);
    }
  }

  // The piece from `first` on: `least` to `most` times.
  void copies(int32_t first, int64_t least, int64_t most, bool lazy) {
    if (failed)
      return;
    int32_t length = regex.stepCount - first;
    if (least == 0 && most == 0) {
      regex.stepCount = first;
      return;
    }
    // A copy of the piece, kept while the program grows.
    Regex::Step *piece = regex.call.array<Regex::Step>(length);
    if (!piece) {
      failed = true;
      return;
    }
    if (length)
      memcpy(piece, regex.steps + first, sizeof(Regex::Step) * size_t(length));
    regex.stepCount = first;
    auto paste = [&] {
      int32_t moved = regex.stepCount - first;
      for (int32_t i = 0; i < length && !failed; ++i) {
        int32_t place = emit(piece[i]);
        if (failed)
          return;
        regex.steps[place].next = piece[i].next + moved;
        regex.steps[place].other = piece[i].other + moved;
      }
    };
    auto split = [&] { return emit({Regex::Step::Split, 0, 0, 0, 0, 0}); };
    // The way out of a split is known when the piece is written.
    auto setExit = [&](int32_t step, int32_t exit) {
      if (failed)
        return;
      Regex::Step &made = regex.steps[step];
      made.other = exit;
      if (lazy) {
        made.other = made.next;
        made.next = exit;
      }
    };
    for (int64_t i = 0; i + 1 < least; ++i)
      paste();
    if (most < 0) {
      int32_t loop = regex.stepCount;
      if (least > 0) { // piece, then back or out
        paste();
        int32_t step = split();
        if (failed)
          return;
        regex.steps[step].next = loop;
        setExit(step, regex.stepCount);
        return;
      }
      int32_t step = split();
      paste();
      int32_t jump = emit({Regex::Step::Jump, 0, 0, 0, 0, 0});
      if (failed)
        return;
      regex.steps[jump].next = loop;
      setExit(step, regex.stepCount);
      return;
    }
    if (least > 0)
      paste();
    // The rest is nested: each copy may be the last.
    int32_t optional = int32_t(most - least);
    int32_t *exits = regex.call.array<int32_t>(optional);
    for (int32_t i = 0; i < optional && exits && !failed; ++i) {
      exits[i] = split();
      paste();
    }
    for (int32_t i = 0; i < optional && exits && !failed; ++i)
      setExit(exits[i], regex.stepCount);
  }

  Regex &regex;
  tenon_string pattern;
  size_t at = 0;
  Flags flags;
  bool failed = false;
};

} // namespace

bool Regex::parse(tenon_string pattern) {
  return Compiler(*this, pattern).run();
}

} // namespace tenon
