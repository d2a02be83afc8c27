// Printed arrays against what NumPy printed (fixtures/print.py made the files).
#include "io/Print.h"
#include "TestFail.h"
#include "io/Npz.h"
#include <gtest/gtest.h>
#include <stdio.h>
#include <string>
#include <vector>

namespace {

using namespace tenon;

std::string readFile(const std::string &name) {
  std::string path = std::string(FIXTURES) + "/" + name, bytes;
  FILE *file = fopen(path.c_str(), "rb");
  EXPECT_TRUE(file) << path;
  char buffer[4096];
  for (size_t n; (n = fread(buffer, 1, sizeof buffer, file));)
    bytes.append(buffer, n);
  fclose(file);
  return bytes;
}

void compare(const std::string &texts, bool full) {
  std::string archive = readFile("print.npz"), expected = readFile(texts);
  Npz npz(archive.data(), archive.size());
  size_t at = 0;
  while (npz.next()) {
    Text out;
    printTensor(out, npz.read(), full);
    size_t end = expected.find("\n\1\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_EQ(std::string(out.data, out.size), expected.substr(at, end - at))
        << "array " << std::string(npz.name, npz.nameSize);
    at = end + 3;
  }
  EXPECT_EQ(at, expected.size());
}

TEST(PrintTest, AsNumPy) { compare("print.txt", false); }
TEST(PrintTest, AsNumPyInFull) { compare("print_full.txt", true); }

TEST(PrintTest, Bfloat16AsMlDtypes) {
  tenon_dtype type = {TENON_BFLOAT, 16, 1};
  int64_t shape[] = {4};
  tenon_tensor tensor = makeTensor(type, 1, shape);
  const double values[] = {0.1, 1, 1e10, -2.5};
  for (int i = 0; i < 4; ++i)
    storeFloat(type, bytesOf(tensor) + 2 * i, values[i]);
  Text out;
  printTensor(out, tensor, false);
  EXPECT_EQ(std::string(out.data, out.size), "[0.100098 1 9.99922e+09 -2.5]");
}

} // namespace
