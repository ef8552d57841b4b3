#include "server/store/ownership_term.h"

#include "gtest/gtest.h"

namespace rondo {
namespace {

class OwnershipTermTest : public testing::Test {
 protected:
  const absl::Time start_ = absl::FromUnixSeconds(1'700'000'000);
  OwnershipTerm term_;
};

TEST_F(OwnershipTermTest, WhereServersShareNothingNoTermEnds) {
  EXPECT_EQ(term_.At(start_), term_.At(start_ + absl::Hours(1000)));
}

TEST_F(OwnershipTermTest, AServerThatIsHeardOfGoesOnInItsTerm) {
  const uint64_t first = term_.At(start_);
  for (absl::Duration passed; passed < absl::Minutes(1); passed += absl::Seconds(1)) {
    term_.Awake(start_ + passed);
    term_.Renew(start_ + passed);
  }
  EXPECT_EQ(term_.At(start_ + absl::Minutes(1)), first);
}

TEST_F(OwnershipTermTest, AProcessThatWasStoppedBeginsANewTermWhoeverSeesItFirst) {
  term_.Awake(start_);
  const uint64_t first = term_.At(start_);
  const absl::Time woken = start_ + OwnershipTerm::kLapse + absl::Seconds(1);
  EXPECT_EQ(term_.At(woken), first + 1);
  EXPECT_EQ(term_.At(woken), first + 1) << "once";
  EXPECT_EQ(term_.At(start_), first + 1) << "also for a request that came before";
  term_.Awake(woken);
  EXPECT_EQ(term_.At(woken + absl::Seconds(1)), first + 1);
  term_.Awake(woken + OwnershipTerm::kLapse + absl::Seconds(1));
  EXPECT_EQ(term_.At(woken), first + 2);
}

TEST_F(OwnershipTermTest, WhileTheStorageIsAwayTheTermGoesOnAndEndsWhenItIsBack) {
  term_.Awake(start_);
  term_.Renew(start_);
  const uint64_t first = term_.At(start_);
  absl::Duration passed;
  for (; passed < absl::Minutes(1); passed += absl::Seconds(1)) term_.Awake(start_ + passed);
  EXPECT_EQ(term_.At(start_ + passed), first);
  term_.Renew(start_ + passed);
  EXPECT_EQ(term_.At(start_ + passed), first + 1);
}

}  // namespace
}  // namespace rondo
