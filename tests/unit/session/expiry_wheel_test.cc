#include "server/session/expiry_wheel.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <random>

#include "gtest/gtest.h"

namespace rondo {
namespace {

constexpr size_t kAll = std::numeric_limits<size_t>::max();

class ExpiryWheelTest : public testing::Test {
 protected:
  ExpiryWheel::Entry* Add(absl::Duration from_start) {
    entries_.push_back(std::make_unique<ExpiryWheel::Entry>());
    wheel_.Add(entries_.back().get(), absl::ToUnixNanos(start_ + from_start), now_);
    return entries_.back().get();
  }
  // How many are due.
  size_t SweepAt(absl::Duration from_start) {
    now_ = start_ + from_start;
    due_.clear();
    EXPECT_FALSE(wheel_.Sweep(now_, kAll, &due_));
    return due_.size();
  }

  const absl::Time start_ = absl::FromUnixSeconds(1'700'000'000) + absl::Milliseconds(300);
  absl::Time now_ = start_;
  ExpiryWheel wheel_;
  std::vector<std::unique_ptr<ExpiryWheel::Entry>> entries_;
  std::vector<ExpiryWheel::Entry*> due_;
};

TEST_F(ExpiryWheelTest, AnEntryIsDueAtItsDeadlineAndNotBefore) {
  ExpiryWheel::Entry* const entry = Add(absl::Seconds(10));
  EXPECT_EQ(SweepAt(absl::ZeroDuration()), 0u);
  EXPECT_EQ(SweepAt(absl::Seconds(10) - absl::Nanoseconds(1)), 0u);
  EXPECT_EQ(wheel_.size(), 1u);
  EXPECT_EQ(SweepAt(absl::Seconds(10)), 1u);
  EXPECT_EQ(due_[0], entry);
  EXPECT_EQ(wheel_.size(), 0u);
  EXPECT_EQ(SweepAt(absl::Seconds(11)), 0u);
}

TEST_F(ExpiryWheelTest, AnEntryBeyondOneRoundIsNotDueEarly) {
  Add(absl::Hours(24 * 7));
  for (int hours = 0; hours < 24 * 7; ++hours) ASSERT_EQ(SweepAt(absl::Hours(hours)), 0u);
  EXPECT_EQ(SweepAt(absl::Hours(24 * 7)), 1u);
}

TEST_F(ExpiryWheelTest, AJumpOfAnyLengthFindsAllThatIsDue) {
  for (int seconds = 0; seconds < 2000; ++seconds) Add(absl::Seconds(seconds));
  Add(absl::Hours(1'000'000));
  EXPECT_EQ(SweepAt(absl::Hours(24 * 365)), 2000u);
  now_ = absl::InfiniteFuture();
  due_.clear();
  EXPECT_FALSE(wheel_.Sweep(now_, kAll, &due_));
  EXPECT_EQ(due_.size(), 1u);
}

TEST_F(ExpiryWheelTest, ADeadlineThatHasPassedIsDueAtTheNextSweep) {
  Add(absl::Hours(1));
  EXPECT_EQ(SweepAt(absl::Seconds(100)), 0u);
  Add(absl::Seconds(3));
  EXPECT_EQ(SweepAt(absl::Seconds(100)), 1u);
}

TEST_F(ExpiryWheelTest, TimeThatGoesBackFindsNothingAndLosesNothing) {
  Add(absl::Seconds(5));
  Add(absl::Seconds(20));
  EXPECT_EQ(SweepAt(absl::Seconds(10)), 1u);
  EXPECT_EQ(SweepAt(absl::Seconds(1)), 0u);
  Add(absl::Seconds(2));
  EXPECT_EQ(SweepAt(absl::Seconds(2)), 0u);
  EXPECT_EQ(SweepAt(absl::Seconds(20)), 2u);
}

TEST_F(ExpiryWheelTest, ASweepLooksAtNoMoreThanItMay) {
  for (int i = 0; i < 1000; ++i) Add(absl::Seconds(5));
  now_ = start_ + absl::Seconds(6);
  int sweeps = 1;
  for (size_t before = 0; wheel_.Sweep(now_, 64, &due_); before = due_.size(), ++sweeps) {
    ASSERT_LE(due_.size() - before, 64u);
  }
  EXPECT_EQ(due_.size(), 1000u);
  EXPECT_EQ(sweeps, 1000 / 64 + 1);
}

TEST_F(ExpiryWheelTest, ARemovedEntryIsNeverDueEvenBetweenPiecesOfASweep) {
  for (int i = 0; i < 100; ++i) Add(absl::Seconds(5));
  now_ = start_ + absl::Seconds(6);
  ASSERT_TRUE(wheel_.Sweep(now_, 10, &due_));
  for (const auto& entry : entries_) wheel_.Remove(entry.get());
  EXPECT_EQ(wheel_.size(), 0u);
  EXPECT_EQ(SweepAt(absl::Seconds(6)), 0u);
}

TEST_F(ExpiryWheelTest, AnEntryNotYetDueIsFoundByALaterSweepThatTakesOverAnUnfinishedOne) {
  for (int i = 0; i < 10; ++i) Add(absl::Milliseconds(600));  // in the tick of the first sweep, due after it
  now_ = start_ + absl::Milliseconds(500);
  ASSERT_TRUE(wheel_.Sweep(now_, 5, &due_));
  EXPECT_TRUE(due_.empty());
  EXPECT_EQ(SweepAt(absl::Seconds(3)), 10u);
}

// The model: a plain list of deadlines.
TEST_F(ExpiryWheelTest, AgreesWithAListOfDeadlinesOnAnyHistory) {
  std::mt19937 random(1);
  std::vector<ExpiryWheel::Entry*> live;
  for (int i = 0; i < 20'000; ++i) {
    switch (random() % 8) {
      case 0:
      case 1:
        if (random() % 100 == 0) now_ += absl::Seconds(random() % 5000);
        now_ += absl::Milliseconds(random() % 2000);
        due_.clear();
        while (wheel_.Sweep(now_, 1 + random() % 8, &due_)) {
        }
        for (const auto* entry : due_) ASSERT_LE(entry->deadline_ns, absl::ToUnixNanos(now_));
        for (auto* entry : due_) live.erase(std::find(live.begin(), live.end(), entry));
        for (const auto* entry : live) ASSERT_GT(entry->deadline_ns, absl::ToUnixNanos(now_));
        break;
      case 2:
        due_.clear();
        wheel_.Sweep(now_, random() % 4, &due_);  // left unfinished
        for (auto* entry : due_) live.erase(std::find(live.begin(), live.end(), entry));
        break;
      case 3:
        if (live.empty()) break;
        std::swap(live[random() % live.size()], live.back());
        wheel_.Remove(live.back());
        live.pop_back();
        break;
      default:
        live.push_back(Add(now_ - start_ + absl::Milliseconds(static_cast<int>(random() % 100'000) - 1000)));
    }
    ASSERT_EQ(wheel_.size(), live.size());
  }
}

TEST_F(ExpiryWheelTest, TheSoonestDeadlineIsKnown) {
  EXPECT_EQ(wheel_.SoonestDeadline(), std::numeric_limits<int64_t>::max());
  Add(absl::Hours(2));
  Add(absl::Seconds(40));
  Add(absl::Seconds(90));
  EXPECT_EQ(wheel_.SoonestDeadline(), absl::ToUnixNanos(start_ + absl::Seconds(40)));
  SweepAt(absl::Seconds(41));
  EXPECT_EQ(wheel_.SoonestDeadline(), absl::ToUnixNanos(start_ + absl::Seconds(90)));
}

}  // namespace
}  // namespace rondo
