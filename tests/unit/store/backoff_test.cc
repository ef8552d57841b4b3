#include "server/store/backoff.h"

#include "gtest/gtest.h"

namespace rondo {
namespace {

constexpr absl::Duration kFirst = absl::Milliseconds(100);
constexpr absl::Duration kLongest = absl::Seconds(1);

class BackoffTest : public testing::Test {
 protected:
  // How long it waits after one more failure.
  absl::Duration DelayAfterFailure(double dice) {
    backoff_.Failed(absl::UnixEpoch(), dice);
    absl::Duration delay;
    while (!backoff_.MayTry(absl::UnixEpoch() + delay)) delay += absl::Milliseconds(1);
    return delay;
  }
  Backoff backoff_{kFirst, kLongest};
};

TEST_F(BackoffTest, TheFirstTryIsFree) { EXPECT_TRUE(backoff_.MayTry(absl::InfinitePast())); }

TEST_F(BackoffTest, DelaysDoubleUpToTheLongest) {
  for (const int wanted : {50, 100, 200, 400, 500, 500}) EXPECT_EQ(DelayAfterFailure(0), absl::Milliseconds(wanted));
}

TEST_F(BackoffTest, DiceSpreadTheDelays) {
  EXPECT_EQ(DelayAfterFailure(0.5), absl::Milliseconds(75));
  EXPECT_EQ(DelayAfterFailure(0.99), absl::Milliseconds(199));
}

TEST_F(BackoffTest, ASuccessForgetsTheFailures) {
  for (int i = 0; i < 5; ++i) backoff_.Failed(absl::UnixEpoch(), 0.5);
  backoff_.Succeeded();
  EXPECT_TRUE(backoff_.MayTry(absl::UnixEpoch()));
  EXPECT_EQ(DelayAfterFailure(0), absl::Milliseconds(50));
}

}  // namespace
}  // namespace rondo
