// Each kernel against the float64 reference, over cells, layers, odd sizes, timesteps and batch sizes.
#include <algorithm>
#include <tuple>

#include "tests/unit/model/random_network.h"

namespace rondo {
namespace {

constexpr double kParityTolerance = 1e-5;
constexpr int64_t kParityInputSize = 5;
constexpr int64_t kParityOutputSize = 3;

class ParityTest : public testing::TestWithParam<std::tuple<CellCase, int64_t, KernelKind>> {
 protected:
  // The reference is slow: large networks take the smaller of the batch sizes.
  static size_t BatchSize(size_t wanted, int64_t hidden_size, int64_t num_layers, int64_t timesteps) {
    constexpr double kProducts = 5e7;
    const double per_row = 4.0 * num_layers * timesteps * 2 * hidden_size * hidden_size;
    for (size_t batch_size : {64, 17, 3}) {
      if (batch_size <= wanted && per_row * batch_size <= kProducts) return batch_size;
    }
    return 1;
  }

  static double LargestOf(const std::vector<float>& values) {
    return LargestDifference(values, std::vector<float>(values.size()));
  }

  static void ExpectParity(const ModelSpec& spec, KernelKind kernel, size_t batch_size, int64_t timesteps) {
    const Weights weights = RandomWeights(spec, 7);
    Network::Options reference;
    reference.kernel = KernelKind::kReference;
    Network::Options options;
    options.kernel = kernel;
    options.max_batch_size = batch_size;
    const auto expected_network = MakeNetwork(spec, weights, reference);
    const auto network = MakeNetwork(spec, weights, options);
    ASSERT_TRUE(expected_network != nullptr && network != nullptr);
    Series expected(spec, batch_size), actual(spec, batch_size);
    for (int64_t t = 0; t < timesteps; ++t) {
      const std::vector<float> inputs = RandomInputs(batch_size * kParityInputSize, 100 + t);
      expected.Step(*expected_network, inputs);
      actual.Step(*network, inputs);
    }
    // A relu's state has no bound: its error is measured by its size.
    const bool unbounded = spec.cell == Cell::kRnn && spec.activation == Activation::kRelu;
    const double size = unbounded ? std::max(1.0, LargestOf(expected.states())) : 1.0;
    EXPECT_LE(LargestDifference(actual.states(), expected.states()), kParityTolerance * size);
    EXPECT_LE(LargestDifference(actual.outputs(), expected.outputs()), kParityTolerance * size);
  }
};

TEST_P(ParityTest, EqualsTheReferenceKernel) {
  const auto& [cell, hidden_size, kernel] = GetParam();
  const size_t batch_sizes[] = {64, 17, 3, 1};
  size_t turn = 0;
  for (int64_t num_layers : {1, 2, 3}) {
    for (int64_t timesteps : {1, 2, 50}) {
      const size_t batch_size = BatchSize(batch_sizes[turn++ % 4], hidden_size, num_layers, timesteps);
      SCOPED_TRACE(absl::StrCat("layers ", num_layers, " timesteps ", timesteps, " batch size ", batch_size));
      ExpectParity(MakeSpec(cell, kParityInputSize, hidden_size, num_layers, kParityOutputSize), kernel, batch_size,
                   timesteps);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, ParityTest,
                         testing::Combine(testing::ValuesIn(AllCells()), testing::Values(1, 7, 20, 64, 129, 512),
                                          testing::Values(KernelKind::kRondo, KernelKind::kOneDnn)),
                         [](const auto& test) {
                           return absl::StrCat(std::get<0>(test.param).name, "H", std::get<1>(test.param),
                                               KernelName(std::get<2>(test.param)));
                         });

}  // namespace
}  // namespace rondo
