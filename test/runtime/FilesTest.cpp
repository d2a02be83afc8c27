// .npy and .npz: what NumPy writes is read, what is written is read back, and
// damage of any kind is an error.
#include "TestFail.h"
#include "io/File.h"
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

// A copy of exactly this size, so that reading beyond it shows.
struct Exact {
  char *data;
  explicit Exact(const std::string &bytes)
      : data(static_cast<char *>(malloc(bytes.size() ? bytes.size() : 1))) {
    memcpy(data, bytes.data(), bytes.size());
  }
  ~Exact() { free(data); }
};

struct FilesTest : testing::Test {
  tenon_tensor array = {};
  std::string failure;
  bool read(const std::string &file) {
    Exact copy(file);
    failure = failureOf([&] { array = readNpy(copy.data, file.size()); });
    return failure.empty();
  }
  void expectError(const std::string &file, const char *text) {
    EXPECT_FALSE(read(file));
    EXPECT_EQ(failure, text);
  }
  template <typename T> T at(int64_t i) {
    return static_cast<T *>(array.data)[i];
  }
};

TEST_F(FilesTest, ReadsVersionsAndOrders) {
  std::string six("\1\2\3\4\5\6", 6);
  for (int version : {1, 2, 3}) {
    ASSERT_TRUE(read(npy(dictionary("|u1", "(2, 3)"), six, version)))
        << failure;
    ASSERT_EQ(array.ndim, 2);
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
  EXPECT_EQ(array.ndim, 0);
  EXPECT_EQ(at<float>(0), 1);
  EXPECT_EQ(at<float>(1), -2);
  // Keys in any order, other quotes, odd blanks, and long integers of Python 2.
  ASSERT_TRUE(read(npy("{ \"shape\":(2L ,3L),'fortran_order' :False,"
                       "\"descr\": \"|b1\"}",
                       six)))
      << failure;
  EXPECT_EQ(array.dtype.code, TENON_BOOL);
  EXPECT_EQ(at<uint8_t>(5), 1);
  ASSERT_TRUE(read(npy(dictionary("<f8", "(0, 7)"), "")));
  EXPECT_EQ(elementCount(array), 0);
}

TEST_F(FilesTest, ReadsStringsAndBfloat16) {
  ASSERT_TRUE(
      read(npy(dictionary("|S3", "(2,)"), std::string("a\0\0b\0c", 6))));
  EXPECT_EQ(array.dtype.code, TENON_STRING);
  EXPECT_EQ(stringsOf(array)[0].size, 1u);
  EXPECT_EQ(std::string(stringsOf(array)[1].data, 3), std::string("b\0c", 3));
  ASSERT_TRUE(read(npy(dictionary("|S0", "(2,)"), "")));
  EXPECT_EQ(stringsOf(array)[1].size, 0u);
  ASSERT_TRUE(read(npy(dictionary("|V2", "(1,)"), std::string("\x80\x3f", 2))));
  EXPECT_EQ(array.dtype.code, TENON_BFLOAT);
  EXPECT_EQ(loadFloat(array, 0), 1);
}

TEST_F(FilesTest, SaysWhatIsWrong) {
  expectError("hello", "not an .npy file");
  expectError("PK\3\4xxxxxxxx", "not an .npy file");
  expectError(npy("{'no': 1}", "", 9), "unknown .npy version 9.0");
  expectError(npy(dictionary("<f4", "(2,)"), "1234567"),
              "the file ends early: the array needs 8 bytes, 7 follow its "
              "header");
  expectError(npy(dictionary("|O", "(2,)"), ""),
              "object arrays are not supported");
  expectError(npy(dictionary("<U3", "(2,)"), ""),
              "text of dtype '<U3' is not supported: use "
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
              "damaged .npy header");
  expectError(npy(dictionary("<f4", "(4611686018427387904, 4)"), ""),
              "the array's shape is too large");
  expectError(npy(dictionary("<f4", "(-1,)"), ""), "damaged .npy header");
  expectError(npy("{'descr': '<f4', 'shape': (), }", ""),
              "damaged .npy header");
  expectError(npy("[]", ""), "damaged .npy header");
  expectError(npy("{'descr': '<f4', 'descr': '<f4'}", ""),
              "damaged .npy header");
  std::string cut = npy(dictionary("<f4", "()"), "abcd");
  expectError(cut.substr(0, 40), "the file ends inside its header");
}

std::string slurp(const std::string &path) {
  Text bytes = readFile(path.c_str());
  return std::string(bytes.data, bytes.size);
}

std::string archive(std::initializer_list<std::string> files) {
  std::string path = testing::TempDir() + "tenon_files_test.npz";
  int file = openOutput(path.c_str());
  NpzWriter writer{file, {}};
  int number = 0;
  for (const std::string &each : files)
    writer.add(("a" + std::to_string(number++)).c_str(),
               readNpy(each.data(), each.size()));
  writer.finish();
  closeOutput(file, path.c_str());
  std::string bytes = slurp(path);
  remove(path.c_str());
  return bytes;
}

TEST_F(FilesTest, WritesWhatItReads) {
  std::string numbers(48, 0);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = char(i * 7);
  auto make = [&] {
    return archive({npy(dictionary("<f4", "(3, 4)"), numbers),
                    npy(dictionary("|S3", "(2,)"), std::string("abcd\0\0", 6)),
                    npy(dictionary("<f8", "(0,)"), ""),
                    npy(dictionary("<c16", "()"), numbers.substr(16))});
  };
  std::string out = make();
  Npz npz(out.data(), out.size());
  EXPECT_EQ(npz.count, 4u);
  ASSERT_TRUE(npz.find("a0"));
  array = npz.read();
  EXPECT_EQ(array.shape[1], 4);
  EXPECT_EQ(memcmp(array.data, numbers.data(), 48), 0);
  ASSERT_TRUE(npz.find("a1"));
  array = npz.read();
  EXPECT_EQ(std::string(stringsOf(array)[0].data, stringsOf(array)[0].size),
            "abc");
  EXPECT_FALSE(npz.find("a4"));
  EXPECT_FALSE(npz.find("a"));
  // The same results give the same bytes.
  EXPECT_EQ(out, make());
}

TEST_F(FilesTest, FindsWrongChecksums) {
  std::string out = archive({npy(dictionary("<f4", "(1,)"), "abcd")});
  out[out.find("abcd")] = 'x';
  Npz npz(out.data(), out.size());
  ASSERT_TRUE(npz.find("a0"));
  EXPECT_EQ(failureOf([&] { npz.read(); }), "wrong checksum");
}

TEST_F(FilesTest, ComputesChecksums) {
  EXPECT_EQ(crc32(0, "123456789", 9), 0xcbf43926u);
  EXPECT_EQ(crc32(0, "", 0), 0u);
}

// Reads everything in an archive, errors or not.
int readAll(const std::string &bytes) {
  Exact copy(bytes);
  int good = 0;
  failureOf([&] {
    Npz npz(copy.data, bytes.size());
    while (npz.next())
      good += failureOf([&] { npz.read(); }).empty();
  });
  return good;
}

std::string readFixture(const char *name) {
  return slurp(std::string(FIXTURES) + "/" + name);
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
