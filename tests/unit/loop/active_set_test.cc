#include "server/loop/active_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ActiveSetTest : public ::testing::Test {
 protected:
  // Networks are told apart by address only.
  const Network* const network_a_ = reinterpret_cast<const Network*>(&networks_[0]);
  const Network* const network_b_ = reinterpret_cast<const Network*>(&networks_[1]);

  SequenceRun RunOf(const Network* network, size_t timesteps = 1) {
    SequenceRun run;
    run.network = network;
    run.timesteps = timesteps;
    return run;
  }

  std::vector<SequenceRun*> Take(ActiveSet* set, size_t max_rows = 64) {
    set->TakeBatch(now_, max_rows, &batch_, &dropped_);
    return batch_;
  }

  absl::Time now_ = absl::FromUnixSeconds(1000);
  std::vector<SequenceRun*> batch_;
  std::vector<SequenceRun*> dropped_;

 private:
  int networks_[2] = {0, 0};
};

TEST_F(ActiveSetTest, AnEmptySetHasNoTurn) {
  ActiveSet set({});
  EXPECT_EQ(set.next_network(), nullptr);
  EXPECT_THAT(Take(&set), IsEmpty());
  EXPECT_TRUE(set.empty());
}

TEST_F(ActiveSetTest, SequencesTakeTurnsInTheOrderTheyCame) {
  ActiveSet set({});
  SequenceRun a = RunOf(network_a_, 3), b = RunOf(network_a_, 3), c = RunOf(network_a_, 3);
  for (SequenceRun* run : {&a, &b, &c}) ASSERT_TRUE(set.Admit(run).ok());
  EXPECT_THAT(Take(&set, 2), ElementsAre(&a, &b));
  set.Return(&a);
  set.Return(&b);
  EXPECT_THAT(Take(&set, 2), ElementsAre(&c, &a));
}

TEST_F(ActiveSetTest, LateArrivalJoinsAtTheNextStep) {
  ActiveSet set({});
  SequenceRun long_one = RunOf(network_a_, 1000), late = RunOf(network_a_);
  ASSERT_TRUE(set.Admit(&long_one).ok());
  EXPECT_THAT(Take(&set), ElementsAre(&long_one));
  ASSERT_TRUE(set.Admit(&late).ok());
  set.Return(&long_one);
  EXPECT_THAT(Take(&set), ElementsAre(&late, &long_one));
}

TEST_F(ActiveSetTest, ABatchHoldsOneNetworkAndNetworksTakeTurns) {
  ActiveSet set({});
  SequenceRun a1 = RunOf(network_a_), a2 = RunOf(network_a_), a3 = RunOf(network_a_), b1 = RunOf(network_b_);
  for (SequenceRun* run : {&a1, &b1, &a2, &a3}) ASSERT_TRUE(set.Admit(run).ok());
  EXPECT_EQ(set.next_network(), network_a_);
  EXPECT_THAT(Take(&set, 2), ElementsAre(&a1, &a2));
  EXPECT_EQ(set.next_network(), network_b_);
  EXPECT_THAT(Take(&set, 2), ElementsAre(&b1));
  EXPECT_THAT(Take(&set, 2), ElementsAre(&a3));
}

TEST_F(ActiveSetTest, PastMaxActiveSequencesWaitAndPastMaxQueuedTheyAreRefused) {
  ActiveSet set({/*max_active=*/1, /*max_queued=*/1});
  SequenceRun active = RunOf(network_a_), queued = RunOf(network_a_), refused = RunOf(network_a_);
  EXPECT_TRUE(set.Admit(&active).ok());
  EXPECT_TRUE(set.Admit(&queued).ok());
  const absl::Status status = set.Admit(&refused);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("1 sequences run and 1 wait"));

  EXPECT_THAT(Take(&set), ElementsAre(&active));
  EXPECT_THAT(Take(&set), IsEmpty());  // the place is still taken
  set.Leave();
  EXPECT_THAT(Take(&set), ElementsAre(&queued));
  set.Leave();
  EXPECT_TRUE(set.empty());
}

TEST_F(ActiveSetTest, ZeroQueuedMeansNoneMayWait) {
  ActiveSet set({/*max_active=*/1, /*max_queued=*/0});
  SequenceRun active = RunOf(network_a_), refused = RunOf(network_a_);
  EXPECT_TRUE(set.Admit(&active).ok());
  EXPECT_FALSE(set.Admit(&refused).ok());
}

TEST_F(ActiveSetTest, ExpiredAndCancelledSequencesAreDroppedBeforeTheyRun) {
  ActiveSet set({});
  SequenceRun expired = RunOf(network_a_), cancelled = RunOf(network_a_), fine = RunOf(network_a_);
  expired.deadline = now_;
  cancelled.cancelled = true;
  fine.deadline = now_ + absl::Nanoseconds(1);
  for (SequenceRun* run : {&expired, &cancelled, &fine}) ASSERT_TRUE(set.Admit(run).ok());
  EXPECT_THAT(Take(&set), ElementsAre(&fine));
  EXPECT_THAT(dropped_, ElementsAre(&expired, &cancelled));
}

TEST_F(ActiveSetTest, DroppedSequencesTakeNoRowOfTheBatch) {
  ActiveSet set({});
  SequenceRun expired = RunOf(network_a_), first = RunOf(network_a_), second = RunOf(network_a_);
  expired.deadline = absl::InfinitePast();
  for (SequenceRun* run : {&expired, &first, &second}) ASSERT_TRUE(set.Admit(run).ok());
  EXPECT_THAT(Take(&set, 2), ElementsAre(&first, &second));
}

}  // namespace
}  // namespace rondo
