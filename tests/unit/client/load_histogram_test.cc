#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "client/load/latency_histogram.h"
#include "gtest/gtest.h"

namespace rondo::load {
namespace {

double ExactSeconds(std::vector<int64_t> sorted, double quantile) {
  std::sort(sorted.begin(), sorted.end());
  const auto rank = static_cast<size_t>(std::ceil(quantile * static_cast<double>(sorted.size())));
  return static_cast<double>(sorted[rank - 1]) * 1e-9;
}

TEST(LatencyHistogramTest, QuantilesAreWithinOnePercentOfTheExactOnes) {
  std::mt19937_64 random(1);
  for (const double scale : {50.0, 2e3, 80e3, 5e6, 3e9}) {
    LatencyHistogram histogram;
    std::vector<int64_t> exact;
    std::lognormal_distribution<double> latency(std::log(scale), 1.0);
    for (int i = 0; i < 100000; ++i) {
      exact.push_back(static_cast<int64_t>(latency(random)));
      histogram.Record(exact.back());
    }
    for (const double quantile : {0.5, 0.9, 0.99, 0.999, 1.0}) {
      const double wanted = ExactSeconds(exact, quantile);
      EXPECT_NEAR(histogram.QuantileSeconds(quantile), wanted, wanted * 0.01) << scale << " " << quantile;
    }
  }
}

TEST(LatencyHistogramTest, SmallLatenciesAndTheMaximumAreExact) {
  LatencyHistogram histogram;
  for (int64_t nanos = 1; nanos <= 200; ++nanos) histogram.Record(nanos);
  EXPECT_DOUBLE_EQ(histogram.QuantileSeconds(0.5), 100e-9);
  histogram.Record(123'456'789);
  EXPECT_DOUBLE_EQ(histogram.MaxSeconds(), 0.123456789);
}

TEST(LatencyHistogramTest, NoQuantileIsAboveTheMaximum) {
  LatencyHistogram histogram;
  histogram.Record(1024);  // the first value of its bucket
  EXPECT_DOUBLE_EQ(histogram.QuantileSeconds(0.99), 1024e-9);
}

TEST(LatencyHistogramTest, OutOfRangeLatenciesAreCountedAtTheEnds) {
  LatencyHistogram histogram;
  histogram.Record(-5);
  histogram.Record(INT64_MAX);
  EXPECT_EQ(histogram.count(), 2);
  EXPECT_DOUBLE_EQ(histogram.QuantileSeconds(0.5), 0);
  EXPECT_GE(histogram.QuantileSeconds(1), 4300);
}

TEST(LatencyHistogramTest, AnEmptyHistogramAnswersZero) { EXPECT_EQ(LatencyHistogram().QuantileSeconds(0.99), 0); }

TEST(LatencyHistogramTest, AddingTwoIsTheSameAsRecordingInOne) {
  LatencyHistogram one;
  LatencyHistogram left;
  LatencyHistogram right;
  for (int64_t i = 0; i < 10000; ++i) {
    one.Record(i * i);
    (i % 3 == 0 ? left : right).Record(i * i);
  }
  left.Add(right);
  EXPECT_EQ(left.count(), one.count());
  EXPECT_EQ(left.MaxSeconds(), one.MaxSeconds());
  for (const double quantile : {0.01, 0.5, 0.99}) {
    EXPECT_EQ(left.QuantileSeconds(quantile), one.QuantileSeconds(quantile));
  }
}

}  // namespace
}  // namespace rondo::load
