#include "model/kernels/dense.h"

#include <random>

#include "gtest/gtest.h"

namespace rondo {
namespace {

std::vector<float> Random(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> floats(size);
  for (float& value : floats) value = uniform(random);
  return floats;
}

struct Case {
  size_t inputs, outputs;
};

class DenseTest : public testing::TestWithParam<Case> {
 protected:
  static constexpr size_t kRows = 11;

  DenseTest() {
    for (size_t i = 0; i < kRows; ++i) rows_.push_back(&x_[i * inputs_]);
  }

  const size_t inputs_ = GetParam().inputs;
  const size_t outputs_ = GetParam().outputs;
  const std::vector<float> weight_ = Random(inputs_ * outputs_, 1);
  const std::vector<float> bias_ = Random(outputs_, 2);
  const std::vector<float> x_ = Random(kRows * inputs_, 3);
  const Dense dense_{weight_, bias_, FastestInstructionSet()};
  std::vector<const float*> rows_;
};

TEST_P(DenseTest, IsTheProductPlusTheBias) {
  std::vector<float> y(kRows * outputs_);
  dense_.Apply(rows_.data(), kRows, y.data());
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t output = 0; output < outputs_; ++output) {
      double expected = bias_[output];
      for (size_t k = 0; k < inputs_; ++k) expected += double{weight_[output * inputs_ + k]} * rows_[row][k];
      EXPECT_NEAR(y[row * outputs_ + output], expected, 1e-6 * inputs_ + 1e-6);
    }
  }
}

TEST_P(DenseTest, ARowIsTheSameBitForBitAloneAndAmongOthers) {
  std::vector<float> together(kRows * outputs_), alone(outputs_);
  dense_.Apply(rows_.data(), kRows, together.data());
  for (size_t row = 0; row < kRows; ++row) {
    dense_.Apply(&rows_[row], 1, alone.data());
    EXPECT_EQ(alone, std::vector<float>(&together[row * outputs_], &together[(row + 1) * outputs_]));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, DenseTest,
                         testing::Values(Case{1, 1}, Case{7, 2}, Case{16, 1}, Case{20, 37}, Case{129, 9},
                                         Case{512, 18}),
                         [](const auto& test) {
                           return "I" + std::to_string(test.param.inputs) + "O" + std::to_string(test.param.outputs);
                         });

}  // namespace
}  // namespace rondo
