// Comma-separated lines.
#include "host/Element.h"
#include "host/Host.h"

namespace tenon {

namespace {
// Gives the fields of one line.
struct Fields {
  HostCall &call;
  tenon_string line;
  char delimiter;
  bool quotes;
  size_t at = 0;
  bool done = false;

  // Unquoted text is a part of the line; quoted text that holds quotes is
  // copied. False at the end, and after a failure.
  bool next(tenon_string &field) {
    if (done)
      return false;
    if (quotes && at < line.size && line.data[at] == '"')
      return quoted(field);
    size_t start = at;
    while (at < line.size && line.data[at] != delimiter) {
      char c = line.data[at];
      if (quotes && (c == '"' || c == '\n' || c == '\r'))
        return call.fail("unquoted fields cannot have quotes or line breaks "
                         "inside");
      ++at;
    }
    field = {line.data + start, at - start};
    separator();
    return true;
  }

private:
  void separator() {
    if (at < line.size)
      ++at; // a delimiter: a field follows, even if it is empty
    else
      done = true;
  }

  bool quoted(tenon_string &field) {
    Bytes text(call);
    for (++at; at < line.size; ++at) {
      if (line.data[at] != '"') {
        text.add(line.data[at]);
        continue;
      }
      if (at + 1 < line.size && line.data[at + 1] == '"') {
        text.add('"');
        ++at;
        continue;
      }
      ++at;
      if (at < line.size && line.data[at] != delimiter)
        return call.fail("a quote inside of a string has to be escaped by "
                         "another one");
      separator();
      field = {text.data ? text.data : "", size_t(text.size)};
      return !text.failed;
    }
    return call.fail("a quoted field has to end with a quote");
  }
};
} // namespace

TENON_HOST(decode_csv) {
  int64_t lines = call.inSize(0), columns = call.size("columns");
  int32_t results = call.outputCount;
  tenon_string missing = call.text("missing");
  for (int64_t i = 0; i < lines; ++i) {
    Fields fields{call, call.strings(0)[i], *call.text("delimiter").data,
                  call.flag("quotes")};
    tenon_string field;
    int32_t taken = 0;
    // A trailing line break ends the record.
    while (fields.line.size &&
           (fields.line.data[fields.line.size - 1] == '\n' ||
            fields.line.data[fields.line.size - 1] == '\r'))
      --fields.line.size;
    for (int64_t column = 0; fields.next(field); ++column) {
      if (columns) {
        if (taken == results || column != call.integer("columns", taken))
          continue;
      } else if (taken == results) {
        return call.fail("expect %d fields but have more in record %lld",
                         results, (long long)i);
      }
      const tenon_tensor &given = call.inputs[1 + taken];
      tenon_tensor &result = call.outputs[taken];
      int64_t bytes = result.dtype.bits / 8;
      char *to = static_cast<char *>(result.data) + i * bytes;
      if (!field.size || equal(field, missing)) {
        if (!call.count(given))
          return call.fail("field %d is required but missing in record %lld",
                           taken, (long long)i);
        memcpy(to, given.data, size_t(bytes));
      } else if (result.dtype.code == TENON_STRING) {
        memcpy(to, &field, sizeof field);
      } else if (!parseNumber(field, result.dtype, to)) {
        return call.fail("field %d in record %lld is not a valid %s: %.*s",
                         taken, (long long)i, dtypeName(result.dtype),
                         int(field.size < 100 ? field.size : 100), field.data);
      }
      ++taken;
    }
    if (call.instance.status)
      return false;
    if (taken != results)
      return call.fail("expect %d fields but have %d in record %lld", results,
                       taken, (long long)i);
  }
  return true;
}

} // namespace tenon
