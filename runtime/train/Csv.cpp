// Data in a CSV file with a header. The file is mapped; where its rows begin is
// all that is kept of it.
#include "io/Fail.h"
#include "io/Tensor.h"
#include "train/Data.h"

#include <stdlib.h>
#include <string.h>

namespace tenon::train {

namespace {

// What a column feeds.
struct Column {
  Text name;
  int32_t field; // -1: nothing
  int64_t element;
};

struct CsvSource : Source {
  const char *path;
  const char *end; // of the file
  Text starts;     // of const char *: the rows
  Field *fields;
  Column *columns;
  int32_t columnCount;
  Text scratch; // a cell's text
};

// A cell: its text without quotes, and what follows it.
struct Cell {
  const char *text;
  size_t size;
  bool isLast; // of its row
};

// Steps over a cell. `scratch` holds the text of cells with doubled quotes.
Cell takeCell(const char *&at, const char *end, Text &scratch) {
  Cell cell = {at, 0, false};
  if (at != end && *at == '"') {
    scratch.size = 0;
    for (++at; at != end; ++at) {
      if (*at == '"' && (at + 1 == end || at[1] != '"'))
        break;
      at += *at == '"';
      scratch.add(at, 1);
    }
    at += at != end;
    cell.text = scratch.data;
    cell.size = scratch.size;
  }
  const char *start = at;
  while (at != end && *at != ',' && *at != '\n')
    ++at;
  if (!scratch.size || cell.text != scratch.data) {
    cell.text = start;
    cell.size = size_t(at - start);
    if (cell.size && at[-1] == '\r')
      --cell.size;
  }
  cell.isLast = at == end || *at == '\n';
  at += at != end;
  return cell;
}

// A number; false when the text is none.
bool readNumber(const char *text, size_t size, double &value) {
  while (size && (*text == ' ' || *text == '\t'))
    ++text, --size;
  while (size && (text[size - 1] == ' ' || text[size - 1] == '\t'))
    --size;
  // Few digits are a whole number by a power of ten, exactly.
  static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const char *at = text, *end = text + size;
  bool negative = at != end && *at == '-';
  at += negative;
  int64_t digits = 0;
  int count = 0, fraction = 0;
  bool point = false;
  for (; at != end; ++at)
    if (*at >= '0' && *at <= '9') {
      digits = digits * 10 + (*at - '0');
      fraction += point;
      if (++count > 15)
        break;
    } else if (*at == '.' && !point) {
      point = true;
    } else {
      break;
    }
  if (at == end && count) {
    value = double(digits) / powers[fraction];
    value = negative ? -value : value;
    return true;
  }
  char copy[64];
  if (!size || size >= sizeof copy)
    return false;
  memcpy(copy, text, size);
  copy[size] = 0;
  char *rest;
  value = strtod(copy, &rest);
  if (rest == copy + size)
    return true;
  value = !strcmp(copy, "true") || !strcmp(copy, "True");
  return value != 0 || !strcmp(copy, "false") || !strcmp(copy, "False");
}

void fetchRows(Source &base, const uint32_t *order, int64_t first,
               int64_t count, char *const *buffers) {
  CsvSource &source = static_cast<CsvSource &>(base);
  auto *starts = reinterpret_cast<const char *const *>(source.starts.data);
  Text &scratch = source.scratch;
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = order ? order[i] : first + i;
    const char *at = starts[row];
    for (int32_t c = 0; c < source.columnCount; ++c) {
      const Column &column = source.columns[c];
      Cell cell = takeCell(at, source.end, scratch);
      if (cell.isLast != (c + 1 == source.columnCount))
        fail("%s: row %lld: expected %d values, got %s", source.path,
             (long long)row + 1, source.columnCount,
             cell.isLast ? "fewer" : "more");
      if (column.field < 0)
        continue;
      const Field &field = source.fields[column.field];
      double value;
      if (!readNumber(cell.text, cell.size, value) ||
          !storeElement(field, buffers[column.field] + size_t(i) * field.bytes,
                        column.element, value))
        fail("%s: row %lld, column '%s': expected a number of %s, got '%.*s'",
             source.path, (long long)row + 1, column.name.data,
             dtypeName(field.spec->dtype), int(cell.size), cell.text);
    }
  }
}

struct Opener {
  const DataSpec &spec;
  Field *fields;
  const char *path;
  CsvSource &source;

  // The number in a name like x_0, x.0, x/0, x[0] or x0 of an array x, or -1.
  static int64_t elementOf(const char *name, const char *array) {
    size_t length = strlen(array);
    if (strncmp(name, array, length))
      return -1;
    name += length;
    if (*name && strchr("_./[:", *name))
      ++name;
    if (*name < '0' || *name > '9')
      return -1;
    char *end;
    uint64_t number = strtoull(name, &end, 10);
    return (!*end || !strcmp(end, "]")) && number < uint64_t(1) << 40
               ? int64_t(number)
               : -1;
  }

  // Gives a field the columns of its name. False when there are none.
  bool takeNamed(int32_t number) {
    Field &field = fields[number];
    const char *name = field.spec->name;
    int64_t found = 0, lowest = INT64_MAX;
    for (int32_t i = 0; i < source.columnCount; ++i) {
      Column &column = source.columns[i];
      int64_t element = !strcmp(column.name.data, name)
                            ? 0
                            : elementOf(column.name.data, name);
      if (column.field >= 0 || element < 0)
        continue;
      column.field = number;
      column.element = element;
      lowest = element < lowest ? element : lowest;
      ++found;
    }
    if (!found)
      return false;
    // Columns may be counted from 0 or 1; all must be there.
    setSize(field, found);
    for (int32_t i = 0; i < source.columnCount; ++i)
      if (source.columns[i].field == number) {
        source.columns[i].element -= lowest;
        if (source.columns[i].element >= field.elements)
          fail("%s: column '%s' lies outside of '%s'", path,
               source.columns[i].name.data, name);
      }
    return true;
  }

  // The last unknown size of a row follows from the number of columns.
  void setSize(Field &field, int64_t columns) {
    int64_t shape[maxRank], known = 1;
    int32_t rank = field.spec->rank - 1, open = -1;
    for (int32_t i = 0; i < rank; ++i) {
      shape[i] = field.spec->shape[i + 1];
      if (shape[i] < 0)
        shape[open = i] = 1;
      known *= shape[i];
    }
    if (open >= 0 && known)
      shape[open] = columns / known;
    char type[512];
    if (!setRowShape(field, rank, shape) || field.elements != columns)
      fail("%s: '%s' is %s, but there are %lld columns for it", path,
           field.spec->name, describeField(field, type, sizeof type),
           (long long)columns);
    field.present = true;
  }

  // Gives a field all columns that are left.
  bool takeRest(int32_t number, int32_t rest) {
    if (!rest)
      return false;
    setSize(fields[number], rest);
    int64_t element = 0;
    for (int32_t i = 0; i < source.columnCount; ++i)
      if (source.columns[i].field < 0) {
        source.columns[i].field = number;
        source.columns[i].element = element++;
      }
    return true;
  }

  [[noreturn]] void missing(const Field &field) {
    Text names;
    for (int32_t i = 0; i < source.columnCount && i < 40; ++i)
      names.print(i ? ", %s" : "%s", source.columns[i].name.data);
    char type[512];
    fail("%s: there is no column for '%s' (%s); there are: %s", path,
         field.spec->name, describeField(field, type, sizeof type),
         names.terminated());
  }

  void chooseColumns() {
    // Exact names first: "x1" may be a name and not the second one of x.
    for (int32_t f = 0; f < spec.fieldCount; ++f)
      for (int32_t i = 0; i < source.columnCount; ++i)
        if (!strcmp(source.columns[i].name.data, fields[f].spec->name) &&
            !fields[f].present) {
          setSize(fields[f], 1);
          source.columns[i].field = f;
        }
    int32_t missingCount = 0, last = -1;
    for (int32_t f = 0; f < spec.fieldCount; ++f) {
      if (fields[f].present || takeNamed(f))
        continue;
      if (fields[f].role == Weight) {
        setRowShape(fields[f], 0, nullptr);
        continue;
      }
      ++missingCount;
      last = f;
    }
    int32_t rest = 0;
    for (int32_t i = 0; i < source.columnCount; ++i)
      rest += source.columns[i].field < 0;
    // One array may be all columns that are left.
    if (missingCount > 1 || (missingCount && !takeRest(last, rest)))
      missing(fields[last]);
  }

  void readHeader(const char *&at) {
    Text scratch, list; // of Column
    for (bool isLast = false; !isLast;) {
      Cell cell = takeCell(at, source.end, scratch);
      Column column = {{}, -1, 0};
      column.name.add(cell.text, cell.size);
      column.name.terminated();
      list.add(&column, sizeof column);
      isLast = cell.isLast;
    }
    source.columns = reinterpret_cast<Column *>(list.data);
    source.columnCount = int32_t(list.size / sizeof(Column));
  }

  Source *run() {
    Bytes bytes = mapData(path);
    source.path = path;
    source.fields = fields;
    source.end = bytes.data + bytes.size;
    source.isStream = source.isCostly = true;
    source.fetch = fetchRows;
    const char *at = bytes.data;
    if (bytes.size > 3 && !memcmp(at, "\xef\xbb\xbf", 3))
      at += 3; // a byte order mark
    readHeader(at);
    chooseColumns();
    bool isQuoted = false, isStart = true;
    for (; at != source.end; ++at) {
      if (isStart && *at != '\n' && *at != '\r') {
        source.starts.add(&at, sizeof at);
        isStart = false;
      }
      isQuoted ^= *at == '"';
      isStart |= *at == '\n' && !isQuoted;
    }
    source.rows = int64_t(source.starts.size / sizeof at);
    return &source;
  }
};

} // namespace

Source *openCsv(const DataSpec &spec, Field *fields, const char *path) {
  return Opener{spec, fields, path,
                *static_cast<CsvSource *>(allocate(sizeof(CsvSource)))}
      .run();
}

} // namespace tenon::train
