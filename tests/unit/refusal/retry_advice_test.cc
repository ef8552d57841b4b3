#include "server/refusal/retry_advice.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace rondo {
namespace {

class RetryAdviceTest : public ::testing::Test {
 protected:
  int After(Why why, uint32_t random = 512) { return advice_.After(RefusalOf(Refuse(why, "")), now_, random); }

  RetryAdvice advice_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
};

TEST_F(RetryAdviceTest, AFewHearTheAdviceOfTheRow) {
  for (int i = 0; i < 50; ++i) EXPECT_EQ(After(Why::kQueueFull), kRetryWhenFullMs);
}

TEST_F(RetryAdviceTest, TheMoreAreRefusedInASecondTheLaterTheyComeBack) {
  int last = 0;
  for (int i = 0; i < 5000; ++i) last = After(Why::kQueueFull);
  EXPECT_EQ(last, 5100);
  EXPECT_EQ(After(Why::kStoreFull), kRetryWhenFullMs) << "another reason";
  now_ += absl::Seconds(1);
  EXPECT_EQ(After(Why::kQueueFull), 5100) << "as many as in the second before";
  for (int i = 0; i < 100'000; ++i) last = After(Why::kQueueFull);
  EXPECT_EQ(last, 10'000);
  now_ += absl::Seconds(3);
  EXPECT_EQ(After(Why::kQueueFull), kRetryWhenFullMs) << "it is over";
}

TEST_F(RetryAdviceTest, NoTwoComeBackAtOnce) {
  EXPECT_EQ(After(Why::kQueueFull, 0), 50);
  EXPECT_NEAR(After(Why::kQueueFull, 1023), 150, 1);
}

TEST_F(RetryAdviceTest, WhenAPlaceIsLikelyIsKeptThoughItIsLate) {
  const Refusal full = RefusalOf(RefuseFor(absl::Seconds(40), Why::kSessionsFull, "full"));
  EXPECT_EQ(full.why, Why::kSessionsFull);
  EXPECT_EQ(full.retry_after_ms, 40'000);
  EXPECT_EQ(advice_.After(full, now_, 512), 40'000);
  EXPECT_EQ(RefusalOf(RefuseFor(absl::ZeroDuration(), Why::kSessionsFull, "full")).retry_after_ms, kRetryWhenFullMs);
}

TEST_F(RetryAdviceTest, WithoutAdviceThereIsNone) { EXPECT_EQ(After(Why::kInvalid), 0); }

}  // namespace
}  // namespace rondo
