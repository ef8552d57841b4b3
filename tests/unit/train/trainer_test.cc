#include "model/train/trainer.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/checksum.h"
#include "model/train/checkpoint.h"
#include "model/train/model_assembly.h"
#include "model/train/random.h"
#include "tests/temporary_folder.h"

namespace rondo::train {
namespace {

Dataset NoisySine() {
  SeriesSet set;
  set.columns = {"x"};
  Series series;
  Random random(3);
  for (int t = 0; t < 400; ++t) series.values.push_back(std::sin(0.4 * t) + 0.05 * random.Normal());
  series.timesteps = 400;
  set.series.push_back(series);
  DatasetOptions options;
  options.inputs = options.targets = {"x"};
  return Dataset::Create(std::move(set), options).value();
}

LearningOptions Options(bool carry, int64_t epochs = 4) {
  LearningOptions options;
  options.window = 16;
  options.batch_size = 4;
  options.epochs = epochs;
  options.learning_rate = 0.01;
  options.dropout = 0.2;
  options.carry_state = carry;
  return options;
}

std::unique_ptr<Trainer> MakeTrainer(const Dataset& dataset, const LearningOptions& options) {
  PrepareTrainingThread(1);
  NetworkShape network;
  network.num_layers = 2;
  network.hidden_size = 8;
  return Trainer::Create(dataset, ShapeOf(SpecOf(dataset, network, options.loss)), options).value();
}

Trainer::Hooks StopAfter(int64_t steps) {
  auto left = std::make_shared<int64_t>(steps);
  return {[left] { return --*left == 0; }, [](const Trainer&) {}, [](const Trainer&) {}};
}

class TrainerTest : public testing::TestWithParam<bool> {};

TEST_P(TrainerTest, LearnsWhatPersistenceCannotKnow) {
  const Dataset dataset = NoisySine();
  const auto trainer = MakeTrainer(dataset, Options(GetParam(), 12));
  ASSERT_TRUE(trainer->Run(StopAfter(-1)).ok());
  EXPECT_LT(trainer->state().best_loss, 0.3 * trainer->state().validation_losses[0]);
  EXPECT_TRUE(trainer->complete());
}

TEST_P(TrainerTest, ARunResumedFromAnyStepEndsWithTheSameBits) {
  const Dataset dataset = NoisySine();
  const TemporaryFolder folder;
  const std::string path = folder.Path("checkpoint");
  const auto whole = MakeTrainer(dataset, Options(GetParam()));
  ASSERT_TRUE(whole->Run(StopAfter(-1)).ok());
  for (const int64_t steps : {1, 19, 20, 21, 53}) {
    const auto first = MakeTrainer(dataset, Options(GetParam())), second = MakeTrainer(dataset, Options(GetParam()));
    ASSERT_TRUE(first->Run(StopAfter(steps)).ok());
    EXPECT_EQ(first->state().optimizer.step, steps);
    ASSERT_TRUE(WriteCheckpoint(first->state(), 1, path).ok());
    auto state = ReadCheckpoint(1, path);
    ASSERT_TRUE(state.ok()) << state.status();
    ASSERT_TRUE(second->Resume(*std::move(state)).ok());
    ASSERT_TRUE(second->Run(StopAfter(-1)).ok());
    EXPECT_EQ(second->state().parameters, whole->state().parameters) << "stopped after step " << steps;
    EXPECT_EQ(second->state().best_parameters, whole->state().best_parameters);
    EXPECT_EQ(second->state().validation_losses, whole->state().validation_losses);
    EXPECT_EQ(second->state().training_losses, whole->state().training_losses);
  }
  std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(States, TrainerTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Carried" : "Reset"; });

// x' = memory * x + noise: a random walk at memory 1, and the less of it the more of the next change is known.
Dataset Autoregression(double memory, int64_t timesteps, uint64_t seed) {
  SeriesSet set;
  set.columns = {"x"};
  Series series;
  Random random(seed);
  double x = 0;
  for (int64_t t = 0; t < timesteps; ++t) series.values.push_back(x = memory * x + random.Normal());
  series.timesteps = timesteps;
  set.series.push_back(series);
  DatasetOptions options;
  options.inputs = options.targets = {"x"};
  return Dataset::Create(std::move(set), options).value();
}

// Of `count` series, how many runs kept the initial network.
int CountRefused(double memory, int64_t timesteps, int count, const LearningOptions& options) {
  int refused = 0;
  for (int seed = 1; seed <= count; ++seed) {
    const Dataset dataset = Autoregression(memory, timesteps, seed);
    const auto trainer = MakeTrainer(dataset, options);
    EXPECT_TRUE(trainer->Run(StopAfter(-1)).ok());
    refused += trainer->state().best_epoch == 0;
  }
  return refused;
}

TEST(ChanceTest, OfRandomWalksNothingButTheMeanChangeIsKept) {
  EXPECT_GE(CountRefused(1, 300, 12, Options(false, 5)), 11);
}

TEST(ChanceTest, ASkillOfAFifthIsSeenOnNinetyTimesteps) { EXPECT_LE(CountRefused(0.6, 600, 12, Options(false, 8)), 3); }

TEST(DivergenceTest, ADivergingRunStopsAndKeepsTheLastGoodWeights) {
  const Dataset dataset = NoisySine();
  LearningOptions options = Options(false, 50);
  options.learning_rate = 1e38;
  options.clip_norm = 0;
  const auto trainer = MakeTrainer(dataset, options);
  const absl::Status status = trainer->Run(StopAfter(-1));
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("step"));
  for (const float parameter : trainer->state().best_parameters) ASSERT_TRUE(std::isfinite(parameter));
}

TEST(CheckpointTest, OfAnotherRunOrBrokenIsRefused) {
  const Dataset dataset = NoisySine();
  const TemporaryFolder folder;
  const std::string path = folder.Path("checkpoint");
  const auto trainer = MakeTrainer(dataset, Options(false));
  ASSERT_TRUE(WriteCheckpoint(trainer->state(), 1, path).ok());
  EXPECT_EQ(ReadCheckpoint(2, path).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReadCheckpoint(1, path + "x").status().code(), absl::StatusCode::kNotFound);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_EQ(ReadCheckpoint(1, path).status().code(), absl::StatusCode::kDataLoss);
  std::ofstream(path) << "hello";
  EXPECT_EQ(ReadCheckpoint(1, path).status().code(), absl::StatusCode::kDataLoss);
  std::filesystem::remove(path);
}

LearningState SmallState() {
  LearningState state;
  state.parameters = state.best_parameters = {1, 2};
  state.optimizer = {7, {3, 4}, {5, 6}};
  state.training_losses = {0.5};
  state.validation_losses = {0.75, 0.625};
  state.carried = {8};
  return state;
}

TEST(CheckpointTest, EveryTruncationAndEveryFlippedBitIsDataLoss) {
  const std::string whole = CheckpointBytes(SmallState(), 1);
  ASSERT_TRUE(ParseCheckpoint(1, whole).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(ParseCheckpoint(1, whole.substr(0, size)).status().code(), absl::StatusCode::kDataLoss) << size;
  }
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_EQ(ParseCheckpoint(1, flipped).status().code(), absl::StatusCode::kDataLoss) << bit;
  }
  EXPECT_EQ(ParseCheckpoint(1, whole + "x").status().code(), absl::StatusCode::kDataLoss);
}

// A checksum that fits proves nothing: what it covers may still be no state.
TEST(CheckpointTest, AnyBytesUnderAFittingChecksumAreAStateOrDataLoss) {
  const std::string whole = CheckpointBytes(SmallState(), 1);
  Random random(1);
  for (int turn = 0; turn < 20000; ++turn) {
    std::string bytes = whole.substr(0, whole.size() - sizeof(uint64_t));
    for (int changes = 0; changes <= turn % 4; ++changes) {
      bytes[16 + random.Below(static_cast<int64_t>(bytes.size()) - 16)] = static_cast<char>(random.Below(256));
    }
    const uint64_t checksum = Checksum(bytes);
    bytes.append(reinterpret_cast<const char*>(&checksum), sizeof(checksum));
    const auto state = ParseCheckpoint(1, bytes);
    if (state.ok()) {
      EXPECT_EQ(CheckpointBytes(*state, 1), bytes);
    } else {
      EXPECT_EQ(state.status().code(), absl::StatusCode::kDataLoss);
    }
  }
}

TEST(CheckpointTest, OfAnotherShapeIsNotResumed) {
  const Dataset dataset = NoisySine();
  const auto trainer = MakeTrainer(dataset, Options(false));
  ASSERT_TRUE(trainer->Run(StopAfter(30)).ok());
  const LearningState good = trainer->state();
  const std::vector<std::pair<const char*, std::function<void(LearningState&)>>> damages = {
      {"parameters", [](LearningState& state) { state.parameters.pop_back(); }},
      {"moments", [](LearningState& state) { state.optimizer.second_moment.clear(); }},
      {"state", [](LearningState& state) { state.carried.push_back(0); }},
      {"negative step", [](LearningState& state) { state.step_in_epoch = -1; }},
      {"step", [](LearningState& state) { state.step_in_epoch = 1 << 20; }},
      {"epoch", [](LearningState& state) { state.epoch = 99; }},
      {"negative epoch", [](LearningState& state) { state.epoch = -1; }},
      {"refit", [](LearningState& state) { state.refit_epochs = -1; }},
      {"best", [](LearningState& state) { state.best_epoch = -1; }},
      {"losses", [](LearningState& state) { state.validation_losses.clear(); }}};
  for (const auto& [what, damage] : damages) {
    LearningState state = good;
    damage(state);
    EXPECT_EQ(trainer->Resume(state).code(), absl::StatusCode::kInvalidArgument) << what;
  }
  EXPECT_EQ(trainer->state().parameters, good.parameters);
  EXPECT_TRUE(trainer->Resume(good).ok());
}

}  // namespace
}  // namespace rondo::train
