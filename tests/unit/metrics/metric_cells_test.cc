#include "server/metrics/metric_cells.h"

#include <numeric>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;

TEST(HistogramTest, CountsAValueOnABoundAsBelowIt) {
  Histogram histogram(Buckets{{1, 10, 100}});
  for (uint64_t value : {0, 1, 2, 10, 11, 100, 101, 5000}) histogram.Observe(value);
  EXPECT_THAT(histogram.Read().counts, ElementsAre(2, 2, 2, 2));
  EXPECT_EQ(histogram.Read().sum, 0u + 1 + 2 + 10 + 11 + 100 + 101 + 5000);
}

TEST(HistogramTest, LosesNothingWhenMoreThreadsThanCellsObserve) {
  Histogram histogram(Buckets{{1, 10, 100}});
  Counter counter;
  constexpr uint64_t kThreads = 2 * kMetricCells + 1;
  constexpr uint64_t kEach = 5000;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < kEach; ++i) {
        histogram.Observe(i % 200);
        counter.Add(2);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Histogram::Snapshot snapshot = histogram.Read();
  EXPECT_EQ(std::accumulate(snapshot.counts.begin(), snapshot.counts.end(), uint64_t{0}), kThreads * kEach);
  EXPECT_EQ(snapshot.sum, kThreads * kEach / 200 * (199 * 200 / 2));
  EXPECT_EQ(counter.Value(), 2 * kThreads * kEach);
}

}  // namespace
}  // namespace rondo
