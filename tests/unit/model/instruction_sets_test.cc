// Random networks: every row is equal bit for bit alone and batched, in any order and company, on every set of
// instructions that this CPU has.
#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "tests/unit/model/random_network.h"

namespace rondo {
namespace {

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

  static bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
  }

  void TryOne() {
    const Shape shape = RandomShape();
    SCOPED_TRACE(absl::StrCat("inputs ", shape.input_size, " units ", shape.hidden_size, " layers ", shape.num_layers,
                              " outputs ", shape.output_size, " rows ", shape.rows));
    const ModelSpec spec =
        MakeSpec(GetParam(), shape.input_size, shape.hidden_size, shape.num_layers, shape.output_size);
    const Weights weights = RandomWeightsOfAnySize(spec);
    const std::vector<float> inputs = RandomInputs(kTimesteps * shape.rows * shape.input_size, random_());
    Series expected(spec, shape.rows);
    for (const InstructionSet set : InstructionSets()) {
      Network::Options options;
      options.kernel = KernelKind::kRondo;
      options.instruction_set = set;
      options.max_batch_size = 1 + Below(130);
      const auto network = MakeNetwork(spec, weights, options);
      if (set == InstructionSet::kPlain) {
        StepAlone(*network, inputs, shape.input_size, shape.rows, &expected);
        continue;
      }
      Series series(spec, shape.rows);
      StepInAnyCompany(*network, inputs, shape.input_size, shape.rows, &series);
      EXPECT_TRUE(SameBits(series.states(), expected.states())) << InstructionSetName(set);
      EXPECT_TRUE(SameBits(series.outputs(), expected.outputs())) << InstructionSetName(set);
    }
    Network::Options plain;
    plain.kernel = KernelKind::kRondo;
    plain.instruction_set = InstructionSet::kPlain;
    Series series(spec, shape.rows);
    StepInAnyCompany(*MakeNetwork(spec, weights, plain), inputs, shape.input_size, shape.rows, &series);
    EXPECT_TRUE(SameBits(series.states(), expected.states())) << "plain, batched";
  }

  static constexpr int kTimesteps = 3;
  std::mt19937 random_{20};
};

TEST_P(SameBitsTest, ARowIsEqualInAnyCompanyOnEveryInstructionSet) {
  constexpr int kNetworks = 300;
  for (int i = 0; i < kNetworks && !HasFailure(); ++i) TryOne();
}

INSTANTIATE_TEST_SUITE_P(Cells, SameBitsTest, testing::ValuesIn(AllCells()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace rondo
