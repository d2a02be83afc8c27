// Tensors as TensorFlow prints them: Print's form (the first elements) and
// tf.print's (both ends of each dimension).
#include "host/Element.h"
#include "host/Host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

namespace tenon {

namespace {

struct Printer {
  Bytes &to;
  const tenon_tensor &tensor;
  bool quotes; // around strings

  // As short as printing and reading back allows, of two lengths.
  void number(double value, bool wide) {
    char text[40];
    snprintf(text, sizeof text, "%.*g", wide ? 15 : 6, value);
    bool same = wide ? strtod(text, nullptr) == value
                     : strtof(text, nullptr) == float(value);
    if (same || value != value)
      to.add(value != value ? "nan" : text);
    else
      to.print("%.*g", wide ? 17 : 9, value);
  }

  void text(tenon_string text) {
    if (quotes)
      to.add('"');
    for (size_t i = 0; i < text.size; ++i) {
      char c = text.data[i];
      const char *place = c ? strchr("\n\r\t\"'\\", c) : nullptr;
      if (place) {
        to.add('\\');
        to.add("nrt\"'\\"[place - strchr("\n\r\t\"'\\", '\n')]);
      } else if (uint8_t(c) >= 128 && quotes) {
        to.add(c); // UTF-8 stays readable
      } else if (uint8_t(c) < 32 || uint8_t(c) >= 127) {
        to.print("\\%03o", unsigned(uint8_t(c)));
      } else {
        to.add(c);
      }
    }
    if (quotes)
      to.add('"');
  }

  void element(int64_t i) {
    switch (tensor.dtype.code) {
    case TENON_STRING:
      return text(static_cast<const tenon_string *>(tensor.data)[i]);
    case TENON_BOOL:
    case TENON_INT:
      return to.print("%lld", (long long)integerAt(tensor, i));
    case TENON_UINT:
      return to.print("%llu", (unsigned long long)integerAt(tensor, i));
    default:
      return number(realAt(tensor, i), tensor.dtype.bits == 64);
    }
  }

  // The first `limit` elements.
  void first(int32_t dim, int64_t limit, int64_t &index) {
    if (index >= limit)
      return;
    int64_t size = tensor.shape[dim];
    if (dim == tensor.ndim - 1) {
      for (int64_t i = 0; i < size; ++i) {
        if (index >= limit) {
          if (dim != 0)
            to.add("...");
          return;
        }
        if (i)
          to.add(' ');
        element(index++);
      }
      return;
    }
    for (int64_t i = 0; i < size && index < limit; ++i) {
      to.add('[');
      first(dim + 1, limit, index);
      to.add(']');
    }
  }

  // Complex numbers are not shown.
  void unknown(int64_t limit) {
    for (int64_t i = 0; i < limit; ++i)
      to.add(i ? " ?" : "?");
  }

  void summary(int64_t most) {
    int64_t count = to.call.count(tensor), index = 0;
    int64_t limit = most < 0 || most > count ? count : most;
    if (tensor.dtype.code == TENON_COMPLEX) {
      unknown(limit);
    } else if (!tensor.ndim) {
      if (limit)
        element(0);
    } else {
      first(0, limit, index);
    }
    if (count > limit)
      to.add("...");
  }

  void space(int32_t dim) {
    if (dim == tensor.ndim - 1)
      return to.add(' ');
    for (int32_t i = 0; i < tensor.ndim - dim - 1; ++i)
      to.add('\n');
    for (int32_t i = 0; i <= dim; ++i)
      to.add(' ');
  }

  // `ends` elements at both ends of each dimension.
  void both(int32_t dim, int64_t ends, int64_t index) {
    if (dim == tensor.ndim)
      return element(index);
    int64_t size = tensor.shape[dim], step = 1;
    for (int32_t i = dim + 1; i < tensor.ndim; ++i)
      step *= tensor.shape[i];
    to.add('[');
    for (int64_t i = 0; i < size && i < ends; ++i) {
      if (i)
        space(dim);
      both(dim + 1, ends, index + i * step);
    }
    if (size > 2 * ends) {
      space(dim);
      to.add("...");
    }
    for (int64_t i = size - ends > ends ? size - ends : ends; i < size; ++i) {
      space(dim);
      both(dim + 1, ends, index + i * step);
    }
    to.add(']');
  }

  void full(int64_t ends) {
    int64_t count = to.call.count(tensor);
    int64_t limit = ends < 0 || ends > count ? count : ends;
    if (tensor.dtype.code != TENON_COMPLEX)
      return both(0, limit, 0);
    to.add('[');
    unknown(limit);
    to.add(count > limit ? "...]" : "]");
  }
};

bool writeTo(HostCall &call, int file, const Bytes &bytes) {
  for (int64_t done = 0; done < bytes.size;) {
    ssize_t count = write(file, bytes.data + done, size_t(bytes.size - done));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return call.fail("cannot write: %s", strerror(errno));
    done += count;
  }
  return true;
}

struct Counter : Resource {
  int64_t count;
};

} // namespace

TENON_HOST(print) {
  int64_t limit = call.integer("first_n");
  if (limit >= 0) {
    tenon_string name = {call.node, strlen(call.node)};
    auto *counter = static_cast<Counter *>(
        findResource(call.instance, name, []() -> Resource * {
          auto *made = static_cast<Counter *>(calloc(1, sizeof(Counter)));
          if (made)
            made->destroy = [](Resource *resource) { free(resource); };
          return made;
        }));
    if (!counter)
      return false;
    if (counter->count >= limit)
      return true;
    ++counter->count;
  }
  Bytes line(call);
  line.add(call.text("message"));
  for (int32_t i = 0; i < call.inputCount; ++i) {
    line.add('[');
    Printer{line, call.inputs[i], false}.summary(call.integer("summarize"));
    line.add(']');
  }
  line.add('\n');
  return !line.failed && writeTo(call, STDERR_FILENO, line);
}

TENON_HOST(print_text) {
  tenon_string stream = call.text("stream");
  Bytes line(call);
  line.add(*call.strings(0));
  line.add(call.text("end"));
  if (line.failed)
    return false;
  if (stream.size > 7 && !memcmp(stream.data, "file://", 7)) {
    Bytes path(call);
    path.add(stream.data + 7, int64_t(stream.size - 7));
    path.add('\0');
    if (path.failed)
      return false;
    int file = open(path.data, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0)
      return call.fail("%s: %s", path.data, strerror(errno));
    bool good = writeTo(call, file, line);
    close(file);
    return good;
  }
  fflush(stdout);
  return writeTo(call, equal(stream, "stdout") ? STDOUT_FILENO : STDERR_FILENO,
                 line);
}

TENON_HOST(string_format) {
  tenon_string format = call.text("format"),
               placeholder = call.text("placeholder");
  StringWriter writer(call, 0);
  int32_t used = 0;
  for (size_t i = 0; i < format.size;) {
    bool found = placeholder.size && i + placeholder.size <= format.size &&
                 !memcmp(format.data + i, placeholder.data, placeholder.size);
    if (!found) {
      writer.add(format.data[i++]);
      continue;
    }
    i += placeholder.size;
    if (used < call.inputCount)
      Printer{writer, call.inputs[used], true}.full(call.integer("summarize"));
    ++used;
  }
  if (used != call.inputCount)
    return call.fail("the template has %d placeholders, expected %d", used,
                     call.inputCount);
  writer.end();
  return writer.finish();
}

} // namespace tenon
