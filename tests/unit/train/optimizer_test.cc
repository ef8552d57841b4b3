#include "model/train/optimizer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo::train {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

TEST(ClipByGlobalNormTest, LongGradientsAreScaledAndShortOnesKept) {
  std::vector<float> gradient = {3, 4};
  EXPECT_DOUBLE_EQ(ClipByGlobalNorm(0, absl::MakeSpan(gradient)), 5);
  EXPECT_DOUBLE_EQ(ClipByGlobalNorm(10, absl::MakeSpan(gradient)), 5);
  EXPECT_THAT(gradient, ElementsAre(3, 4));
  EXPECT_DOUBLE_EQ(ClipByGlobalNorm(1, absl::MakeSpan(gradient)), 5);
  EXPECT_THAT(gradient, ElementsAre(FloatNear(0.6, 1e-6), FloatNear(0.8, 1e-6)));
}

TEST(LearningRateTest, WarmsUpThenFallsAlongACosine) {
  const LearningRate rate({1.0, Decay::kCosine, 9, 109, 0});
  EXPECT_NEAR(rate.At(0), 0.1, 1e-12);
  EXPECT_NEAR(rate.At(8), 0.9, 1e-12);
  EXPECT_NEAR(rate.At(9), 1, 1e-12);
  EXPECT_NEAR(rate.At(59), 0.505, 1e-12);
  EXPECT_NEAR(rate.At(109), 0.01, 1e-12);
  EXPECT_NEAR(rate.At(1000), 0.01, 1e-12);
}

TEST(LearningRateTest, IsHalvedOnAPlateauOnly) {
  LearningRate rate({1.0, Decay::kPlateau, 0, 1, 2});
  rate.EndEpoch(false);
  rate.EndEpoch(true);
  rate.EndEpoch(false);
  EXPECT_DOUBLE_EQ(rate.At(5), 1);
  rate.EndEpoch(false);
  EXPECT_DOUBLE_EQ(rate.At(5), 0.5);
  for (int i = 0; i < 100; ++i) rate.EndEpoch(false);
  EXPECT_DOUBLE_EQ(rate.At(5), 0.01);
}

}  // namespace
}  // namespace rondo::train
