#include "server/serve/tenant_quota.h"

#include "gtest/gtest.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(10'000);

// How much of `amount`s passes in the ten seconds after kNow, tried a thousand times a second.
double PassedInTenSeconds(RateLimit* limit, double amount) {
  double passed = 0;
  for (int i = 0; i < 10'000; ++i) {
    if (limit->Take(amount, kNow + absl::Milliseconds(i))) passed += amount;
  }
  return passed;
}

TEST(RateLimitTest, WithoutARateEverythingPasses) {
  RateLimit limit;
  EXPECT_EQ(PassedInTenSeconds(&limit, 5), 50'000);
}

TEST(RateLimitTest, TheRatePassesAndASecondsWorthAtOnce) {
  for (const double amount : {1.0, 7.0, 90.0}) {
    RateLimit limit;
    limit.SetRate(100);
    const double passed = PassedInTenSeconds(&limit, amount);
    EXPECT_GE(passed, 1'000) << amount;
    EXPECT_LE(passed, 1'100 + 2 * amount) << amount;
  }
}

TEST(RateLimitTest, WhatIsLargerThanASecondsWorthPassesAndIsOwed) {
  RateLimit limit;
  limit.SetRate(100);
  EXPECT_TRUE(limit.Take(1'000, kNow));
  EXPECT_FALSE(limit.Take(1, kNow + absl::Milliseconds(8'900)));
  EXPECT_TRUE(limit.Take(1, kNow + absl::Milliseconds(9'100)));
}

TEST(RateLimitTest, AnHourWithoutRequestsSavesNothingUp) {
  RateLimit limit;
  limit.SetRate(100);
  EXPECT_TRUE(limit.Take(1, kNow - absl::Hours(1)));
  EXPECT_LE(PassedInTenSeconds(&limit, 1), 1'102);
}

TEST(RateLimitTest, WhatIsOwedIsPaidBeforeTheNextAndIsBounded) {
  RateLimit limit;
  limit.Owe(1e9, kNow);
  EXPECT_TRUE(limit.HasRoom(kNow)) << "without a rate nothing is owed";
  limit.SetRate(100);
  limit.Owe(1'000, kNow);
  EXPECT_FALSE(limit.HasRoom(kNow + absl::Milliseconds(8'900)));
  EXPECT_FALSE(limit.Take(1, kNow + absl::Milliseconds(8'900)));
  EXPECT_TRUE(limit.HasRoom(kNow + absl::Milliseconds(9'100)));
  for (int i = 0; i < 100'000; ++i) limit.Owe(1e300, kNow);
  EXPECT_FALSE(limit.HasRoom(kNow + absl::Minutes(59)));
  EXPECT_TRUE(limit.HasRoom(kNow + absl::Minutes(61)));
}

TEST(TenantQuotaTest, StreamsAndSessionsAreCountedUntilTheyAreGivenBack) {
  TenantQuota quota;
  EXPECT_TRUE(quota.TakeStream().ok());
  TenantLimits limits;
  limits.streams = 2;
  limits.sessions = 1;
  quota.SetLimits(limits, nullptr);
  EXPECT_TRUE(quota.TakeStream().ok());
  const absl::Status refused = quota.TakeStream();
  EXPECT_EQ(RefusalOf(refused).why, Why::kTenantQuota);
  EXPECT_EQ(refused.message(), "the tenant has 2 open streams, the most it may");
  quota.GiveBackStream();
  EXPECT_TRUE(quota.TakeStream().ok());
  EXPECT_TRUE(quota.TakeSession().ok());
  EXPECT_FALSE(quota.TakeSession().ok());
  quota.GiveBackSession();
  EXPECT_TRUE(quota.TakeSession().ok());
}

TEST(TenantQuotaTest, StepsAndBytesHaveTheirOwnRates) {
  TenantQuota quota;
  TenantLimits limits;
  limits.steps_per_second = 1e-3;
  quota.SetLimits(limits, nullptr);
  EXPECT_TRUE(quota.TakeWork({0, 1'000'000}).ok());
  EXPECT_TRUE(quota.TakeWork({1, 1}).ok());
  EXPECT_EQ(RefusalOf(quota.TakeWork({1, 1})).why, Why::kTenantQuota);
  limits = {};
  limits.bytes_per_second = 1e-3;
  quota.SetLimits(limits, nullptr);
  EXPECT_TRUE(quota.TakeWork({1, 1}).ok());
  EXPECT_FALSE(quota.TakeWork({1, 1}).ok());
  EXPECT_FALSE(quota.TakeBytes(1).ok());
}

TEST(TenantQuotaTest, WhatIsRefusedForItsBytesTakesNoSteps) {
  TenantQuota quota;
  TenantLimits limits;
  limits.steps_per_second = 1;
  limits.bytes_per_second = 1e-3;
  quota.SetLimits(limits, nullptr);
  EXPECT_TRUE(quota.TakeBytes(1).ok());
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(quota.TakeWork({1, 1}).ok());
  limits.bytes_per_second = 0;
  quota.SetLimits(limits, nullptr);
  EXPECT_TRUE(quota.TakeWork({1, 1}).ok());
}

TEST(TenantQuotaTest, StepsThatAreOwedAreNotInTheWayOfRequestsWithoutSteps) {
  TenantQuota quota;
  TenantLimits limits;
  limits.steps_per_second = 1;
  quota.SetLimits(limits, nullptr);
  EXPECT_TRUE(quota.TakeWork({1'000, 1}).ok());
  EXPECT_TRUE(quota.TakeBytes(1'000).ok());
}

}  // namespace
}  // namespace rondo
