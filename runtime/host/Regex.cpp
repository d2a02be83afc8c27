// The machine that runs a Regex's program, and the ops that use it.
#include "host/Regex.h"
#include "host/Utf8.h"

namespace tenon {

// The ways that are followed at one position, in order of preference.
struct Regex::Threads {
  int32_t count;
  int32_t *steps;
  int64_t *groups;   // 2 * maxGroups for each
  int64_t *lastSeen; // position + 1 at which a step was added last
};

bool Regex::compile(tenon_string pattern) {
  if (!parse(pattern))
    return false;
  for (Threads *&pool : pools) {
    pool = call.array<Threads>(1);
    if (!pool)
      return false;
    pool->steps = call.array<int32_t>(stepCount);
    pool->groups = call.array<int64_t>(int64_t(stepCount) * 2 * maxGroups);
    pool->lastSeen = call.array<int64_t>(stepCount);
    if (!pool->steps || !pool->groups || !pool->lastSeen)
      return false;
  }
  // A step's alternative and the saved groups that go with it.
  stack = call.array<int64_t>(int64_t(stepCount) * 2 * 3 + 8);
  return stack != nullptr;
}

// Adds all steps that read a character and can be reached from `at`. A
// Save is undone when the ways behind it are done.
void Regex::follow(Threads &into, int32_t start, tenon_string text,
                   int64_t position, const int64_t *groups) {
  int64_t now[2 * maxGroups];
  memcpy(now, groups, sizeof now);
  int64_t *top = stack;
  auto push = [&](int64_t kind, int64_t a, int64_t b) {
    *top++ = a;
    *top++ = b;
    *top++ = kind;
  };
  push(0, start, 0);
  while (top != stack) {
    int64_t kind = *--top, b = *--top, a = *--top;
    if (kind == 1) { // a group as it was
      now[a] = b;
      continue;
    }
    int32_t at = int32_t(a);
    for (bool on = true; on;) {
      if (into.lastSeen[at] == position + 1)
        break;
      into.lastSeen[at] = position + 1;
      const Step &step = steps[at];
      switch (step.kind) {
      case Step::Jump:
        at = step.next;
        break;
      case Step::Split:
        push(0, step.other, 0);
        at = step.next;
        break;
      case Step::Save:
        push(1, step.value, now[step.value]);
        now[step.value] = position;
        at = step.next;
        break;
      case Step::Assert: {
        int64_t size = int64_t(text.size);
        bool before = position > 0 && isWord(uint8_t(text.data[position - 1])),
             after = position < size && isWord(uint8_t(text.data[position]));
        switch (step.value) {
        case TextStart:
          on = position == 0;
          break;
        case TextEnd:
          on = position == size;
          break;
        case LineStart:
          on = position == 0 || text.data[position - 1] == '\n';
          break;
        case LineEnd:
          on = position == size || text.data[position] == '\n';
          break;
        case Boundary:
          on = before != after;
          break;
        default:
          on = before == after;
        }
        at = step.next;
        break;
      }
      default:
        into.steps[into.count] = at;
        memcpy(into.groups + int64_t(into.count) * 2 * maxGroups, now,
               sizeof now);
        ++into.count;
        on = false;
      }
    }
  }
}

bool Regex::match(tenon_string text, int64_t from, bool whole,
                  int64_t (&groups)[2 * maxGroups]) {
  for (Threads *pool : pools) {
    pool->count = 0;
    memset(pool->lastSeen, 0, sizeof(int64_t) * size_t(stepCount));
  }
  int64_t none[2 * maxGroups];
  for (int64_t &group : none)
    group = -1;
  Threads *now = pools[0], *next = pools[1];
  bool found = false;
  int64_t size = int64_t(text.size);
  for (int64_t position = from;;) {
    // A new way starts here unless one was found or must begin at the start.
    if (!found && (!whole || position == from))
      follow(*now, 0, text, position, none);
    if (!now->count && (found || whole))
      break;
    size_t behind = size_t(position);
    uint32_t c = badCharacter;
    if (position < size) {
      c = decodeUtf8(text, behind);
      if (c == badCharacter)
        c = 0xfffd;
    }
    next->count = 0;
    for (int32_t i = 0; i < now->count; ++i) {
      const Step &step = steps[now->steps[i]];
      const int64_t *own = now->groups + int64_t(i) * 2 * maxGroups;
      if (step.kind == Step::Match) {
        if (whole && position != size)
          continue;
        memcpy(groups, own, sizeof groups);
        found = true;
        break; // ways of less preference are given up
      }
      bool fits = position < size;
      if (fits && step.kind == Step::Char)
        fits = c == step.value;
      if (fits && step.kind == Step::Class) {
        fits = false;
        for (int32_t r = 0; r < step.rangeCount && !fits; ++r) {
          Range range = ranges[step.ranges + r];
          fits = c >= range.first && c <= range.last;
        }
      }
      if (fits)
        follow(*next, step.next, text, int64_t(behind), own);
    }
    now->count = 0;
    Threads *swapped = now;
    now = next;
    next = swapped;
    if (position >= size)
      break;
    position = int64_t(behind);
  }
  return found;
}

// Adds the rewrite of a match: \0 to \9 are its groups. Ends
// where it is malformed, as RE2 does.
static void addRewrite(Bytes &to, tenon_string rewrite, tenon_string text,
                       const int64_t *groups) {
  for (size_t i = 0; i < rewrite.size; ++i) {
    if (rewrite.data[i] != '\\') {
      to.add(rewrite.data[i]);
      continue;
    }
    char c = ++i < rewrite.size ? rewrite.data[i] : 0;
    if (c == '\\') {
      to.add('\\');
    } else if (c >= '0' && c <= '9') {
      int64_t first = groups[2 * (c - '0')], last = groups[2 * (c - '0') + 1];
      if (first >= 0 && last >= first)
        to.add(text.data + first, last - first);
    } else {
      return;
    }
  }
}

TENON_HOST(regex_replace) {
  Regex regex(call);
  if (!regex.compile(*call.strings(1)))
    return false;
  tenon_string rewrite = *call.strings(2);
  // A rewrite that asks for a group that the pattern lacks changes nothing; nor
  // does a malformed one of the first match.
  bool all = call.flag("all"), idle = false;
  for (size_t i = 0; i < rewrite.size; ++i) {
    if (rewrite.data[i] != '\\')
      continue;
    char c = ++i < rewrite.size ? rewrite.data[i] : 0;
    bool digit = c >= '0' && c <= '9';
    idle |= digit ? c - '0' >= regex.groupCount : c != '\\' && !all;
  }
  StringWriter writer(call, 0);
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i) {
    tenon_string text = call.strings(0)[i];
    int64_t groups[2 * Regex::maxGroups],
        done = 0, from = 0, size = int64_t(text.size), lastEnd = -1;
    while (!idle && from <= size && regex.match(text, from, false, groups)) {
      writer.add(text.data + done, groups[0] - done);
      done = groups[0];
      // An empty match right behind another one is none.
      bool empty = groups[0] == groups[1];
      if (!empty || groups[0] != lastEnd) {
        addRewrite(writer, rewrite, text, groups);
        done = lastEnd = groups[1];
        if (!all)
          break;
      }
      from = groups[1];
      if (empty) { // one character on
        if (from >= size)
          break;
        size_t behind = size_t(from);
        (void)decodeUtf8(text, behind);
        from = int64_t(behind);
      }
    }
    writer.add(text.data + done, size - done);
    writer.end();
  }
  return writer.finish();
}

TENON_HOST(regex_match) {
  Regex regex(call);
  if (!regex.compile(*call.strings(1)))
    return false;
  int64_t groups[2 * Regex::maxGroups];
  for (int64_t i = 0, count = call.inSize(0); i < count; ++i)
    call.out<bool>(0)[i] = regex.match(call.strings(0)[i], 0, true, groups);
  return true;
}

} // namespace tenon
