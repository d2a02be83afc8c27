// .npy and .npz: what NumPy writes is read, what is written is read back, and
// damage of any kind is an error.
#include "io/Npy.h"
#include "io/Npz.h"
#include <gtest/gtest.h>
#include <random>
#include <string.h>
#include <string>

namespace {

using namespace tenon;

std::string npy(const std::string &dictionary, const std::string &data,
                int version = 1) {
  std::string header = dictionary + "\n";
  std::string file = "\x93NUMPY";
  file += char(version);
  file += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    file += char(header.size() >> (8 * i));
  return file + header + data;
}

std::string dictionary(const std::string &descr, const std::string &shape,
                       const std::string &order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order +
         ", 'shape': " + shape + ", }";
}

struct FilesTest : testing::Test {
  Array array = {};
  Message message = {};
  void TearDown() override { array.release(); }
  bool read(const std::string &file) {
    array.release();
    // A copy of exactly this size, so that reading beyond it shows.
    char *copy = static_cast<char *>(malloc(file.size()));
    memcpy(copy, file.data(), file.size());
    bool good = readNpy(copy, file.size(), array, message);
    free(copy);
    return good;
  }
  void expectError(const std::string &file, const char *text) {
    EXPECT_FALSE(read(file));
    EXPECT_STREQ(message.text, text);
  }
  template <typename T> T at(int64_t i) {
    return reinterpret_cast<T *>(array.data)[i];
  }
};

TEST_F(FilesTest, ReadsVersionsAndOrders) {
  std::string six("\1\2\3\4\5\6", 6);
  for (int version : {1, 2, 3}) {
    ASSERT_TRUE(read(npy(dictionary("|u1", "(2, 3)"), six, version)))
        << message.text;
    ASSERT_EQ(array.rank, 2);
    EXPECT_EQ(array.shape[1], 3);
    EXPECT_EQ(at<uint8_t>(1), 2);
  }
  ASSERT_TRUE(read(npy(dictionary("|u1", "(2, 3)", "True"), six)));
  EXPECT_EQ(at<uint8_t>(1), 3);
  EXPECT_EQ(at<uint8_t>(3), 2);
  ASSERT_TRUE(read(npy(dictionary(">i2", "(3,)"), six)));
  EXPECT_EQ(at<int16_t>(0), 0x102);
  ASSERT_TRUE(read(npy(dictionary("<i2", "(3,)"), six)));
  EXPECT_EQ(at<int16_t>(0), 0x201);
  ASSERT_TRUE(read(
      npy(dictionary(">c8", "()"), std::string("\x3f\x80\0\0\xc0\0\0\0", 8))));
  EXPECT_EQ(array.rank, 0);
  EXPECT_EQ(at<float>(0), 1);
  EXPECT_EQ(at<float>(1), -2);
  // Keys in any order, other quotes, odd blanks, and long integers of Python 2.
  ASSERT_TRUE(read(npy("{ \"shape\":(2L ,3L),'fortran_order' :False,"
                       "\"descr\": \"|b1\"}",
                       six)))
      << message.text;
  EXPECT_EQ(array.dtype.code, TENON_BOOL);
  EXPECT_EQ(at<uint8_t>(5), 1);
  ASSERT_TRUE(read(npy(dictionary("<f8", "(0, 7)"), "")));
  EXPECT_EQ(array.count, 0);
}

TEST_F(FilesTest, ReadsStringsAndBfloat16) {
  ASSERT_TRUE(
      read(npy(dictionary("|S3", "(2,)"), std::string("a\0\0b\0c", 6))));
  EXPECT_EQ(array.dtype.code, TENON_STRING);
  EXPECT_EQ(array.string(0).size, 1u);
  EXPECT_EQ(std::string(array.string(1).data, 3), std::string("b\0c", 3));
  ASSERT_TRUE(read(npy(dictionary("|S0", "(2,)"), "")));
  EXPECT_EQ(array.string(1).size, 0u);
  ASSERT_TRUE(read(npy(dictionary("|V2", "(1,)"), std::string("\x80\x3f", 2))));
  EXPECT_EQ(array.dtype.code, TENON_BFLOAT);
  EXPECT_EQ(loadFloat(array, 0), 1);
}

TEST_F(FilesTest, SaysWhatIsWrong) {
  expectError("hello", "not an .npy file");
  expectError("PK\3\4xxxxxxxx", "not an .npy file");
  expectError(npy("{}", "", 9), "unknown .npy version 9.0");
  expectError(npy(dictionary("<f4", "(2,)"), "1234567"),
              "the file ends early: the array needs 8 bytes, 7 follow its "
              "header");
  expectError(npy(dictionary("|O", "(2,)"), ""),
              "object arrays are not supported");
  expectError(npy(dictionary("<U3", "(2,)"), ""),
              "text of dtype '<U3' is not supported: save bytes, for example "
              "array.astype('S')");
  expectError(npy(dictionary("<f16", "(2,)"), ""),
              "dtype '<f16' is not supported");
  expectError(npy(dictionary("<M8[ns]", "(2,)"), ""),
              "dtype '<M8[ns]' is not supported");
  expectError(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': "
                  "(), }",
                  ""),
              "structured dtypes are not supported");
  expectError(npy(dictionary("<f4", "(99999999999999999999,)"), ""),
              "damaged .npy header at 'shape'");
  expectError(npy(dictionary("<f4", "(4611686018427387904, 4)"), ""),
              "the array's shape is too large");
  expectError(npy(dictionary("<f4", "(-1,)"), ""),
              "damaged .npy header at 'shape'");
  expectError(npy(dictionary("<f4", "(3)"), ""),
              "damaged .npy header at 'shape'");
  expectError(npy("{'descr': '<f4', 'shape': (), }", ""),
              "incomplete .npy header");
  expectError(npy("[]", ""), "not an .npy header");
  expectError(npy("{'descr': '<f4', 'descr': '<f4'}", ""),
              "damaged .npy header at 'descr'");
  std::string cut = npy(dictionary("<f4", "()"), "abcd");
  expectError(cut.substr(0, 40), ".npy file ends inside its header");
}

// Collects an archive.
bool append(void *context, const void *bytes, size_t size) {
  static_cast<std::string *>(context)->append(static_cast<const char *>(bytes),
                                              size);
  return true;
}

std::string archive(std::initializer_list<std::string> files) {
  std::string out;
  NpzWriter writer{append, &out, {}};
  int number = 0;
  for (const std::string &file : files) {
    Array array;
    Message message;
    EXPECT_TRUE(readNpy(file.data(), file.size(), array, message));
    EXPECT_TRUE(writer.add(("a" + std::to_string(number++)).c_str(), array));
    array.release();
  }
  EXPECT_TRUE(writer.finish());
  return out;
}

TEST_F(FilesTest, WritesWhatItReads) {
  std::string numbers(48, 0);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = char(i * 7);
  std::string out =
      archive({npy(dictionary("<f4", "(3, 4)"), numbers),
               npy(dictionary("|S3", "(2,)"), std::string("abcd\0\0", 6)),
               npy(dictionary("<f8", "(0,)"), ""),
               npy(dictionary("<c16", "()"), numbers.substr(16))});
  Npz npz;
  ASSERT_TRUE(npz.open(out.data(), out.size(), message)) << message.text;
  EXPECT_EQ(npz.count, 4u);
  Npz::Entry entry;
  ASSERT_TRUE(npz.find("a0", entry));
  ASSERT_TRUE(npz.read(entry, array, message)) << message.text;
  EXPECT_EQ(array.shape[1], 4);
  EXPECT_EQ(memcmp(array.data, numbers.data(), 48), 0);
  array.release();
  ASSERT_TRUE(npz.find("a1", entry));
  ASSERT_TRUE(npz.read(entry, array, message));
  EXPECT_EQ(std::string(array.string(0).data, array.string(0).size), "abc");
  EXPECT_FALSE(npz.find("a4", entry));
  EXPECT_FALSE(npz.find("a", entry));
  // The same results give the same bytes.
  EXPECT_EQ(out,
            archive({npy(dictionary("<f4", "(3, 4)"), numbers),
                     npy(dictionary("|S3", "(2,)"), std::string("abcd\0\0", 6)),
                     npy(dictionary("<f8", "(0,)"), ""),
                     npy(dictionary("<c16", "()"), numbers.substr(16))}));
}

TEST_F(FilesTest, FindsWrongChecksums) {
  std::string out = archive({npy(dictionary("<f4", "(1,)"), "abcd")});
  out[out.find("abcd")] = 'x';
  Npz npz;
  Npz::Entry entry;
  ASSERT_TRUE(npz.open(out.data(), out.size(), message));
  ASSERT_TRUE(npz.find("a0", entry));
  EXPECT_FALSE(npz.read(entry, array, message));
  EXPECT_STREQ(message.text, "wrong checksum");
}

TEST_F(FilesTest, ComputesChecksums) {
  EXPECT_EQ(crc32("123456789", 9), 0xcbf43926u);
  EXPECT_EQ(crc32("", 0), 0u);
}

// Reads everything in an archive, errors or not.
int readAll(const std::string &bytes) {
  char *copy = static_cast<char *>(malloc(bytes.size() + 1));
  memcpy(copy, bytes.data(), bytes.size());
  char *end =
      static_cast<char *>(realloc(copy, bytes.size() ? bytes.size() : 1));
  Npz npz;
  Message message;
  int good = 0;
  if (npz.open(end, bytes.size(), message)) {
    Npz::Entry entry;
    for (uint64_t cursor = 0; npz.next(cursor, entry, message);) {
      Array array = {};
      good += npz.read(entry, array, message);
      array.release();
    }
  }
  free(end);
  return good;
}

std::string readFixture(const char *name) {
  std::string path = std::string(FIXTURES) + "/" + name, bytes;
  FILE *file = fopen(path.c_str(), "rb");
  EXPECT_TRUE(file) << path;
  char buffer[4096];
  for (size_t n; (n = fread(buffer, 1, sizeof buffer, file));)
    bytes.append(buffer, n);
  fclose(file);
  return bytes;
}

// Changes bytes that are likely to matter: small and extreme numbers.
void damage(std::string &bytes, std::mt19937 &random) {
  const int values[] = {0, 1, 255, 127, 128, '(', ')', '9', '-', '\''};
  switch (random() % 8) {
  case 0:
    bytes.resize(random() % (bytes.size() + 1));
    return;
  case 1:
    bytes.insert(random() % (bytes.size() + 1), 1 + random() % 9,
                 char(values[random() % 10]));
    return;
  default:
    for (unsigned i = 0; i < 1 + random() % 4 && !bytes.empty(); ++i)
      bytes[random() % bytes.size()] =
          char(random() % 2 ? values[random() % 10] : random());
  }
}

TEST_F(FilesTest, SurvivesDamagedNpy) {
  std::mt19937 random(2);
  for (int round = 0; round < 30000; ++round) {
    const char *types[] = {"<f4", ">i8", "|S5", "|V2", "<c8", "|b1"};
    std::string file = npy(dictionary(types[random() % 6], "(2, 3)",
                                      random() % 2 ? "True" : "False"),
                           std::string(48, char(random())), 1 + round % 3);
    damage(file, random);
    read(file);
  }
}

TEST_F(FilesTest, SurvivesDamagedNpz) {
  std::string stored = archive({npy(dictionary("<f4", "(3,)"), "0123456789ab"),
                                npy(dictionary("|S3", "(2,)"), "abcdef")});
  std::string deflated = readFixture("deflated.npz");
  EXPECT_EQ(readAll(stored), 2);
  EXPECT_EQ(readAll(deflated), 2);
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    std::string file = round % 2 ? stored : deflated;
    damage(file, random);
    readAll(file);
  }
}

// NumPy's archives with 64-bit sizes everywhere, as zipfile writes them.
TEST_F(FilesTest, ReadsSixtyFourBitSizes) {
  EXPECT_EQ(readAll(readFixture("zip64.npz")), 2);
}

} // namespace
