#include "model/train/network_part.h"

#include "gtest/gtest.h"

namespace rondo::train {
namespace {

// The losses of a stretch where the errors of both forecasts are as given, in turn one above and one below the truth:
// `same_side` says whether both err to the same side.
StretchLosses Stretch(int64_t timesteps, double network, double rule, bool same_side = false) {
  const double half = (rule + (same_side ? network : -network)) / 2;
  StretchLosses losses;
  losses.network.assign(timesteps, network * network);
  losses.rule.assign(timesteps, rule * rule);
  losses.half.assign(timesteps, half * half);
  return losses;
}

TEST(NetworkPartTest, ManyTimestepsShowThePartOfLeastSquares) {
  EXPECT_NEAR(NetworkPart({Stretch(100000, 1, 1)}, {}, 0), 0.5, 0.01);
  EXPECT_NEAR(NetworkPart({Stretch(100000, 1, 3)}, {}, 0), 0.75, 0.01);
  EXPECT_EQ(NetworkPart({Stretch(100000, 1, 2, true)}, {}, 0), 1);
  EXPECT_EQ(NetworkPart({Stretch(100000, 2, 1, true)}, {}, 0.5), 0);
}

TEST(NetworkPartTest, FewTimestepsOrASmallDifferenceLeaveWhatWasExpected) {
  EXPECT_LT(NetworkPart({Stretch(1, 1, 1.5, true)}, {}, 0), 0.1);
  EXPECT_NEAR(NetworkPart({Stretch(1, 1, 1.5, true)}, {}, 0.5), 0.5, 0.1);
  EXPECT_LT(NetworkPart({Stretch(40, 1, 1.01, true)}, {}, 0), 0.1);
  EXPECT_NEAR(NetworkPart({Stretch(40, 1, 1, true)}, {}, 0.5), 0.5, 0.01);
  EXPECT_GT(NetworkPart({Stretch(40, 1, 3, true)}, {}, 0), 0.9);
}

TEST(NetworkPartTest, ForecastsThatOverlapCountForFewer) {
  const double apart = NetworkPart({Stretch(40, 1, 1.2, true)}, {}, 0);
  const double overlapping = NetworkPart({Stretch(40, 1, 1.2, true)}, {10, 1, 1}, 0);
  EXPECT_LT(overlapping, apart);
  EXPECT_EQ(overlapping, NetworkPart({Stretch(40, 1, 1.2, true)}, {1, 10, 1}, 0));
  EXPECT_LT(overlapping, NetworkPart({Stretch(40, 1, 1.2, true)}, {10, 1, 4}, 0));
}

TEST(NetworkPartTest, StretchesThatDisagreeLeaveTheRuleMore) {
  const StretchLosses better = Stretch(10, 1, 2, true), worse = Stretch(10, 3, 2, true);
  EXPECT_LT(NetworkPart({better, better, better, worse}, {}, 0), NetworkPart({better, better, better, better}, {}, 0));
  EXPECT_LT(NetworkPart({better, better, better, worse}, {}, 0), 0.6);
}

TEST(NetworkPartTest, NothingCountsThatAForecastLacks) {
  EXPECT_EQ(NetworkPart({}, {}, 0.5), 0);
  EXPECT_EQ(NetworkPart({{{}, {1}, {1}}, {{1}, {}, {1}}, {{1}, {1}, {}}}, {}, 0.5), 0);
  StretchLosses lacks = Stretch(10, 3, 1);
  lacks.network.clear();
  EXPECT_EQ(NetworkPart({lacks, Stretch(40, 1, 2)}, {}, 0), NetworkPart({Stretch(40, 1, 2)}, {}, 0));
}

TEST(NetworkPartTest, AForecastWithoutErrorIsTakenWhole) {
  EXPECT_EQ(NetworkPart({Stretch(5, 0, 1)}, {}, 0), 1);
  EXPECT_EQ(NetworkPart({Stretch(5, 1, 0)}, {}, 0.5), 0);
  EXPECT_EQ(NetworkPart({Stretch(5, 0, 0)}, {}, 0.5), 0);
}

}  // namespace
}  // namespace rondo::train
