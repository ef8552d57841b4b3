// Random networks: every row is equal bit for bit alone and batched, in any order and company, on one thread and three,
// in single steps and many at once, with weights of any format, on every set of instructions that this CPU has.
//
// RONDO_RANDOM_NETWORKS=N: that many networks instead of some dozens a cell.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "tests/unit/model/random_network.h"

namespace rondo {
namespace {

// Of each cell.
int NetworksToTry() {
  constexpr int kFew = 80;
  const char* const wanted = std::getenv("RONDO_RANDOM_NETWORKS");
  int all = 0;
  if (wanted == nullptr || !absl::SimpleAtoi(wanted, &all)) return kFew;
  return all / static_cast<int>(AllCells().size()) + 1;
}

constexpr WeightFormat kFormats[] = {WeightFormat::kF32, WeightFormat::kBf16, WeightFormat::kInt8};

// One network on each set of instructions.
class SameBitsTest : public testing::TestWithParam<CellCase> {
 protected:
  struct Shape {
    int64_t input_size, hidden_size, num_layers, output_size;
    size_t rows;
  };

  size_t Below(size_t bound) { return random_() % bound; }

  // Small ones mostly, since plain C++ is slow; widths up to 300 and batches up to 130 come too, one at a time.
  Shape RandomShape() {
    Shape shape;
    const size_t kind = Below(10);
    shape.input_size = 1 + Below(kind == 0 ? 300 : 40);
    shape.hidden_size = 1 + Below(kind == 1 ? 300 : 40);
    shape.num_layers = 1 + Below(2);
    shape.output_size = 1 + Below(kind == 2 ? 70 : 5);
    shape.rows = 1 + Below(kind == 3 ? 130 : kind <= 1 ? 6 : 30);
    return shape;
  }

  // Weights so large at times that gates saturate.
  Weights RandomWeightsOfAnySize(const ModelSpec& spec) {
    Weights weights = RandomWeights(spec, random_());
    const float factor = Below(3) == 0 ? 30.0f : 1.0f;
    for (LayerWeights& layer : weights.layers) {
      for (std::vector<float>* weight : {&layer.weight_ih, &layer.weight_hh, &layer.bias_ih}) {
        for (float& value : *weight) value *= factor;
      }
    }
    return weights;
  }

  // Three timesteps in shuffled batches of random sizes.
  void StepInAnyCompany(const Network& network, const std::vector<float>& inputs, size_t input_size, size_t num_rows,
                        Series* series) {
    std::vector<size_t> order(num_rows);
    std::iota(order.begin(), order.end(), 0);
    for (int t = 0; t < kTimesteps; ++t) {
      std::shuffle(order.begin(), order.end(), random_);
      for (size_t done = 0; done < num_rows;) {
        const size_t size = std::min(num_rows - done, 1 + Below(num_rows));
        std::vector<StepRow> rows;
        for (size_t i = done; i < done + size; ++i) {
          rows.push_back(series->Row(order[i], &inputs[(t * num_rows + order[i]) * input_size]));
        }
        network.Step(absl::MakeSpan(rows));
        done += size;
      }
    }
  }

  static void StepAlone(const Network& network, const std::vector<float>& inputs, size_t input_size, size_t num_rows,
                        Series* series) {
    for (int t = 0; t < kTimesteps; ++t) {
      for (size_t i = 0; i < num_rows; ++i) {
        StepRow row = series->Row(i, &inputs[(t * num_rows + i) * input_size]);
        network.Step({&row, 1});
      }
    }
  }

  // The rows of each timestep are shared by three threads, as loops and helpers share them.
  static void StepOnThreeThreads(const Network& network, const std::vector<float>& inputs, size_t input_size,
                                 size_t num_rows, Series* series) {
    constexpr size_t kThreads = 3;
    std::vector<std::thread> threads;
    for (size_t part = 0; part < kThreads; ++part) {
      threads.emplace_back([&, part] {
        PrepareComputeThread();
        for (int t = 0; t < kTimesteps; ++t) {
          std::vector<StepRow> rows;
          for (size_t i = num_rows * part / kThreads; i < num_rows * (part + 1) / kThreads; ++i) {
            rows.push_back(series->Row(i, &inputs[(t * num_rows + i) * input_size]));
          }
          network.Step(absl::MakeSpan(rows));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // Each row's timesteps in one or two calls.
  void StepManyAtOnce(const Network& network, const std::vector<float>& inputs, size_t input_size, size_t num_rows,
                      Series* series) {
    if (network.timesteps_at_once() < kTimesteps) return StepAlone(network, inputs, input_size, num_rows, series);
    for (size_t i = 0; i < num_rows; ++i) {
      std::vector<float> of_row;
      for (int t = 0; t < kTimesteps; ++t) {
        const float* const input = &inputs[(t * num_rows + i) * input_size];
        of_row.insert(of_row.end(), input, input + input_size);
      }
      const size_t first = Below(kTimesteps);
      for (const auto& [begin, end] : {std::pair<size_t, size_t>{0, first}, {first, kTimesteps}}) {
        if (begin == end) continue;
        const StepRow row = series->Row(i, &of_row[begin * input_size]);
        Timesteps timesteps;
        timesteps.inputs = row.input;
        timesteps.count = end - begin;
        timesteps.state_in = row.state_in;
        timesteps.state_out = row.state_out;
        timesteps.outputs = row.output;
        timesteps.last_only = true;
        network.StepTimesteps(&timesteps);
        EXPECT_TRUE(timesteps.finite);
      }
    }
  }

  static bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  }

  void TryOne() {
    const Shape shape = RandomShape();
    SCOPED_TRACE(absl::StrCat("inputs ", shape.input_size, " units ", shape.hidden_size, " layers ", shape.num_layers,
                              " outputs ", shape.output_size, " rows ", shape.rows));
    ModelSpec spec = MakeSpec(GetParam(), shape.input_size, shape.hidden_size, shape.num_layers, shape.output_size);
    constexpr Head kHeads[] = {Head::kLinear, Head::kSigmoid, Head::kSoftmax, Head::kGaussian};
    spec.head = kHeads[Below(4)];
    for (OutputFeature& output : spec.outputs) output = {output.name};  // probabilities have no unit
    const Weights weights = RandomWeightsOfAnySize(spec);
    const std::vector<float> inputs = RandomInputs(kTimesteps * shape.rows * shape.input_size, random_());
    Series expected(spec, shape.rows);
    Network::Options options;
    options.kernel = KernelKind::kRondo;
    options.weights = kFormats[Below(3)];
    options.narrow_from_bytes = 0;
    for (const InstructionSet set : InstructionSets()) {
      SCOPED_TRACE(absl::StrCat(InstructionSetName(set), ", weights ", WeightFormatName(*options.weights)));
      options.instruction_set = set;
      options.max_batch_size = 1 + Below(130);
      const auto network = MakeNetwork(spec, weights, options);
      if (set == InstructionSet::kPlain) StepAlone(*network, inputs, shape.input_size, shape.rows, &expected);
      Series company(spec, shape.rows), threads(spec, shape.rows), at_once(spec, shape.rows);
      StepInAnyCompany(*network, inputs, shape.input_size, shape.rows, &company);
      StepOnThreeThreads(*network, inputs, shape.input_size, shape.rows, &threads);
      StepManyAtOnce(*network, inputs, shape.input_size, shape.rows, &at_once);
      for (const Series* series : {&company, &threads, &at_once}) {
        EXPECT_TRUE(SameBits(series->states(), expected.states()));
        EXPECT_TRUE(SameBits(series->outputs(), expected.outputs()));
      }
    }
  }

  static constexpr int kTimesteps = 3;
  std::mt19937 random_{20};
};

TEST_P(SameBitsTest, ARowIsEqualInAnyCompanyOnEveryInstructionSet) {
  const int networks = NetworksToTry();
  for (int i = 0; i < networks && !HasFailure(); ++i) TryOne();
}

TEST_P(SameBitsTest, ManyTimestepsAtOnceAreSingleSteps) {
  const ModelSpec spec = MakeSpec(GetParam(), 5, 21, 2, 3);
  const Weights weights = RandomWeightsOfAnySize(spec);
  for (const InstructionSet set : InstructionSets()) {
    Network::Options options;
    options.kernel = KernelKind::kRondo;
    options.instruction_set = set;
    const auto network = MakeNetwork(spec, weights, options);
    const size_t most = network->timesteps_at_once();
    ASSERT_GT(most, 30u);
    const std::vector<float> inputs = RandomInputs(most * spec.input_size(), 9);
    Series single(spec, 1);
    std::vector<float> wanted, outputs(most * spec.output_size()), state(spec.state_size());
    for (size_t t = 0; t < most; ++t) {
      StepRow row = single.Row(0, &inputs[t * spec.input_size()]);
      network->Step({&row, 1});
      wanted.insert(wanted.end(), single.outputs().begin(), single.outputs().end());
    }
    Timesteps timesteps;
    timesteps.inputs = inputs.data();
    timesteps.count = most;
    timesteps.state_in = timesteps.state_out = state.data();
    timesteps.outputs = outputs.data();
    network->StepTimesteps(&timesteps);
    EXPECT_TRUE(SameBits(outputs, wanted)) << InstructionSetName(set);
    EXPECT_TRUE(SameBits(state, single.states())) << InstructionSetName(set);
  }
}

TEST_P(SameBitsTest, ATimestepThatIsNotFiniteLeavesTheState) {
  const ModelSpec spec = MakeSpec(GetParam(), 1, 3, 1, 1);
  Weights weights = RandomWeights(spec, 1);
  weights.head_bias = {3e38f};  // the output's std is 2
  Network::Options options;
  options.kernel = KernelKind::kRondo;
  const auto network = MakeNetwork(spec, weights, options);
  const std::vector<float> inputs(8, 2.0f), before(spec.state_size(), 0.9f);
  std::vector<float> state = before, outputs(8);
  Timesteps timesteps;
  timesteps.inputs = inputs.data();
  timesteps.count = 8;
  timesteps.state_in = timesteps.state_out = state.data();
  timesteps.outputs = outputs.data();
  network->StepTimesteps(&timesteps);
  EXPECT_FALSE(timesteps.finite);
  EXPECT_EQ(state, before);
}

INSTANTIATE_TEST_SUITE_P(Cells, SameBitsTest, testing::ValuesIn(AllCells()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace rondo
