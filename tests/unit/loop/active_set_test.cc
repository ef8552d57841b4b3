#include "server/loop/active_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <vector>

namespace rondo {
namespace {

using ::testing::Contains;
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
  // `count` runs of one flow, admitted.
  std::deque<SequenceRun> Admitted(ActiveSet* set, Flow* flow, size_t count, size_t timesteps) {
    std::deque<SequenceRun> runs(count, RunOf(network_a_, timesteps));
    for (SequenceRun& run : runs) {
      run.flow = flow;
      EXPECT_TRUE(set->Admit(&run).ok());
    }
    return runs;
  }

  std::vector<SequenceRun*> Take(ActiveSet* set, size_t max_rows = 64) {
    set->TakeBatch(now_, max_rows, &batch_, &dropped_);
    return batch_;
  }
  // Takes a batch and steps it, as an engine does.
  std::vector<SequenceRun*> Step(ActiveSet* set, size_t max_rows = 64) {
    Take(set, max_rows);
    for (SequenceRun* run : batch_) ++run->next_step == run->timesteps ? set->Leave(run) : set->Return(run);
    return batch_;
  }
  size_t RowsOf(const Flow& flow) const {
    const auto is_its = [&flow](const SequenceRun* run) { return run->flow == &flow; };
    return static_cast<size_t>(std::count_if(batch_.begin(), batch_.end(), is_its));
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

TEST_F(ActiveSetTest, TheSequencesOfAFlowThatHaveBegunGoOnBeforeOthersBegin) {
  ActiveSet set({});
  SequenceRun a = RunOf(network_a_, 2), b = RunOf(network_a_, 2), c = RunOf(network_a_, 2);
  for (SequenceRun* run : {&a, &b, &c}) ASSERT_TRUE(set.Admit(run).ok());
  EXPECT_THAT(Step(&set, 2), ElementsAre(&a, &b));
  EXPECT_THAT(Step(&set, 2), ElementsAre(&a, &b));
  EXPECT_THAT(Step(&set, 2), ElementsAre(&c));
}

TEST_F(ActiveSetTest, LateArrivalJoinsAtTheNextStep) {
  ActiveSet set({});
  SequenceRun long_one = RunOf(network_a_, 1000), late = RunOf(network_a_);
  ASSERT_TRUE(set.Admit(&long_one).ok());
  EXPECT_THAT(Take(&set), ElementsAre(&long_one));
  ASSERT_TRUE(set.Admit(&late).ok());
  set.Return(&long_one);
  EXPECT_THAT(Take(&set), ElementsAre(&long_one, &late));
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

TEST_F(ActiveSetTest, PastBothLimitsSequencesAreRefusedUntilOneLeaves) {
  ActiveSet set({/*max_active=*/1, /*max_queued=*/1});
  SequenceRun a = RunOf(network_a_), b = RunOf(network_a_), late = RunOf(network_a_);
  EXPECT_TRUE(set.Admit(&a).ok());
  EXPECT_TRUE(set.Admit(&b).ok());
  const absl::Status status = set.Admit(&late);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "the queue is full: 2 sequences run or wait");

  EXPECT_THAT(Take(&set), ElementsAre(&a, &b));
  EXPECT_FALSE(set.Admit(&late).ok());  // the places are still taken
  set.Leave(&a);
  EXPECT_TRUE(set.Admit(&late).ok());
  set.Leave(&b);
  EXPECT_THAT(Step(&set), ElementsAre(&late));
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

TEST_F(ActiveSetTest, LiveStepsGetIntoTheNextBatchOfABulkFlow) {
  ActiveSet set({});
  Flow bulk, live[4];
  std::deque<SequenceRun> sequences = Admitted(&set, &bulk, 5000, 100);
  Step(&set);
  std::deque<SequenceRun> steps[4];
  for (int i = 0; i < 4; ++i) steps[i] = Admitted(&set, &live[i], 1, 1);
  Step(&set);
  for (int i = 0; i < 4; ++i) EXPECT_THAT(batch_, Contains(&steps[i][0]));
  EXPECT_EQ(RowsOf(bulk), 60u);  // it fills the batch
}

TEST_F(ActiveSetTest, FlowsShareABatchEquallyHoweverManySequencesTheyHave) {
  ActiveSet set({});
  Flow flows[3];
  std::deque<SequenceRun> runs[3];
  for (int i = 0; i < 3; ++i) runs[i] = Admitted(&set, &flows[i], i == 0 ? 1000 : 20, 1000);
  Step(&set, 30);
  for (const Flow& flow : flows) EXPECT_EQ(RowsOf(flow), 10u);
}

TEST_F(ActiveSetTest, AStepThatManyFollowIsOneOfALongRun) {
  ActiveSet set({});
  Flow first, second, third;
  SequenceRun search = RunOf(network_a_), last_step = RunOf(network_a_), soon = RunOf(network_a_, 2);
  search.flow = &first;
  search.timesteps_after = ActiveSet::kSoonTimesteps;
  last_step.flow = &second;
  last_step.timesteps_after = ActiveSet::kSoonTimesteps - 1;
  soon.flow = &third;
  for (SequenceRun* run : {&search, &last_step, &soon}) ASSERT_TRUE(set.Admit(run).ok());
  EXPECT_THAT(Step(&set), ElementsAre(&last_step, &soon, &search));
}

TEST_F(ActiveSetTest, WhatEndsSoonGoesBeforeWhatTakesLong) {
  ActiveSet set({});
  Flow first, second, third;
  std::deque<SequenceRun> bulk = Admitted(&set, &first, 1, 100);
  std::deque<SequenceRun> soon = Admitted(&set, &second, 1, ActiveSet::kSoonTimesteps);
  std::deque<SequenceRun> step = Admitted(&set, &third, 1, 1);
  EXPECT_THAT(Step(&set), ElementsAre(&soon[0], &step[0], &bulk[0]));
  EXPECT_THAT(Step(&set, 1), ElementsAre(&soon[0]));
}

TEST_F(ActiveSetTest, BulkGetsItsShareOfBatchesThatLiveStepsWouldFill) {
  for (const size_t rows : {size_t{1}, size_t{8}, size_t{64}}) {
    ActiveSet set({});
    Flow bulk;
    std::deque<Flow> live(200);
    std::deque<SequenceRun> sequences = Admitted(&set, &bulk, 100, 1000);
    std::vector<std::deque<SequenceRun>> steps;
    size_t bulk_rows = 0;
    for (Flow& flow : live) steps.push_back(Admitted(&set, &flow, 100, 1));
    for (int i = 0; i < 80; ++i) {
      Step(&set, rows);
      bulk_rows += RowsOf(bulk);
    }
    EXPECT_EQ(bulk_rows, 80 * rows / ActiveSet::kBulkShare);
  }
}

TEST_F(ActiveSetTest, NoFlowWaitsMoreBatchesThanTheFlowsFill) {
  std::mt19937 random(7);
  constexpr size_t kRows = 16;
  for (int trial = 0; trial < 20; ++trial) {
    ActiveSet set({});
    std::deque<Flow> flows(1 + random() % 30);
    std::deque<std::deque<SequenceRun>> runs;
    std::map<const Flow*, int> waited;
    for (Flow& flow : flows) {
      runs.push_back(Admitted(&set, &flow, 1 + random() % 10, random() % 2 == 0 ? 1 : 1 + random() % 40));
      waited[&flow] = 0;
    }
    // One class has at least an eighth of the rows, and any of its flows takes one before another takes two.
    const int bound = static_cast<int>(flows.size() * ActiveSet::kBulkShare / kRows) + 2;
    while (!set.empty()) {
      Step(&set, kRows);
      for (size_t i = 0; i < flows.size(); ++i) {
        const auto goes_on = [](const SequenceRun& run) { return run.next_step < run.timesteps; };
        int& batches = waited[&flows[i]];
        batches = RowsOf(flows[i]) > 0 || std::none_of(runs[i].begin(), runs[i].end(), goes_on) ? 0 : batches + 1;
        ASSERT_LE(batches, bound);
      }
    }
  }
}

TEST_F(ActiveSetTest, AFlowMayHaveRunsOfSeveralNetworksAndMayGoOnceTheyHaveLeft) {
  ActiveSet set({});
  SequenceRun a = RunOf(network_a_), b = RunOf(network_b_), again = RunOf(network_a_);
  for (int i = 0; i < 3; ++i) {
    Flow flow;
    for (SequenceRun* run : {&a, &b}) {
      run->flow = &flow;
      ASSERT_TRUE(set.Admit(run).ok());
    }
    EXPECT_THAT(Step(&set), ElementsAre(&a));
    again.flow = &flow;
    ASSERT_TRUE(set.Admit(&again).ok());
    EXPECT_THAT(Step(&set), ElementsAre(&b));
    EXPECT_THAT(Step(&set), ElementsAre(&again));
  }
  EXPECT_TRUE(set.empty());
}

TEST_F(ActiveSetTest, WhatACancelledFlowLeavesBehindIsDroppedAtItsFirstTurn) {
  ActiveSet set({});
  Flow cancelled, other;
  std::deque<SequenceRun> gone = Admitted(&set, &cancelled, 100, 100), goes_on = Admitted(&set, &other, 1, 100);
  for (SequenceRun& run : gone) run.cancelled = true;
  EXPECT_THAT(Take(&set, 1), ElementsAre(&goes_on[0]));
  EXPECT_EQ(dropped_.size(), 100u);
}

TEST_F(ActiveSetTest, AClientWithAThousandStreamsDelaysAClientWithOneByNoMoreThanOneRow) {
  for (const size_t timesteps : {size_t{1}, size_t{50}}) {
    ActiveSet set({});
    ClientFlows crowd, lone;
    std::deque<Flow> crowded(1000);
    std::deque<std::deque<SequenceRun>> runs;
    for (Flow& flow : crowded) {
      flow.BelongTo(&crowd);
      runs.push_back(Admitted(&set, &flow, 2, timesteps));
    }
    Flow stream;
    stream.BelongTo(&lone);
    const std::deque<SequenceRun> live = Admitted(&set, &stream, 3, timesteps);
    Step(&set, 6);
    EXPECT_EQ(RowsOf(stream), 3u);
  }
}

TEST_F(ActiveSetTest, TheRunsOfAFlowStandTogetherInABatch) {
  ActiveSet set({});
  Flow first, second;
  std::deque<SequenceRun> a = Admitted(&set, &first, 2, 1), b = Admitted(&set, &second, 3, 1);
  EXPECT_THAT(Step(&set, 64), ElementsAre(&a[0], &a[1], &b[0], &b[1], &b[2]));
}

// How many rows each flow of `runs`, [clients][flows], has in a batch if clients, and flows within them, take turns of
// one row each.
std::vector<std::vector<size_t>> RowsByTurns(const std::vector<std::vector<size_t>>& runs, size_t max_rows) {
  std::vector<std::vector<size_t>> rows;
  std::vector<std::deque<size_t>> flows(runs.size());
  std::deque<size_t> clients;
  for (size_t client = 0; client < runs.size(); ++client) {
    rows.emplace_back(runs[client].size());
    for (size_t flow = 0; flow < runs[client].size(); ++flow) flows[client].push_back(flow);
    clients.push_back(client);
  }
  for (size_t row = 0; row < max_rows && !clients.empty(); ++row) {
    const size_t client = clients.front(), flow = flows[client].front();
    clients.pop_front();
    flows[client].pop_front();
    if (++rows[client][flow] < runs[client][flow]) flows[client].push_back(flow);
    if (!flows[client].empty()) clients.push_back(client);
  }
  return rows;
}

TEST_F(ActiveSetTest, ABatchHasTheRowsThatTurnsOfOneRowGive) {
  std::mt19937 random(3);
  for (int trial = 0; trial < 200; ++trial) {
    ActiveSet set({});
    std::deque<ClientFlows> clients(1 + random() % 4);
    std::deque<std::deque<Flow>> flows;
    std::deque<std::deque<SequenceRun>> runs;
    std::vector<std::vector<size_t>> counts;
    for (ClientFlows& client : clients) {
      flows.emplace_back(1 + random() % 4);
      counts.emplace_back();
      for (Flow& flow : flows.back()) {
        flow.BelongTo(&client);
        counts.back().push_back(1 + random() % 20);
        runs.push_back(Admitted(&set, &flow, counts.back().back(), 1));
      }
    }
    const size_t max_rows = 1 + random() % 64;
    const std::vector<std::vector<size_t>> wanted = RowsByTurns(counts, max_rows);
    Step(&set, max_rows);
    for (size_t client = 0; client < clients.size(); ++client) {
      for (size_t flow = 0; flow < flows[client].size(); ++flow) {
        ASSERT_EQ(RowsOf(flows[client][flow]), wanted[client][flow]) << "trial " << trial;
      }
    }
    while (!set.empty()) Step(&set);
  }
}

TEST_F(ActiveSetTest, TheStreamsOfOneClientTakeTurnsAmongThemselves) {
  ActiveSet set({});
  ClientFlows client, other;
  Flow a, b, c;
  a.BelongTo(&client);
  b.BelongTo(&client);
  c.BelongTo(&other);
  const std::deque<SequenceRun> of_a = Admitted(&set, &a, 9, 1), of_b = Admitted(&set, &b, 9, 1);
  const std::deque<SequenceRun> of_c = Admitted(&set, &c, 9, 1);
  Step(&set, 8);
  EXPECT_EQ(RowsOf(a), 2u);
  EXPECT_EQ(RowsOf(b), 2u);
  EXPECT_EQ(RowsOf(c), 4u);
  while (!set.empty()) Step(&set, 8);
}

}  // namespace
}  // namespace rondo
