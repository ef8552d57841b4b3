#include "server/loop/step_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "absl/time/clock.h"
#include "model/compute_thread.h"

namespace rondo {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;

struct CountingProbe : LoopProbe {
  // How many steps each batch had so far, in ascending order; exact for those that are a bound of the histogram.
  std::vector<uint64_t> BatchSizes() const {
    std::vector<uint64_t> sizes;
    const Histogram::Snapshot batches = batch_size.Read();
    const std::vector<uint64_t>& bounds = batches.buckets->bounds;
    for (size_t i = 0; i < bounds.size(); ++i) sizes.insert(sizes.end(), batches.counts[i], bounds[i]);
    return sizes;
  }
};

std::vector<float> RandomFloats(size_t count, float scale, std::mt19937* random) {
  std::uniform_real_distribution<float> uniform(-scale, scale);
  std::vector<float> floats(count);
  for (float& value : floats) value = uniform(*random);
  return floats;
}

// Two inputs, two outputs, one layer; `scale` bounds its weights. Deterministic: alone or among others, the same bits.
std::unique_ptr<Network> MakeNetwork(Cell cell, size_t hidden_size, float scale = 0.2f) {
  ModelSpec spec;
  spec.cell = cell;
  if (cell == Cell::kRnn) spec.activation = Activation::kRelu;
  spec.num_layers = 1;
  spec.hidden_size = static_cast<int64_t>(hidden_size);
  for (const char* name : {"x", "y"}) {
    spec.inputs.push_back({name, 0, 1});
    spec.outputs.push_back({name, 0, 1, ""});
  }
  std::mt19937 random(7);
  const size_t rows = (cell == Cell::kLstm ? 4 : 1) * hidden_size;
  Weights weights;
  weights.layers.push_back({RandomFloats(rows * 2, scale, &random), RandomFloats(rows * hidden_size, scale, &random),
                            RandomFloats(rows, scale, &random), RandomFloats(rows, scale, &random)});
  weights.head_weight = RandomFloats(2 * hidden_size, scale, &random);
  weights.head_bias = RandomFloats(2, scale, &random);
  PrepareComputeThread();
  Network::Options options;
  options.kernel = KernelKind::kRondo;
  absl::StatusOr<std::unique_ptr<Network>> network = Network::Create(spec, weights, options);
  EXPECT_TRUE(network.ok()) << network.status();
  return *std::move(network);
}

// A run with its own numbers, and what became of it.
class TestRun : public RunObserver {
 public:
  TestRun(const Network& network, CountingProbe* probe, size_t timesteps, uint32_t seed) {
    std::mt19937 random(seed);
    inputs = RandomFloats(timesteps * 2, 1, &random);
    outputs.assign(timesteps * 2, -7.0f);
    state.assign(static_cast<size_t>(network.spec().state_size()), 0.0f);
    working_state.assign(state.size(), -7.0f);
    run.network = &network;
    run.probe = probe;
    run.observer = this;
    run.timesteps = timesteps;
    run.inputs = inputs.data();
    run.outputs = outputs.data();
    run.first_state = run.final_state = state.data();
    run.working_state = working_state.data();
    run.admitted = absl::Now();
  }

  void OnStep(SequenceRun*, size_t step) override { steps.push_back(step); }
  void OnFinished(SequenceRun*, const absl::Status& status) override { results.push_back(status); }

  SequenceRun run;
  std::vector<float> inputs, outputs, state, working_state;
  std::vector<size_t> steps;
  std::vector<absl::Status> results;
};

void RunUntilIdle(StepEngine* engine) {
  while (!engine->idle()) engine->RunBatch();
}

class StepEngineTest : public ::testing::Test {
 protected:
  std::unique_ptr<TestRun> MakeRun(size_t timesteps, uint32_t seed) {
    return std::make_unique<TestRun>(*network_, &probe_, timesteps, seed);
  }

  const std::unique_ptr<Network> network_ = MakeNetwork(Cell::kLstm, 8);
  CountingProbe probe_;
  ComputeHelpers helpers_{0};
  StepEngine engine_{{}, &helpers_};
};

TEST_F(StepEngineTest, ARunAmongOthersOfOtherLengthsIsBitForBitTheRunAlone) {
  std::vector<std::unique_ptr<TestRun>> together, alone;
  for (uint32_t i = 0; i < 30; ++i) {
    together.push_back(MakeRun(1 + i % 7, i));
    ASSERT_TRUE(engine_.Admit(&together.back()->run).ok());
    if (i % 10 == 9) engine_.RunBatch();  // others join while some are half way
  }
  RunUntilIdle(&engine_);
  for (uint32_t i = 0; i < 30; ++i) {
    alone.push_back(MakeRun(1 + i % 7, i));
    ASSERT_TRUE(engine_.Admit(&alone.back()->run).ok());
    RunUntilIdle(&engine_);
    EXPECT_THAT(together[i]->results, ElementsAre(absl::OkStatus()));
    EXPECT_EQ(together[i]->outputs, alone[i]->outputs);
    EXPECT_EQ(together[i]->state, alone[i]->state);
  }
}

TEST_F(StepEngineTest, AWholeSequenceIsBitForBitItsSingleSteps) {
  const auto whole = MakeRun(200, 1);
  ASSERT_TRUE(engine_.Admit(&whole->run).ok());
  RunUntilIdle(&engine_);
  const auto single = MakeRun(200, 1);
  for (size_t step = 0; step < 200; ++step) {
    SequenceRun run = single->run;
    run.timesteps = 1;
    run.inputs += step * 2;
    run.outputs += step * 2;
    ASSERT_TRUE(engine_.Admit(&run).ok());
    RunUntilIdle(&engine_);
  }
  EXPECT_EQ(whole->outputs, single->outputs);
  EXPECT_EQ(whole->state, single->state);
}

TEST_F(StepEngineTest, ALoneRunTakesManyTimestepsATurnAndOthersJoinAtTheNext) {
  const size_t at_once = network_->timesteps_at_once();
  ASSERT_GT(at_once, 1u);
  const auto lone = MakeRun(4 * at_once, 1), alike = MakeRun(4 * at_once, 1), late = MakeRun(1, 2);
  ASSERT_TRUE(engine_.Admit(&lone->run).ok());
  engine_.RunBatch();
  EXPECT_EQ(lone->run.next_step, at_once);
  ASSERT_TRUE(engine_.Admit(&late->run).ok());
  engine_.RunBatch();
  EXPECT_EQ(lone->run.next_step, at_once + 1);
  EXPECT_THAT(late->results, ElementsAre(absl::OkStatus()));
  RunUntilIdle(&engine_);
  EXPECT_THAT(probe_.BatchSizes(), SizeIs(4 * at_once));  // a step more in the batch of two
  alike->run.observe_steps = true;
  ASSERT_TRUE(engine_.Admit(&alike->run).ok());
  RunUntilIdle(&engine_);
  EXPECT_EQ(lone->outputs, alike->outputs);
  EXPECT_EQ(lone->state, alike->state);
}

TEST_F(StepEngineTest, ATurnEndsWithABatchThatOthersCouldJoin) {
  const auto a = MakeRun(3, 1), b = MakeRun(3, 2);
  for (TestRun* run : {a.get(), b.get()}) ASSERT_TRUE(engine_.Admit(&run->run).ok());
  engine_.RunTurn();
  EXPECT_EQ(a->run.next_step, 1u);
  EXPECT_EQ(b->run.next_step, 1u);
  RunUntilIdle(&engine_);
}

TEST_F(StepEngineTest, ATurnOfOneShortRunEndsWithIt) {
  const auto alone = MakeRun(network_->timesteps_at_once() + 1, 1);
  ASSERT_TRUE(engine_.Admit(&alone->run).ok());
  while (!engine_.idle()) engine_.RunTurn();
  EXPECT_THAT(alone->results, ElementsAre(absl::OkStatus()));
}

TEST_F(StepEngineTest, OnlyTheLastStepWritesTheFinalState) {
  const auto run = MakeRun(3 * network_->timesteps_at_once(), 1);
  const std::vector<float> before = run->state;
  ASSERT_TRUE(engine_.Admit(&run->run).ok());
  engine_.RunBatch();
  engine_.RunBatch();
  EXPECT_EQ(run->state, before);
  EXPECT_THAT(run->results, SizeIs(0));
  engine_.RunBatch();
  EXPECT_NE(run->state, before);
  EXPECT_THAT(run->results, ElementsAre(absl::OkStatus()));
}

TEST_F(StepEngineTest, CancelledHalfWayLeavesTheFinalStateAsItWas) {
  const auto run = MakeRun(3 * network_->timesteps_at_once(), 1);
  const std::vector<float> before = run->state;
  ASSERT_TRUE(engine_.Admit(&run->run).ok());
  engine_.RunBatch();
  run->run.cancelled = true;
  RunUntilIdle(&engine_);
  ASSERT_THAT(run->results, SizeIs(1));
  EXPECT_EQ(run->results[0].code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(run->state, before);
}

TEST_F(StepEngineTest, AnExpiredRunIsNotRun) {
  const auto run = MakeRun(1, 1);
  run->run.deadline = absl::Now();
  ASSERT_TRUE(engine_.Admit(&run->run).ok());
  RunUntilIdle(&engine_);
  ASSERT_THAT(run->results, SizeIs(1));
  EXPECT_EQ(run->results[0].code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(run->outputs, Each(-7.0f));
  EXPECT_THAT(probe_.BatchSizes(), SizeIs(0));
}

TEST_F(StepEngineTest, AResultThatIsNotFiniteFailsThatRunAlone) {
  const std::unique_ptr<Network> network = MakeNetwork(Cell::kRnn, 8, /*scale=*/100.0f);
  TestRun bad(*network, &probe_, 100, 1), fine(*network, &probe_, 1, 2);
  const std::vector<float> before = bad.state;
  ASSERT_TRUE(engine_.Admit(&bad.run).ok());
  ASSERT_TRUE(engine_.Admit(&fine.run).ok());
  RunUntilIdle(&engine_);
  ASSERT_THAT(bad.results, SizeIs(1));
  EXPECT_EQ(bad.results[0].code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(bad.state, before);
  EXPECT_THAT(fine.results, ElementsAre(absl::OkStatus()));
}

TEST_F(StepEngineTest, LastOnlyWritesOneRowAlone) {
  const auto all = MakeRun(150, 1), last = MakeRun(150, 1);
  last->run.last_only = true;
  for (TestRun* run : {all.get(), last.get()}) {
    ASSERT_TRUE(engine_.Admit(&run->run).ok());
    RunUntilIdle(&engine_);
  }
  EXPECT_EQ(last->outputs[0], all->outputs[298]);
  EXPECT_EQ(last->outputs[1], all->outputs[299]);
  EXPECT_EQ(last->outputs[2], -7.0f);
  EXPECT_EQ(last->state, all->state);
}

TEST_F(StepEngineTest, LastOnlyWritesOneRow) {
  const auto all = MakeRun(5, 1), last = MakeRun(5, 1);
  last->run.last_only = true;
  ASSERT_TRUE(engine_.Admit(&all->run).ok());
  ASSERT_TRUE(engine_.Admit(&last->run).ok());
  RunUntilIdle(&engine_);
  EXPECT_EQ(last->outputs[0], all->outputs[8]);
  EXPECT_EQ(last->outputs[1], all->outputs[9]);
  EXPECT_EQ(last->outputs[2], -7.0f);
}

TEST_F(StepEngineTest, StepsBeforeTheLastAreObservedOnRequest) {
  const auto run = MakeRun(4, 1), silent = MakeRun(4, 1);
  run->run.observe_steps = true;
  ASSERT_TRUE(engine_.Admit(&run->run).ok());
  ASSERT_TRUE(engine_.Admit(&silent->run).ok());
  RunUntilIdle(&engine_);
  EXPECT_THAT(run->steps, ElementsAre(0, 1, 2));
  EXPECT_THAT(silent->steps, SizeIs(0));
}

TEST_F(StepEngineTest, EachRunIsCountedAsQueuedOnceWithThoseAdmittedWithIt) {
  std::vector<std::unique_ptr<TestRun>> runs;
  const absl::Time start = absl::Now();
  for (const int milliseconds : {0, 0, 1, 1, 1, 2}) {
    runs.push_back(MakeRun(runs.size() % 2 + 1, 1));
    runs.back()->run.admitted = start + absl::Milliseconds(milliseconds);
    ASSERT_TRUE(engine_.Admit(&runs.back()->run).ok());
  }
  RunUntilIdle(&engine_);
  CountAndTime queued;
  probe_.queue.AddTo(&queued);
  EXPECT_EQ(queued.count, 6u);
  EXPECT_THAT(probe_.BatchSizes(), ElementsAre(3, 6));
}

TEST_F(StepEngineTest, HelpersChangeNoBitOfTheResult) {
  // Big enough that a full batch is split.
  const std::unique_ptr<Network> network = MakeNetwork(Cell::kLstm, 160);
  ComputeHelpers two(2);
  StepEngine shared({}, &two);
  for (const uint32_t count : {1u, 17u, 64u, 100u, 192u}) {
    std::vector<std::unique_ptr<TestRun>> with, without;
    CountingProbe split;
    for (uint32_t i = 0; i < count; ++i) {
      with.push_back(std::make_unique<TestRun>(*network, &split, 2, i));
      without.push_back(std::make_unique<TestRun>(*network, &probe_, 2, i));
      ASSERT_TRUE(shared.Admit(&with.back()->run).ok());
      ASSERT_TRUE(engine_.Admit(&without.back()->run).ok());
    }
    RunUntilIdle(&shared);
    if (count == 192) {
      EXPECT_THAT(split.BatchSizes(), ElementsAre(192, 192));
    }
    RunUntilIdle(&engine_);
    for (uint32_t i = 0; i < count; ++i) {
      EXPECT_EQ(with[i]->outputs, without[i]->outputs);
      EXPECT_EQ(with[i]->state, without[i]->state);
    }
  }
}

}  // namespace
}  // namespace rondo
