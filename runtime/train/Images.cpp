// Data in a folder of images: a folder per class, whose number is its place
// among their names in order. Images are decoded when a batch needs them, by
// libpng and libjpeg, loaded when there are such files, and resized as
// Keras does it.
#include "io/Fail.h"
#include "io/Tensor.h"
#include "train/Data.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

namespace tenon::train {

namespace {

struct File {
  const char *path;
  int32_t label;
};

struct ImageSource : Source {
  Text files; // of File
  Field *fields;
  int32_t image, label; // fields
  int64_t height, width, channels;
  Text pixels, row; // an image, and one in the field's size
};

// The part of libpng's simplified interface that is needed.
struct PngImage {
  void *opaque;
  uint32_t version, width, height, format, flags, colors, failed;
  char message[64];
};

struct PngLibrary {
  int (*begin)(PngImage *, const void *, size_t);
  int (*finish)(PngImage *, const void *background, void *buffer,
                int32_t stride, void *colors);
};

// libjpeg's decoder, of the interface's version 62: the fields that are needed
// at their places, and how long it is.
struct alignas(8) Jpeg {
  void *errors;
  char between[40];
  uint32_t width, height; // of the file
  int components;
  int fileColors, colors; // what is read, what is wanted
  char scale[28];
  int transform; // 1: the fast one
  char more[68];
  uint32_t line; // to be read next
  char rest[632 - 172];
};

static_assert(offsetof(Jpeg, colors) == 64 && offsetof(Jpeg, transform) == 96 &&
              offsetof(Jpeg, line) == 168 && sizeof(Jpeg) == 632);

struct JpegErrors {
  void (*exit)(Jpeg *);
  void (*emit)(Jpeg *, int level);
  void (*output)(Jpeg *);
  void (*format)(Jpeg *, char *text);
  char rest[168 - 32];
  const char *path;
};

struct JpegLibrary {
  void *(*setErrors)(JpegErrors *);
  void (*create)(Jpeg *, int version, size_t size);
  void (*setSource)(Jpeg *, const uint8_t *, unsigned long);
  int (*readHeader)(Jpeg *, int);
  int (*start)(Jpeg *);
  uint32_t (*readLines)(Jpeg *, uint8_t **, uint32_t);
  int (*finish)(Jpeg *);
  void (*destroy)(Jpeg *);
};

void *load(const char *name, const char *package, const char *path) {
  void *library = dlopen(name, RTLD_NOW);
  if (!library)
    fail("%s: reading it needs %s: install the package %s", path, name,
         package);
  return library;
}

[[noreturn]] void missingFunction(const char *path) {
  fail("%s: the library that reads it lacks a function", path);
}

const PngLibrary &pngLibrary(const char *path) {
  static PngLibrary library;
  if (library.begin)
    return library;
  void *handle = load("libpng16.so.16", "libpng16-16", path);
  library.finish = reinterpret_cast<decltype(library.finish)>(
      dlsym(handle, "png_image_finish_read"));
  library.begin = reinterpret_cast<decltype(library.begin)>(
      dlsym(handle, "png_image_begin_read_from_memory"));
  if (!library.begin || !library.finish)
    missingFunction(path);
  return library;
}

const JpegLibrary &jpegLibrary(const char *path) {
  static JpegLibrary library;
  if (library.setErrors)
    return library;
  void *handle = load("libjpeg.so.62", "libjpeg62-turbo", path);
  const char *names[] = {"jpeg_std_error",         "jpeg_CreateDecompress",
                         "jpeg_mem_src",           "jpeg_read_header",
                         "jpeg_start_decompress",  "jpeg_read_scanlines",
                         "jpeg_finish_decompress", "jpeg_destroy_decompress"};
  // All are pointers to functions, in this order.
  void *functions[8];
  for (int i = 0; i < 8; ++i)
    if (!(functions[i] = dlsym(handle, names[i])))
      missingFunction(path);
  static_assert(sizeof library == sizeof functions);
  memcpy(static_cast<void *>(&library), functions, sizeof library);
  return library;
}

// Room for an image's pixels, none of which is left of another one.
uint8_t *makeRoom(ImageSource &source, const char *path, uint64_t width,
                  uint64_t height) {
  if (!width || !height || width > 1 << 16 || height > 1 << 16)
    fail("%s: an image of %llu times %llu pixels", path,
         (unsigned long long)height, (unsigned long long)width);
  uint64_t bytes = width * height * uint64_t(source.channels);
  source.pixels.size = 0;
  auto *room = reinterpret_cast<uint8_t *>(source.pixels.grow(bytes));
  source.pixels.size = bytes;
  return room;
}

uint8_t *decodeJpeg(ImageSource &source, const char *path, Bytes bytes,
                    int64_t &height, int64_t &width) {
  const JpegLibrary &library = jpegLibrary(path);
  Jpeg jpeg = {};
  JpegErrors errors = {};
  jpeg.errors = library.setErrors(&errors);
  errors.path = path;
  errors.exit = [](Jpeg *failed) {
    auto *own = static_cast<JpegErrors *>(failed->errors);
    char text[200];
    own->format(failed, text);
    fail("%s: damaged JPEG: %s", own->path, text);
  };
  errors.emit = [](Jpeg *, int) {}; // warnings
  library.create(&jpeg, 62, sizeof jpeg);
  library.setSource(&jpeg, reinterpret_cast<const uint8_t *>(bytes.data),
                    bytes.size);
  library.readHeader(&jpeg, 1);
  // Gray, RGB, RGBA.
  jpeg.colors = source.channels == 1 ? 1 : source.channels == 3 ? 2 : 12;
  jpeg.transform = 1; // as TensorFlow does
  uint8_t *pixels = makeRoom(source, path, jpeg.width, jpeg.height);
  height = jpeg.height;
  width = jpeg.width;
  library.start(&jpeg);
  while (jpeg.line < jpeg.height) {
    uint8_t *line = pixels + int64_t(jpeg.line) * width * source.channels;
    if (!library.readLines(&jpeg, &line, 1))
      fail("%s: damaged JPEG", path);
  }
  library.finish(&jpeg);
  library.destroy(&jpeg);
  return pixels;
}

// An image's pixels, in the channels that are wanted; sets its sizes.
const uint8_t *decode(ImageSource &source, const char *path, int64_t &height,
                      int64_t &width) {
  Bytes bytes = mapData(path);
  uint8_t *pixels = nullptr;
  if (bytes.size > 8 && !memcmp(bytes.data, "\x89PNG", 4)) {
    const PngLibrary &library = pngLibrary(path);
    PngImage image = {};
    image.version = 1;
    if (!library.begin(&image, bytes.data, bytes.size))
      fail("%s: damaged PNG: %s", path, image.message);
    // 0: gray; 1: and opacity; 2: red, green, blue; 3: and opacity.
    image.format = uint32_t(source.channels - 1);
    pixels = makeRoom(source, path, image.width, image.height);
    height = image.height;
    width = image.width;
    if (!library.finish(&image, "\0\0\0", pixels, 0, nullptr))
      fail("%s: damaged PNG: %s", path, image.message);
  } else if (bytes.size > 3 && !memcmp(bytes.data, "\xff\xd8\xff", 3)) {
    pixels = decodeJpeg(source, path, bytes, height, width);
  } else {
    fail("%s: neither PNG nor JPEG", path);
  }
  munmap(const_cast<char *>(bytes.data), bytes.size);
  return pixels;
}

// Where a pixel of the result lies between two of the image.
struct Place {
  int64_t low, high;
  float part;

  Place(int64_t index, int64_t from, int64_t to) {
    float scale = float(from) / float(to);
    float at = (float(index) + 0.5f) * scale - 0.5f;
    low = at > 0 ? int64_t(at) : 0;
    high = low + 1 < from ? low + 1 : from - 1;
    part = at > 0 ? at - float(low) : 0;
  }
};

void storeImage(const ImageSource &source, const uint8_t *pixels,
                int64_t height, int64_t width, char *to) {
  const Field &field = source.fields[source.image];
  tenon_dtype dtype = field.spec->dtype;
  int64_t channels = source.channels;
  if (height == source.height && width == source.width) {
    const tenon_dtype byte = {TENON_UINT, 8, 1};
    if (sameDtype(dtype, byte))
      memcpy(to, pixels, field.bytes);
    else
      convertElements(byte, reinterpret_cast<const char *>(pixels), dtype, to,
                      field.elements, true);
    return;
  }
  int64_t index = 0;
  for (int64_t i = 0; i < source.height; ++i) {
    Place y(i, height, source.height);
    for (int64_t j = 0; j < source.width; ++j) {
      Place x(j, width, source.width);
      for (int64_t c = 0; c < channels; ++c) {
        auto at = [&](int64_t row, int64_t column) {
          return float(pixels[(row * width + column) * channels + c]);
        };
        float top =
            at(y.low, x.low) + (at(y.low, x.high) - at(y.low, x.low)) * x.part;
        float bottom = at(y.high, x.low) +
                       (at(y.high, x.high) - at(y.high, x.low)) * x.part;
        storeElement(field, to, index++, double(top + (bottom - top) * y.part));
      }
    }
  }
}

void fetchImages(Source &base, const uint32_t *order, int64_t first,
                 int64_t count, char *const *buffers) {
  ImageSource &source = static_cast<ImageSource &>(base);
  for (int64_t i = 0; i < count; ++i) {
    int64_t row = order ? order[i] : first + i;
    const File &file = reinterpret_cast<const File *>(source.files.data)[row];
    int64_t height, width;
    const uint8_t *pixels = decode(source, file.path, height, width);
    const Field &image = source.fields[source.image];
    storeImage(source, pixels, height, width,
               buffers[source.image] + size_t(i) * image.bytes);
    const Field &label = source.fields[source.label];
    char *to = buffers[source.label] + size_t(i) * label.bytes;
    // The class, or a 1 at its place.
    for (int64_t k = 0; k < label.elements; ++k)
      storeElement(label, to, k,
                   label.elements == 1 ? file.label : k == file.label);
  }
}

bool isImage(const char *name) {
  const char *dot = strrchr(name, '.');
  return dot && (!strcasecmp(dot, ".png") || !strcasecmp(dot, ".jpg") ||
                 !strcasecmp(dot, ".jpeg"));
}

// The names in a folder, in order. Of images, or of anything else.
const char **listFolder(const char *folder, bool images, int32_t &count) {
  DIR *entries = opendir(folder);
  if (!entries)
    fail("%s: %s", folder, strerror(errno));
  Text list; // of const char *
  count = 0;
  while (dirent *entry = readdir(entries)) {
    if (*entry->d_name == '.' || isImage(entry->d_name) != images)
      continue;
    Text path;
    path.print("%s/%s", folder, entry->d_name);
    const char *text = path.terminated();
    list.add(&text, sizeof text);
    ++count;
  }
  closedir(entries);
  if (count)
    qsort(list.data, size_t(count), sizeof(char *),
          [](const void *a, const void *b) {
            return strcmp(*static_cast<const char *const *>(a),
                          *static_cast<const char *const *>(b));
          });
  return reinterpret_cast<const char **>(list.data);
}

} // namespace

Source *openImages(const DataSpec &spec, Field *fields, const char *folder) {
  ImageSource &source =
      *static_cast<ImageSource *>(allocate(sizeof(ImageSource)));
  source.fields = fields;
  source.isCostly = true;
  source.fetch = fetchImages;
  source.image = source.label = -1;
  int32_t others = 0;
  for (int32_t i = 0; i < spec.fieldCount; ++i)
    if (fields[i].role == Weight)
      setRowShape(fields[i], 0, nullptr);
    else if (fields[i].role == Target)
      source.label = i;
    else
      source.image = i, ++others;
  if (others != 1 || spec.targets != 1)
    fail("%s: a folder of images is for one input and one target; the model "
         "has %d and %d",
         folder, others, spec.targets);

  int32_t classes;
  const char **names = listFolder(folder, false, classes);
  for (int32_t i = 0; i < classes; ++i) {
    int32_t count;
    const char **paths = listFolder(names[i], true, count);
    for (int32_t k = 0; k < count; ++k) {
      File file = {paths[k], i};
      source.files.add(&file, sizeof file);
    }
    source.rows += count;
  }
  if (!source.rows)
    fail("%s: there are no images (.png, .jpg) in folders of classes", folder);

  Field &image = fields[source.image], &label = fields[source.label];
  char type[512];
  const TensorSpec &wanted = *image.spec;
  // Height, width, channels; without channels it is gray.
  source.channels = wanted.rank == 4 && wanted.shape[3] >= 0 ? wanted.shape[3]
                    : wanted.rank == 4                       ? 3
                                                             : 1;
  if (wanted.rank < 3 || wanted.rank > 4 || wanted.dtype.code == TENON_STRING ||
      (source.channels != 1 && source.channels != 3 && source.channels != 4))
    fail("%s: images do not fit '%s', which is %s", folder, wanted.name,
         describeField(image, type, sizeof type));
  // Unknown sizes are those of the first image; all are resized to them.
  int64_t sizes[3] = {wanted.shape[1], wanted.shape[2], source.channels};
  if (sizes[0] < 0 || sizes[1] < 0) {
    int64_t height, width;
    decode(source, reinterpret_cast<const File *>(source.files.data)->path,
           height, width);
    sizes[0] = sizes[0] < 0 ? height : sizes[0];
    sizes[1] = sizes[1] < 0 ? width : sizes[1];
  }
  source.height = sizes[0];
  source.width = sizes[1];
  if (!setRowShape(image, wanted.rank - 1, sizes))
    fail("%s: images do not fit '%s', which is %s", folder, wanted.name,
         describeField(image, type, sizeof type));
  int64_t classCount = classes;
  bool single = setRowShape(label, 0, &classCount) && label.elements == 1;
  if (!single && !setRowShape(label, 1, &classCount))
    fail("%s: there are %d classes; '%s' is %s", folder, classes,
         label.spec->name, describeField(label, type, sizeof type));
  image.present = label.present = true;
  return &source;
}

} // namespace tenon::train
