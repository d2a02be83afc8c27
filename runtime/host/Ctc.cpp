// Connectionist temporal classification over inputs [time, batch, classes].
#include "host/Element.h"
#include "host/Host.h"

#include <math.h>

namespace tenon {

namespace {

const double never = -__builtin_inf();

// With single precision of the smaller term, as TensorFlow's for all types.
double logSum(double a, double b) {
  if (a == never)
    return b;
  if (b == never)
    return a;
  return a > b ? a + double(log1pf(expf(float(b - a))))
               : b + double(log1pf(expf(float(a - b))));
}

void store(const tenon_tensor &tensor, int64_t i, double value) {
  storeFloat(tensor.dtype,
             static_cast<char *>(tensor.data) + i * (tensor.dtype.bits / 8),
             value);
}

// The inputs and how long each sequence is.
struct Sequences {
  HostCall &call;
  const tenon_tensor &input;
  int64_t steps, batch, classes;

  explicit Sequences(HostCall &call)
      : call(call), input(call.inputs[0]), steps(input.shape[0]),
        batch(input.shape[1]), classes(input.shape[2]) {}

  int64_t length(int32_t operand, int64_t b) const {
    return call.in<int32_t>(operand)[b];
  }
  bool check(int32_t operand) {
    if (classes < 1)
      return call.fail("there are no classes");
    for (int64_t b = 0; b < batch; ++b)
      if (length(operand, b) < 0 || length(operand, b) > steps)
        return call.fail("sequence_length(%lld) is %lld, there are %lld steps",
                         (long long)b, (long long)length(operand, b),
                         (long long)steps);
    return true;
  }
  int64_t place(int64_t t, int64_t b, int64_t c) const {
    return (t * batch + b) * classes + c;
  }
  double at(int64_t t, int64_t b, int64_t c) const {
    return realAt(input, place(t, b, c));
  }
  // log(sum(exp)) of a step.
  double total(int64_t t, int64_t b) const {
    double most = never, sum = 0;
    for (int64_t c = 0; c < classes; ++c)
      most = at(t, b, c) > most ? at(t, b, c) : most;
    for (int64_t c = 0; c < classes; ++c)
      sum += exp(at(t, b, c) - most);
    return most + log(sum);
  }
};

// Labels of all sequences, gathered and then written as a sparse matrix.
struct Labels {
  Bytes values, counts;
  explicit Labels(HostCall &call) : values(call), counts(call) {}

  void add(int64_t label) { values.add(&label, 8); }
  void end(int64_t own) { counts.add(&own, 8); }

  bool write(HostCall &call, int32_t indices, int32_t value, int32_t shape) {
    int64_t total = values.size / 8, rows = counts.size / 8, most = 0, done = 0;
    if (values.failed || counts.failed || !call.allocate(indices, total, 2) ||
        !call.allocate(value, total))
      return false;
    const auto *lengths = reinterpret_cast<const int64_t *>(counts.data);
    for (int64_t b = 0; b < rows; ++b) {
      for (int64_t i = 0; i < lengths[b]; ++i, ++done) {
        call.out<int64_t>(indices)[2 * done] = b;
        call.out<int64_t>(indices)[2 * done + 1] = i;
      }
      most = lengths[b] > most ? lengths[b] : most;
    }
    if (total)
      memcpy(call.out(value), values.data, size_t(8 * total));
    call.out<int64_t>(shape)[0] = rows;
    call.out<int64_t>(shape)[1] = most;
    return true;
  }
};

} // namespace

TENON_HOST(ctc_greedy) {
  Sequences all(call);
  if (!all.check(1))
    return false;
  int64_t blank = call.integer("blank");
  if (blank < 0)
    blank += all.classes;
  if (blank < 0 || blank >= all.classes)
    return call.fail("blank index is outside of [0, %lld)",
                     (long long)all.classes);
  Labels labels(call);
  for (int64_t b = 0; b < all.batch; ++b) {
    int64_t previous = -1, own = 0;
    double score = 0;
    for (int64_t t = 0; t < all.length(1, b); ++t) {
      int64_t best = 0;
      for (int64_t c = 1; c < all.classes; ++c)
        if (all.at(t, b, c) > all.at(t, b, best))
          best = c;
      score -= all.at(t, b, best);
      if (all.input.dtype.bits == 32)
        score = float(score);
      if (best != blank && !(call.flag("merge") && best == previous)) {
        labels.add(best);
        ++own;
      }
      previous = best;
    }
    labels.end(own);
    store(call.outputs[3], b, score);
  }
  return labels.write(call, 0, 1, 2);
}

namespace {

// One sequence's labels with blanks between them, and the logarithmic
// probabilities of all ways through them.
struct Alignment {
  const Sequences &all;
  int64_t b, length, blank;
  int64_t *states, count;
  double *forward, *backward; // [time, state]
  double *scores;             // [time, classes], logarithmic

  // Whether a way may go from state s - 2 to s.
  bool skips(int64_t s, bool merge) const {
    return s > 1 && states[s] != blank &&
           !(merge && states[s] == states[s - 2]);
  }

  void run(bool merge) {
    for (int64_t t = 0; t < length; ++t) {
      double total = all.total(t, b);
      for (int64_t c = 0; c < all.classes; ++c)
        scores[t * all.classes + c] = all.at(t, b, c) - total;
    }
    auto score = [&](int64_t t, int64_t s) {
      return scores[t * all.classes + states[s]];
    };
    for (int64_t t = 0; t < length; ++t)
      for (int64_t s = 0; s < count; ++s) {
        double sum = never;
        if (!t) {
          sum = s < 2 ? 0 : never;
        } else {
          const double *before = forward + (t - 1) * count;
          sum = before[s];
          // Without merging, a label follows itself only through a blank or
          // as another one.
          if (!merge && states[s] != blank)
            sum = never;
          if (s)
            sum = logSum(sum, before[s - 1]);
          if (skips(s, merge))
            sum = logSum(sum, before[s - 2]);
        }
        forward[t * count + s] = sum + score(t, s);
      }
    for (int64_t t = length; t--;)
      for (int64_t s = 0; s < count; ++s) {
        double sum = never;
        if (t == length - 1) {
          sum = s >= count - 2 ? 0 : never;
        } else {
          const double *after = backward + (t + 1) * count;
          if (merge || states[s] == blank)
            sum = after[s] + score(t + 1, s);
          if (s + 1 < count)
            sum = logSum(sum, after[s + 1] + score(t + 1, s + 1));
          if (s + 2 < count && skips(s + 2, merge))
            sum = logSum(sum, after[s + 2] + score(t + 1, s + 2));
        }
        backward[t * count + s] = sum;
      }
  }

  double logProbability() const {
    double sum = never;
    for (int64_t s = 0; s < count; ++s)
      sum = logSum(sum, forward[s] + backward[s]);
    return sum;
  }
};

} // namespace

TENON_HOST(ctc_loss) {
  Sequences all(call);
  if (!all.check(3))
    return false;
  const int64_t *indices = call.in<int64_t>(1);
  const int32_t *labels = call.in<int32_t>(2);
  int64_t count = call.inSize(2), at = 0;
  bool first = call.flag("blank_first"), merge = call.flag("merge");
  int64_t blank = first ? 0 : all.classes - 1;
  if (call.inSize(1) != 2 * count)
    return call.fail("indices and labels do not fit each other");
  for (int64_t i = 0; i < count; ++i)
    if (indices[2 * i] < 0 || indices[2 * i] >= all.batch ||
        (i && indices[2 * i] < indices[2 * i - 2]))
      return call.fail("index %lld of the labels is out of range or order",
                       (long long)i);
  for (int64_t i = 0, size = call.outSize(1); i < size; ++i)
    store(call.outputs[1], i, 0);
  int64_t *states = call.array<int64_t>(2 * count + 1);
  double *scores = call.array<double>(all.steps * all.classes),
         *sums = call.array<double>(all.classes);
  double *ways = call.array<double>(2 * all.steps * (2 * count + 1));
  if (!states || !scores || !ways || !sums)
    return false;
  for (int64_t b = 0; b < all.batch; ++b) {
    int64_t length = all.length(3, b), size = 0, needed = 0;
    int32_t previous = -1;
    bool ended = false;
    int64_t given = at;
    states[size++] = blank;
    for (; at < count && indices[2 * at] == b; ++at) {
      int32_t label = labels[at];
      bool repeated = label == previous;
      previous = label;
      // With the blank last, labels from there on only fill up.
      if (!first && label >= blank) {
        ended = true;
        continue;
      }
      if (label < 0 || label >= all.classes || label == blank || ended)
        return call.fail("label %d of sequence %lld is outside of [0, %lld) or "
                         "stands behind a blank",
                         label, (long long)b, (long long)all.classes);
      if (repeated && call.flag("collapse"))
        continue;
      ++needed;
      states[size++] = label;
      states[size++] = blank;
    }
    if (given == at && !first)
      return call.fail("labels length is zero in batch %lld", (long long)b);
    if (needed > length) {
      if (!call.flag("ignore_longer"))
        return call.fail("not enough time for the labels of sequence %lld "
                         "(required: %lld, available: %lld)",
                         (long long)b, (long long)needed, (long long)length);
      store(call.outputs[0], b, 0);
      continue;
    }
    if (!length) {
      store(call.outputs[0], b, 0);
      continue;
    }
    Alignment alignment{all,    b,    length, blank,
                        states, size, ways,   ways + length * size,
                        scores};
    alignment.run(merge);
    double total = alignment.logProbability();
    store(call.outputs[0], b, -total);
    for (int64_t t = 0; t < length; ++t) {
      for (int64_t c = 0; c < all.classes; ++c)
        sums[c] = never;
      for (int64_t s = 0; s < size; ++s)
        sums[states[s]] =
            logSum(sums[states[s]], alignment.forward[t * size + s] +
                                        alignment.backward[t * size + s]);
      for (int64_t c = 0; c < all.classes; ++c)
        store(call.outputs[1], all.place(t, b, c),
              exp(scores[t * all.classes + c]) -
                  (sums[c] == never ? 0 : exp(sums[c] - total)));
    }
  }
  return true;
}

namespace {

// A beam search. Beams form a tree: each is a label behind its parent's.
struct Beam {
  Beam *parent, *children, *sibling;
  int64_t label;
  double total, blank, ending; // now: all, ending in a blank, in the label
  double oldTotal, oldBlank, oldEnding;
  int64_t order; // when it was pushed: ties go to the older one

  bool active() const { return total != never; }
  void reset() { total = blank = ending = never; }
};

struct Search {
  const Sequences &all;
  int64_t b, width, count = 0, pushed = 0;
  Beam **leaves; // the best ones, descending
  bool failed = false;

  Beam *make(Beam *parent, int64_t label) {
    Beam *beam = all.call.array<Beam>(1);
    if (!beam) {
      failed = true;
      return nullptr;
    }
    *beam = {parent, nullptr, nullptr, label, never, never,
             never,  never,   never,   never, 0};
    if (parent) {
      beam->sibling = parent->children;
      parent->children = beam;
    }
    return beam;
  }

  Beam *child(Beam *parent, int64_t label) {
    for (Beam *beam = parent->children; beam; beam = beam->sibling)
      if (beam->label == label)
        return beam;
    return make(parent, label);
  }

  void push(Beam *beam) {
    beam->order = pushed++;
    int64_t at = count < width ? count++ : width - 1;
    for (; at > 0 && leaves[at - 1]->total < beam->total; --at)
      leaves[at] = leaves[at - 1];
    leaves[at] = beam;
  }

  bool candidate(double total) const {
    return total > never && (count < width || total > leaves[count - 1]->total);
  }

  void step(int64_t t, Beam **branches) {
    double norm = all.total(t, b);
    int64_t blank = all.classes - 1, former = count;
    memcpy(branches, leaves, sizeof(Beam *) * size_t(count));
    count = 0;
    for (int64_t i = 0; i < former; ++i) {
      Beam &beam = *branches[i];
      beam.oldTotal = beam.total;
      beam.oldBlank = beam.blank;
      beam.oldEnding = beam.ending;
    }
    for (int64_t i = 0; i < former; ++i) {
      Beam &beam = *branches[i];
      if (beam.parent) {
        if (beam.parent->active()) {
          double before = beam.label == beam.parent->label
                              ? beam.parent->oldBlank
                              : beam.parent->oldTotal;
          beam.ending = logSum(beam.ending, before);
        }
        beam.ending += all.at(t, b, beam.label) - norm;
      }
      beam.blank = beam.oldTotal + all.at(t, b, blank) - norm;
      beam.total = logSum(beam.blank, beam.ending);
      push(&beam);
    }
    for (int64_t i = 0; i < former && !failed; ++i) {
      Beam &beam = *branches[i];
      if (!candidate(beam.oldTotal))
        continue;
      for (int64_t label = 0; label < blank && !failed; ++label) {
        Beam *next = child(&beam, label);
        if (!next || next->active())
          continue;
        double before = label == beam.label ? beam.oldBlank : beam.oldTotal;
        next->blank = never;
        next->total = next->ending = all.at(t, b, label) - norm + before;
        if (!candidate(next->total)) {
          next->reset();
          next->oldTotal = next->oldBlank = next->oldEnding = never;
          continue;
        }
        if (count == width)
          leaves[width - 1]->reset();
        push(next);
      }
    }
  }
};

} // namespace

TENON_HOST(ctc_beam) {
  Sequences all(call);
  if (!all.check(1))
    return false;
  int64_t width = call.integer("width"), paths = call.integer("paths");
  // No more than all label sequences are ever kept.
  Beam **leaves = call.array<Beam *>(2 * width);
  Labels *labels = call.array<Labels>(paths);
  if (!leaves || !labels)
    return false;
  const Labels none(call);
  for (int64_t p = 0; p < paths; ++p)
    memcpy(static_cast<void *>(labels + p), &none, sizeof none);
  for (int64_t b = 0; b < all.batch; ++b) {
    Search search{all, b, width, 0, 0, leaves, false};
    Beam *root = search.make(nullptr, -1);
    if (!root)
      return false;
    root->total = root->blank = 0;
    search.push(root);
    for (int64_t t = 0; t < all.length(1, b) && !search.failed; ++t)
      search.step(t, leaves + width);
    if (search.failed)
      return false;
    if (search.count < paths)
      return call.fail("sequence %lld has fewer than %lld paths", (long long)b,
                       (long long)paths);
    for (int64_t p = 0; p < paths; ++p) {
      int64_t own = 0, previous = -1;
      for (Beam *beam = leaves[p]; beam->parent; beam = beam->parent) {
        own += !call.flag("merge") || beam->label != previous;
        previous = beam->label;
      }
      int64_t *sequence = call.array<int64_t>(own), left = own;
      if (!sequence)
        return false;
      previous = -1;
      for (Beam *beam = leaves[p]; beam->parent; beam = beam->parent) {
        if (!call.flag("merge") || beam->label != previous)
          sequence[--left] = beam->label;
        previous = beam->label;
      }
      for (int64_t i = 0; i < own; ++i)
        labels[p].add(sequence[i]);
      labels[p].end(own);
      store(call.outputs[3 * paths], b * paths + p, leaves[p]->total);
    }
  }
  for (int64_t p = 0; p < paths; ++p)
    if (!labels[p].write(call, int32_t(p), int32_t(paths + p),
                         int32_t(2 * paths + p)))
      return false;
  return true;
}

} // namespace tenon
