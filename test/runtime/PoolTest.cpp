// The thread pool: every task once, whatever the number of tasks and threads.
#include "cpu/Pool.h"
#include "FakeModel.h"
#include "tenon/runtime.h"
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vector>

namespace {

void count(const uint64_t *args, int64_t begin, int64_t end) {
  int *counts = reinterpret_cast<int *>(args[0]);
  for (int64_t i = begin; i < end; ++i)
    ++counts[i];
}

TEST(PoolTest, RunsEveryTaskOnce) {
  for (int threads : {1, 2, 3, 8}) {
    tenon::Pool *pool = tenon::startPool(threads);
    EXPECT_EQ(tenon::poolSize(pool), threads);
    EXPECT_EQ(pool == nullptr, threads == 1);
    for (int64_t tasks : {0, 1, 2, 7, 31, 32, 33, 1000, 100003}) {
      std::vector<int> counts(size_t(tasks) + 1);
      uint64_t args[] = {reinterpret_cast<uint64_t>(counts.data())};
      for (int round = 0; round < 20; ++round)
        tenon::runTasks(pool, count, args, tasks);
      for (int64_t i = 0; i < tasks; ++i)
        ASSERT_EQ(counts[size_t(i)], 20) << i << " of " << tasks;
      EXPECT_EQ(counts[size_t(tasks)], 0);
    }
    tenon::stopPool(pool);
  }
}

// Threads go to sleep between the calls, and every call wakes them.
TEST(PoolTest, WakesSleepers) {
  tenon::Pool *pool = tenon::startPool(4);
  std::vector<int> counts(64);
  uint64_t args[] = {reinterpret_cast<uint64_t>(counts.data())};
  for (int round = 0; round < 50; ++round) {
    timespec pause = {0, round % 5 * 500000};
    nanosleep(&pause, nullptr);
    tenon::runTasks(pool, count, args, 64);
  }
  for (int each : counts)
    EXPECT_EQ(each, 50);
  tenon::stopPool(pool);
}

TEST(PoolTest, ManyShortJobs) {
  tenon::Pool *pool = tenon::startPool(3);
  std::vector<int> counts(5);
  uint64_t args[] = {reinterpret_cast<uint64_t>(counts.data())};
  for (int round = 0; round < 100000; ++round)
    tenon::runTasks(pool, count, args, 5);
  for (int each : counts)
    EXPECT_EQ(each, 100000);
  tenon::stopPool(pool);
}

int threadsOfProcess() {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  int threads = 0;
  while (fgets(line, sizeof line, file))
    if (!strncmp(line, "Threads:", 8))
      threads = atoi(line + 8);
  fclose(file);
  return threads;
}

TEST(PoolTest, OneMeansNoThread) {
  int before = threadsOfProcess();
  for (int threads : {1, 3}) {
    tenon_options options = {};
    options.struct_size = sizeof options;
    options.threads = threads;
    tenon_instance *instance = tenon_create(&tenon_main_model, &options);
    ASSERT_TRUE(instance);
    EXPECT_EQ(threadsOfProcess(), before + threads - 1);
    EXPECT_EQ(instance->threads, threads);
    EXPECT_EQ(instance->dispatch == nullptr, threads == 1);
    std::vector<float> x(4000), y(4000);
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = float(i);
    const void *inputs[] = {x.data()};
    void *outputs[] = {y.data()};
    int64_t dims[] = {1000, 4, 0, 0};
    ASSERT_EQ(tenon_invoke(instance, FakeMain, inputs, outputs, dims), 0);
    for (size_t i = 0; i < y.size(); ++i)
      ASSERT_EQ(y[i], 2 * x[i] + 1);
    tenon_destroy(instance);
  }
}

TEST(PoolTest, CountsCores) { EXPECT_GE(tenon::coreCount(), 1); }

} // namespace
