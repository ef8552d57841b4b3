#include "model/network.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "tests/unit/model/random_network.h"

namespace rondo {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr int64_t kSmallInputSize = 3;
constexpr int64_t kSmallOutputSize = 2;

Network::Options Reference() {
  Network::Options options;
  options.kernel = KernelKind::kReference;
  return options;
}

Network::Options OneDnn() {
  Network::Options options;
  options.kernel = KernelKind::kOneDnn;
  return options;
}

ModelSpec TwoLayerLstm() { return MakeSpec({"Lstm", Cell::kLstm}, kSmallInputSize, 20, 2, kSmallOutputSize); }

// ---- A row's result does not depend on what shares its batch.

class BatchTest : public testing::TestWithParam<std::tuple<CellCase, int64_t>> {
 protected:
  static constexpr size_t kSeries = 21;
  static constexpr int kTimesteps = 6;

  // Every series alone, then all of them in batches that change from timestep to timestep; the largest difference.
  static double AloneAgainstBatched(const ModelSpec& spec, const Network::Options& options) {
    const auto network = MakeNetwork(spec, RandomWeights(spec, 3), options);
    const std::vector<float> inputs = RandomInputs(kTimesteps * kSeries * kSmallInputSize, 4);
    Series alone(spec, kSeries), batched(spec, kSeries);
    for (int t = 0; t < kTimesteps; ++t) {
      const float* step_inputs = &inputs[t * kSeries * kSmallInputSize];
      for (size_t i = 0; i < kSeries; ++i) {
        StepRow row = alone.Row(i, step_inputs + i * kSmallInputSize);
        network->Step({&row, 1});
      }
      const size_t batch_size = kSeries - 3 * t;  // 21, 18, ... rows, starting with another series each time
      for (size_t first = 0; first < kSeries; first += batch_size) {
        std::vector<StepRow> rows;
        for (size_t i = first; i < std::min(first + batch_size, kSeries); ++i) {
          const size_t series = (i * 2 + t) % kSeries;
          rows.push_back(batched.Row(series, step_inputs + series * kSmallInputSize));
        }
        network->Step(absl::MakeSpan(rows));
      }
    }
    return std::max(LargestDifference(alone.states(), batched.states()),
                    LargestDifference(alone.outputs(), batched.outputs()));
  }

  static ModelSpec Spec() {
    const auto& [cell, hidden_size] = GetParam();
    return MakeSpec(cell, kSmallInputSize, hidden_size, 2, kSmallOutputSize);
  }
};

TEST_P(BatchTest, ResultsAreEqualBitForBit) { EXPECT_EQ(AloneAgainstBatched(Spec(), {}), 0); }

TEST_P(BatchTest, OneDnnsResultsAreNearlyEqualAndAFusedLstmsBitForBit) {
  // oneDNN's name for its fused cells; without AVX-512 it may have none.
  const bool fused =
      absl::StrContains(MakeNetwork(Spec(), RandomWeights(Spec(), 3), OneDnn())->kernel_name(), "brgemm");
  const double tolerance = fused && Spec().cell == Cell::kLstm ? 0 : 2e-6;
  EXPECT_LE(AloneAgainstBatched(Spec(), OneDnn()), tolerance);
}

INSTANTIATE_TEST_SUITE_P(Cells, BatchTest,
                         testing::Combine(testing::ValuesIn(AllCells()), testing::Values(1, 20, 100, 512)),
                         [](const auto& test) {
                           return absl::StrCat(std::get<0>(test.param).name, "H", std::get<1>(test.param));
                         });

TEST(NetworkTest, MoreRowsThanTheLargestBatchRunAsSeveralCalls) {
  const ModelSpec spec = TwoLayerLstm();
  const Weights weights = RandomWeights(spec, 1);
  for (size_t max_batch_size : {1, 4, 70, 300}) {
    Network::Options options;
    options.max_batch_size = max_batch_size;
    const auto small = MakeNetwork(spec, weights, options);
    const auto reference = MakeNetwork(spec, weights, Reference());
    EXPECT_EQ(small->max_batch_size(), max_batch_size);
    const std::vector<float> inputs = RandomInputs(139 * kSmallInputSize, 2);
    Series a(spec, 139), b(spec, 139);
    a.Step(*small, inputs);
    b.Step(*reference, inputs);
    EXPECT_LE(LargestDifference(a.outputs(), b.outputs()), 1e-5) << max_batch_size;
    EXPECT_LE(LargestDifference(a.states(), b.states()), 1e-5) << max_batch_size;
  }
}

TEST(NetworkTest, NoRowsIsNothingToDo) { MakeNetwork(TwoLayerLstm(), RandomWeights(TwoLayerLstm(), 1))->Step({}); }

TEST(NetworkTest, StateMayBeUpdatedInPlaceOrApart) {
  for (const CellCase& cell : AllCells()) {
    const ModelSpec spec = MakeSpec(cell, kSmallInputSize, 20, 3, kSmallOutputSize);
    const auto network = MakeNetwork(spec, RandomWeights(spec, 1));
    const std::vector<float> input = RandomInputs(kSmallInputSize, 1), before = RandomInputs(spec.state_size(), 2);
    std::vector<float> in_place = before, apart(spec.state_size()), output(kSmallOutputSize);
    StepRow row;
    row.input = input.data();
    row.output = output.data();
    row.state_in = row.state_out = in_place.data();
    network->Step({&row, 1});
    row.state_in = before.data();
    row.state_out = apart.data();
    network->Step({&row, 1});
    EXPECT_EQ(in_place, apart) << cell;
    EXPECT_NE(apart, before) << cell;
  }
}

TEST(NetworkTest, AnOutputThatIsNotWantedChangesNothingElse) {
  const ModelSpec spec = TwoLayerLstm();
  const auto network = MakeNetwork(spec, RandomWeights(spec, 1));
  const std::vector<float> inputs = RandomInputs(3 * kSmallInputSize, 1);
  Series all(spec, 3), some(spec, 3);
  all.Step(*network, inputs);
  std::vector<StepRow> rows;
  for (size_t i = 0; i < 3; ++i) rows.push_back(some.Row(i, &inputs[i * kSmallInputSize]));
  rows[1].output = nullptr;
  network->Step(absl::MakeSpan(rows));
  EXPECT_EQ(some.states(), all.states());
  EXPECT_EQ(some.output(0), all.output(0));
  EXPECT_EQ(some.output(2), all.output(2));
  EXPECT_THAT(some.output(1), Each(0.0f));
}

// ---- Rows that are not finite.

class NotFiniteTest : public testing::TestWithParam<KernelKind> {
 protected:
  NotFiniteTest() { options_.kernel = GetParam(); }

  // Steps three series, the middle one with `bad_input`; that one must keep its state and output, the others move on.
  void ExpectOnlyTheMiddleRowFails(const ModelSpec& spec, const Weights& weights, float bad_input) {
    const auto network = MakeNetwork(spec, weights, options_);
    std::vector<float> inputs = RandomInputs(3 * kSmallInputSize, 1);
    Series expected(spec, 3), series(spec, 3);
    expected.Step(*network, inputs);
    series.Step(*network, inputs);
    const std::vector<float> state_before = series.state(1), output_before = series.output(1);
    expected.Step(*network, inputs);

    std::vector<float> bad_inputs = inputs;
    bad_inputs[kSmallInputSize] = bad_input;
    std::vector<StepRow> rows;
    for (size_t i = 0; i < 3; ++i) rows.push_back(series.Row(i, &bad_inputs[i * kSmallInputSize]));
    network->Step(absl::MakeSpan(rows));
    EXPECT_TRUE(rows[0].finite);
    EXPECT_FALSE(rows[1].finite);
    EXPECT_TRUE(rows[2].finite);
    EXPECT_EQ(series.state(1), state_before);
    EXPECT_EQ(series.output(1), output_before);
    for (size_t i : {0, 2}) {
      EXPECT_EQ(series.state(i), expected.state(i));
      EXPECT_EQ(series.output(i), expected.output(i));
    }
  }

  Network::Options options_;
};

TEST_P(NotFiniteTest, AReluStateThatOverflowsLeavesItsRowUntouched) {
  const ModelSpec spec =
      MakeSpec({"RnnRelu", Cell::kRnn, {}, {}, Activation::kRelu}, kSmallInputSize, 20, 1, kSmallOutputSize);
  Weights weights = RandomWeights(spec, 1);
  for (float& weight : weights.layers[0].weight_ih) weight = std::abs(weight) * 10;
  ExpectOnlyTheMiddleRowFails(spec, weights, std::numeric_limits<float>::max());
}

TEST_P(NotFiniteTest, AnOutputThatOverflowsLeavesItsRowUntouched) {
  ModelSpec spec = MakeSpec({"Lstm", Cell::kLstm}, kSmallInputSize, 20, 1, kSmallOutputSize);
  spec.inputs[0].mean = 0;
  spec.outputs[1].added_to = spec.inputs[0].name;
  spec.outputs[1].mean = 1e30;
  Weights weights = RandomWeights(spec, 1);
  weights.head_weight.assign(weights.head_weight.size(), 0);
  weights.head_bias = {0, 1e36f};
  spec.outputs[1].std = 1;
  ExpectOnlyTheMiddleRowFails(spec, weights, std::numeric_limits<float>::max());
}

TEST_P(NotFiniteTest, AFeatureThatOverflowsLeavesItsRowUntouched) {
  ModelSpec spec = TwoLayerLstm();
  spec.inputs[0].std = 1e-20;
  spec.inputs[0].mean = 0;
  Weights weights = RandomWeights(spec, 1);
  // Zero times infinity: not a number in any gate, whatever it squashes.
  weights.layers[0].weight_ih.assign(weights.layers[0].weight_ih.size(), 0.0f);
  ExpectOnlyTheMiddleRowFails(spec, weights, std::numeric_limits<float>::max());
}

INSTANTIATE_TEST_SUITE_P(Kernels, NotFiniteTest,
                         testing::Values(KernelKind::kRondo, KernelKind::kOneDnn, KernelKind::kReference),
                         [](const auto& test) { return KernelName(test.param); });

// ---- Threads.

TEST(NetworkTest, ThreadsThatStepAtOnceDoNotMeet) {
  const ModelSpec spec = TwoLayerLstm();
  const auto network = MakeNetwork(spec, RandomWeights(spec, 1));
  constexpr size_t kThreads = 4;
  constexpr int kTimesteps = 200;
  std::vector<std::vector<float>> states(kThreads);
  const auto run = [&](size_t thread) {
    PrepareComputeThread();
    Series series(spec, thread + 1);
    for (int t = 0; t < kTimesteps; ++t) series.Step(*network, RandomInputs((thread + 1) * kSmallInputSize, t));
    states[thread] = series.states();
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) threads.emplace_back(run, i);
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::vector<float>> at_once = states;
  for (size_t i = 0; i < kThreads; ++i) {
    run(i);
    EXPECT_EQ(at_once[i], states[i]);
  }
}

// ---- What it says of itself, and what it refuses.

TEST(NetworkTest, NamesItsKernel) {
  const ModelSpec spec = TwoLayerLstm();
  EXPECT_EQ(MakeNetwork(spec, RandomWeights(spec, 1), Reference())->kernel_name(), "reference");
  const auto onednn = MakeNetwork(spec, RandomWeights(spec, 1), OneDnn());
  EXPECT_THAT(onednn->kernel_name(), testing::StartsWith("onednn/"));
  EXPECT_FALSE(onednn->deterministic());
  Network::Options options;
  options.kernel = KernelKind::kRondo;
  for (const InstructionSet set : InstructionSets()) {
    options.instruction_set = set;
    const auto rondo = MakeNetwork(spec, RandomWeights(spec, 1), options);
    EXPECT_EQ(rondo->kernel_name(), absl::StrCat("rondo/", InstructionSetName(set)));
    EXPECT_EQ(rondo->element_kernel_names(), std::vector<std::string>(2, rondo->kernel_name()));
    EXPECT_TRUE(rondo->deterministic());
  }
}

TEST(NetworkTest, AutoIsOursWhereTheCpuFusesMultiplyAndAdd) {
  EXPECT_EQ(ChooseKernel({LayerShape()}, InstructionSet::kPlain), KernelKind::kOneDnn);
  EXPECT_EQ(ChooseKernel({LayerShape()}, InstructionSet::kAvx2), KernelKind::kRondo);
  EXPECT_EQ(ChooseKernel({LayerShape()}, InstructionSet::kAvx512), KernelKind::kRondo);
}

TEST(NetworkTest, CountsTwoFlopsAProduct) {
  const ModelSpec spec = MakeSpec({"Gru", Cell::kGru}, 3, 5, 2, 4);
  const double products = 3 * 5 * (3 + 5) + 3 * 5 * (5 + 5) + 4 * 5;
  EXPECT_EQ(MakeNetwork(spec, RandomWeights(spec, 1))->flops_per_row(), 2 * products);
}

TEST(NetworkTest, RefusesWeightsOfAnotherSizeByName) {
  const ModelSpec spec = TwoLayerLstm();
  Weights weights = RandomWeights(spec, 1);
  weights.layers[1].weight_hh.pop_back();
  const absl::Status status = Network::Create(spec, weights, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("weight_hh_l1"));
}

TEST(NetworkTest, RefusesASpecThatIsNotValid) {
  ModelSpec spec = TwoLayerLstm();
  const Weights weights = RandomWeights(spec, 1);
  spec.hidden_size = 0;
  EXPECT_EQ(Network::Create(spec, weights, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(NetworkTest, RefusesABatchSizeOutOfBounds) {
  for (size_t max_batch_size : {0, 1025}) {
    Network::Options options;
    options.max_batch_size = max_batch_size;
    const absl::Status status = Network::Create(TwoLayerLstm(), RandomWeights(TwoLayerLstm(), 1), options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("1 to 1024"));
  }
}

}  // namespace
}  // namespace rondo
