//===- Main.cpp - libFuzzer's entry, and replaying a corpus ---------------===//

#include "Targets.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace tenon::fuzz;

static const Target &findTarget(const std::string &name) {
  for (const Target *target = targets; target->name; ++target)
    if (name == target->name)
      return *target;
  std::fprintf(stderr, "no target is called '%s'; there are:", name.c_str());
  for (const Target *target = targets; target->name; ++target)
    std::fprintf(stderr, " %s", target->name);
  std::fprintf(stderr, "\n");
  std::exit(2);
}

const char *tenon::fuzz::scratchFolder() {
  // Not destroyed: it is asked for at the very end.
  static const std::string &folder = *new std::string([] {
    std::error_code error;
    bool inMemory = std::filesystem::is_directory("/dev/shm", error);
    std::string path =
        inMemory ? "/dev/shm/tenon-fuzz-XXXXXX" : "/tmp/tenon-fuzz-XXXXXX";
    if (!mkdtemp(path.data())) {
      std::perror(path.c_str());
      std::exit(2);
    }
    std::atexit([] {
      std::error_code ignored;
      std::filesystem::remove_all(scratchFolder(), ignored);
    });
    return path;
  }());
  return folder.c_str();
}

void tenon::fuzz::writeFile(const char *path, std::string_view contents) {
  std::ofstream(path, std::ios::binary)
      .write(contents.data(), std::streamsize(contents.size()));
}

#ifdef TENON_REPLAY

/// Runs every file of the folders, whose names are those of targets.
int main(int argc, char **argv) {
  int count = 0;
  for (int i = 1; i < argc; ++i) {
    std::filesystem::path folder = argv[i];
    const Target &target = findTarget(folder.filename().string());
    std::vector<std::filesystem::path> files;
    for (const auto &entry : std::filesystem::directory_iterator(folder))
      files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto &path : files) {
      std::ifstream file(path, std::ios::binary);
      std::string contents(std::istreambuf_iterator<char>(file), {});
      target.run(contents);
      ++count;
    }
  }
  std::printf("replayed %d\n", count);
  return count ? 0 : 1;
}

#else

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const Target &target = []() -> const Target & {
    const char *name = std::getenv("TENON_FUZZ_TARGET");
    return findTarget(name ? name : "");
  }();
  target.run({reinterpret_cast<const char *>(data), size});
  return 0;
}

#endif
