// Checkpoints: TensorFlow's are read (fixtures/checkpoints.py writes them),
// what is saved is read back, and damage of any kind is an error.
#include "checkpoint/Checkpoint.h"
#include "TestFail.h"
#include "checkpoint/Format.h"
#include "io/File.h"
#include "io/Npz.h"
#include "io/Tensor.h"
#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <stdlib.h>
#include <string.h>
#include <vector>

namespace {

using namespace tenon;
using namespace tenon::checkpoint;

const std::string fixtures = std::string(FIXTURES) + "/checkpoints/";

// The variables of fixtures/checkpoints.py, and the state of a generator.
struct Model {
  struct Row {
    const char *name;
    uint8_t code, bits;
    std::vector<int64_t> shape;
  };
  std::vector<Row> rows = {
      {"scalar", TENON_FLOAT, 32, {}},
      {"layer/kernel", TENON_FLOAT, 32, {3, 5}},
      {"layer/double", TENON_FLOAT, 64, {7}},
      {"step", TENON_INT, 64, {}},
      {"counts", TENON_INT, 32, {2, 1, 3}},
      {"bytes", TENON_UINT, 8, {4}},
      {"small", TENON_INT, 8, {3}},
      {"short", TENON_INT, 16, {2}},
      {"wide", TENON_UINT, 16, {2}},
      {"mask", TENON_BOOL, 8, {5}},
      {"half", TENON_FLOAT, 16, {3}},
      {"brain", TENON_BFLOAT, 16, {3}},
      {"wave", TENON_COMPLEX, 64, {2}},
      {"empty", TENON_FLOAT, 32, {0, 4}},
      {"dropout/generator", TENON_UINT, 64, {2}},
  };
  std::vector<VariableSpec> variables;
  alignas(64) char state[4096] = {};
  Instance instance = {};

  explicit Model(std::vector<std::string> leftOut = {}) {
    uint64_t offset = 64;
    for (Row &row : rows) {
      if (std::count(leftOut.begin(), leftOut.end(), row.name))
        continue;
      VariableSpec spec = {};
      spec.name = row.name;
      spec.dtype = {row.code, row.bits, 1};
      spec.rank = int32_t(row.shape.size());
      spec.shape = row.shape.data();
      spec.stateOffset = offset;
      spec.bytes = uint64_t(countElements(spec.rank, spec.shape, row.bits / 8) *
                            (row.bits / 8));
      spec.flagOffset = variables.size();
      spec.initial = -1;
      spec.generator = strchr(row.name, 'g') && strstr(row.name, "generator");
      offset += (spec.bytes + 63) & ~uint64_t(63);
      variables.push_back(spec);
    }
    instance.model = &tenon_main_model;
    instance.state = state;
    instance.signature.variables = variables.data();
    instance.signature.variableCount = int32_t(variables.size());
  }

  // What the fixtures hold.
  std::string expected(const VariableSpec &variable) {
    std::string bytes(variable.bytes, '\0');
    size_t width = size_t(dtypeBytes(variable.dtype));
    for (size_t i = 0; width && i < bytes.size() / width; ++i) {
      Number number = {};
      number.real = double(i) - (variable.dtype.code != TENON_UINT);
      if (variable.dtype.code == TENON_BOOL)
        number.real = double(i % 2);
      storeNumber(variable.dtype, bytes.data() + i * width, number);
    }
    return bytes;
  }

  void fill() {
    for (const VariableSpec &variable : variables) {
      std::string bytes = expected(variable);
      memcpy(state + variable.stateOffset, bytes.data(), bytes.size());
      state[variable.flagOffset] = 1;
    }
  }

  void expectValues(const std::vector<std::string> &without = {}) {
    for (const VariableSpec &variable : variables) {
      if (variable.generator)
        continue;
      bool missing = std::count(without.begin(), without.end(), variable.name);
      EXPECT_EQ(state[variable.flagOffset], !missing) << variable.name;
      if (!missing)
        EXPECT_EQ(std::string(state + variable.stateOffset, variable.bytes),
                  expected(variable))
            << variable.name;
    }
  }

  std::string restore(const std::string &path, bool partial = false) {
    failContext = {};
    return failureOf(
        [&] { restoreCheckpoint(instance, path.c_str(), partial); });
  }
  std::string save(const std::string &prefix) {
    failContext = {};
    return failureOf([&] { saveCheckpoint(instance, prefix.c_str()); });
  }
};

struct CheckpointTest : testing::Test {
  std::string folder = testing::TempDir() + "tenon-checkpoints." +
                       std::to_string(getpid()) + "/";
  CheckpointTest() { std::filesystem::create_directories(folder); }
  ~CheckpointTest() override { std::filesystem::remove_all(folder); }

  std::string slurp(const std::string &path) {
    Text text = readFile(path.c_str());
    return std::string(text.data, text.size);
  }
  void write(const std::string &path, const std::string &bytes) {
    int file = openOutput(path.c_str());
    writeAll(file, bytes.data(), bytes.size());
    closeOutput(file, path.c_str());
  }
};

TEST_F(CheckpointTest, ReadsTensorFlows) {
  for (const char *name :
       {"v2", "v2.index", "parts", "sharded", "objects", ""}) {
    SCOPED_TRACE(name);
    Model model;
    EXPECT_EQ(model.restore(fixtures + name), "");
    model.expectValues();
    EXPECT_FALSE(model.state[model.variables.back().flagOffset]);
  }
}

TEST_F(CheckpointTest, ReadsTheFirstFormat) {
  std::vector<std::string> without = {"wide", "brain"};
  for (const char *name : {"v1", "v1parts"}) {
    SCOPED_TRACE(name);
    Model model(without);
    EXPECT_EQ(model.restore(fixtures + name), "");
    model.expectValues();
    Model more;
    EXPECT_EQ(more.restore(fixtures + name),
              "--restore " + fixtures + name +
                  ": the checkpoint lacks: wide, brain (--restore-partial "
                  "initialises them)");
    Model partial;
    EXPECT_EQ(partial.restore(fixtures + name, true), "");
    partial.expectValues(without);
  }
}

TEST_F(CheckpointTest, ReadsPartsOfTheirOwn) {
  for (const char *name : {"parts", "v1parts-\?\?\?\?\?-of-00002"}) {
    SCOPED_TRACE(name);
    bool first = *name == 'v';
    Model model({"wide", "brain"});
    VariableSpec &kernel = model.variables[1];
    // Columns 3 and 4, or row 2.
    std::vector<int64_t> shape = {3, 2}, row = {1, 5};
    kernel.name = "layer/kernel/part_1";
    kernel.shape = first ? row.data() : shape.data();
    kernel.bytes = first ? 20 : 24;
    EXPECT_EQ(model.restore(fixtures + name), "");
    const float *got =
        reinterpret_cast<float *>(model.state + kernel.stateOffset);
    EXPECT_EQ(got[0], first ? 9 : 2);
    EXPECT_EQ(got[1], first ? 10 : 3);
    EXPECT_EQ(got[2], first ? 11 : 7);
    kernel.name = "layer/kernel/part_2";
    EXPECT_NE(model.restore(fixtures + name).find("lacks: layer/kernel/part_2"),
              std::string::npos);
    kernel.name = "layer/kernel/part_0";
    EXPECT_NE(model.restore(fixtures + name).find("expected float32["),
              std::string::npos);
  }
}

TEST_F(CheckpointTest, SavesAndRestores) {
  Model saved;
  saved.fill();
  EXPECT_EQ(saved.save(folder + "deep"), "");
  EXPECT_EQ(saved.save(folder + "new/model-7"), "");
  EXPECT_EQ(slurp(folder + "new/checkpoint"),
            "model_checkpoint_path: \"model-7\"\n"
            "all_model_checkpoint_paths: \"model-7\"\n");
  for (const char *name : {"deep", "new", "new/", "new/model-7"}) {
    Model model;
    EXPECT_EQ(model.restore(folder + name), "");
    model.expectValues();
  }
  // The very bytes that TensorFlow writes for the tensors, in its order.
  EXPECT_EQ(slurp(folder + "deep.data-00000-of-00001").size(),
            slurp(fixtures + "v2.data-00000-of-00001").size());
}

TEST_F(CheckpointTest, SavesNothingUninitialized) {
  Model model;
  model.fill();
  model.state[model.variables[3].flagOffset] = 0;
  EXPECT_EQ(model.save(folder + "x"), "variable 'step' is uninitialized");
  EXPECT_FALSE(std::filesystem::exists(folder + "x.index"));
}

TEST_F(CheckpointTest, ReadsArchives) {
  Model model({"layer/double", "wave"});
  std::string path = folder + "values.npz";
  int file = openOutput(path.c_str());
  NpzWriter archive{file, {}};
  Model source;
  source.fill();
  for (const VariableSpec &variable : source.variables)
    if (!variable.generator)
      archive.add(variable.name, viewVariable(source.instance, variable));
  archive.finish();
  closeOutput(file, path.c_str());
  EXPECT_EQ(model.restore(path), "");
  model.expectValues();
  std::vector<int64_t> other = {4, 4};
  model.variables[1].shape = other.data();
  model.variables[1].bytes = 64;
  EXPECT_EQ(model.restore(path), "expected float32[4x4], got float32[3x5]");
}

TEST_F(CheckpointTest, ComparesTypesAndShapes) {
  Model model;
  std::vector<int64_t> other = {5, 3};
  model.variables[1].shape = other.data();
  EXPECT_EQ(model.restore(fixtures + "v2"),
            "expected float32[5x3], got float32[3x5]");
  Model typed;
  typed.variables[4].dtype = {TENON_UINT, 32, 1};
  EXPECT_EQ(typed.restore(fixtures + "v2"),
            "expected uint32[2x1x3], got TensorFlow's type number 3");
}

TEST_F(CheckpointTest, SaysWhatIsNotThere) {
  Model model;
  EXPECT_EQ(model.restore(folder + "none"),
            "--restore " + folder +
                "none: there is neither a checkpoint nor "
                "a file of that name");
  EXPECT_EQ(model.restore(folder), "--restore " + folder +
                                       ": the folder has no file 'checkpoint' "
                                       "that names its latest");
  write(folder + "checkpoint", "model_checkpoint_path: \"gone");
  EXPECT_EQ(model.restore(folder), "it names no checkpoint");
  write(folder + "text", "not a checkpoint at all, but long enough to be read");
  EXPECT_EQ(model.restore(folder + "text"), "not a checkpoint, or cut off");
}

// Whatever bytes stand in the files, nothing outside of them is read.
TEST_F(CheckpointTest, SurvivesDamage) {
  std::mt19937 random(1);
  const struct {
    const char *name, *damaged;
  } files[] = {{"v2", ".index"},
               {"v2", ".data-00000-of-00001"},
               {"parts", ".index"},
               {"objects", ".data-00000-of-00001"},
               {"v1", ""}};
  for (const auto &file : files) {
    for (const auto &entry : std::filesystem::directory_iterator(fixtures))
      std::filesystem::copy(entry, folder,
                            std::filesystem::copy_options::overwrite_existing);
    std::string path = folder + file.name + file.damaged, whole = slurp(path);
    int refused = 0;
    for (int round = 0; round < 400; ++round) {
      std::string bytes = whole;
      if (round % 4 == 0)
        bytes.resize(random() % bytes.size());
      for (unsigned i = 0; i < 1 + random() % 3 && !bytes.empty(); ++i)
        bytes[random() % bytes.size()] = char(random() % 3 ? random() : 255);
      if (round % 2) {
        // Sums that are right again let the damage through.
        for (size_t from = 0; bytes.size() > 60 && from < 2; ++from) {
          const char *at = bytes.data() + bytes.size() - 48, *end = at + 40;
          uint64_t offset, size;
          for (size_t k = 0; k < 2 - from; ++k)
            if (!takeVarint(at, end, offset) || !takeVarint(at, end, size))
              offset = bytes.size();
          if (offset > bytes.size() || size > bytes.size() - offset ||
              bytes.size() - offset - size < 5)
            continue;
          uint32_t crc = maskedCrc(bytes.data() + offset, size + 1);
          memcpy(bytes.data() + offset + size + 1, &crc, 4);
        }
        size_t first = bytes.find("layer"); // the data block stands first
        if (first != std::string::npos)
          for (size_t size = first; size + 5 < bytes.size(); ++size)
            if (!memcmp(bytes.data() + size, whole.data() + size, 5) &&
                whole[size] == 0) {
              uint32_t stored;
              memcpy(&stored, whole.data() + size + 1, 4);
              if (maskedCrc(whole.data(), size + 1) != stored)
                continue;
              uint32_t crc = maskedCrc(bytes.data(), size + 1);
              memcpy(bytes.data() + size + 1, &crc, 4);
              break;
            }
      }
      write(path, bytes);
      Model model(std::string(file.name) == "v1"
                      ? std::vector<std::string>{"wide", "brain"}
                      : std::vector<std::string>{});
      refused += !model.restore(folder + file.name).empty();
    }
    EXPECT_GT(refused, 200) << path;
  }
}

} // namespace
