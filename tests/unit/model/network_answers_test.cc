#include <cmath>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/network.h"
#include "tests/unit/model/random_network.h"

// What the network makes of tokens, units and heads.

namespace rondo {
namespace {

constexpr int64_t kInputSize = 3;
constexpr int64_t kOutputSize = 2;

ModelSpec SmallLstm() { return MakeSpec({"Lstm", Cell::kLstm}, kInputSize, 20, 2, kOutputSize); }

TEST(NetworkAnswersTest, ATokenModelReadsItsEmbedding) {
  ModelSpec spec = MakeSpec({"Lstm", Cell::kLstm}, 0, 20, 1, kOutputSize);
  spec.tokens = 11;
  spec.embedding_size = 6;
  const Weights weights = RandomWeights(spec, 1);
  // The same network with the embedding's floats as named inputs.
  ModelSpec plain_spec = MakeSpec({"Lstm", Cell::kLstm}, 6, 20, 1, kOutputSize);
  for (InputFeature& input : plain_spec.inputs) input.mean = 0, input.std = 1;
  Weights plain_weights = weights;
  plain_weights.embedding.clear();
  const auto network = MakeNetwork(spec, weights), plain = MakeNetwork(plain_spec, plain_weights);
  for (int token : {0, 4, 10}) {
    Series a(spec, 1), b(plain_spec, 1);
    a.Step(*network, {static_cast<float>(token)});
    b.Step(*plain, {weights.embedding.begin() + token * 6, weights.embedding.begin() + (token + 1) * 6});
    EXPECT_EQ(a.outputs(), b.outputs()) << token;
  }
}

TEST(NetworkAnswersTest, AnOutputAddedToAnInputIsAChangeFromItInEveryHorizonStep) {
  ModelSpec spec = SmallLstm();
  spec.horizon = 3;
  const Weights weights = RandomWeights(spec, 1);
  const auto absolute = MakeNetwork(spec, weights);
  spec.outputs[1].added_to = spec.inputs[2].name;
  const auto change = MakeNetwork(spec, weights);
  Series a(spec, 1), b(spec, 1);
  const std::vector<float> input = {0.5f, -1.0f, 40.0f};
  a.Step(*absolute, input);
  b.Step(*change, input);
  for (size_t step = 0; step < 3; ++step) {
    EXPECT_EQ(b.outputs()[step * 2], a.outputs()[step * 2]);
    EXPECT_NEAR(b.outputs()[step * 2 + 1], a.outputs()[step * 2 + 1] + 40.0f, 1e-5);
  }
}

TEST(NetworkAnswersTest, OutputsAreInRawUnits) {
  ModelSpec spec = SmallLstm();
  spec.outputs[0].mean = 100;
  spec.outputs[0].std = 10;
  Weights weights = RandomWeights(spec, 1);
  weights.head_weight.assign(weights.head_weight.size(), 0);
  weights.head_bias = {0.5f, -1.0f};
  Series series(spec, 1);
  series.Step(*MakeNetwork(spec, weights), {1, 2, 3});
  EXPECT_THAT(series.outputs(), testing::ElementsAre(105.0f, -1.0f * 2.0f + 0.5f));
}

TEST(NetworkAnswersTest, SoftmaxOutputsAreProbabilitiesOfEachHorizonStep) {
  ModelSpec spec = MakeSpec({"Lstm", Cell::kLstm}, kInputSize, 20, 1, 37);
  spec.head = Head::kSoftmax;
  spec.horizon = 2;
  for (OutputFeature& output : spec.outputs) output.mean = 0, output.std = 1;
  Weights weights = RandomWeights(spec, 1);
  weights.head_bias[3] = 500;          // would overflow an exponential
  weights.head_bias[37 + 5] = -1e30f;  // would vanish
  Series series(spec, 2);
  series.Step(*MakeNetwork(spec, weights), RandomInputs(2 * kInputSize, 1));
  for (size_t row = 0; row < 2; ++row) {
    const std::vector<float> output = series.output(row);
    for (size_t step = 0; step < 2; ++step) {
      double sum = 0;
      for (size_t i = 0; i < 37; ++i) sum += output[step * 37 + i];
      EXPECT_NEAR(sum, 1, 1e-6);
    }
    EXPECT_EQ(output[3], 1.0f);
    EXPECT_EQ(output[37 + 5], 0.0f);
  }
}

TEST(NetworkAnswersTest, AGaussianHeadAnswersMeanAndStandardDeviationInRawUnits) {
  ModelSpec spec = SmallLstm();
  spec.head = Head::kGaussian;
  spec.outputs.resize(1);
  spec.outputs[0].mean = 100;
  spec.outputs[0].std = 10;
  spec.outputs[0].added_to = spec.inputs[1].name;
  Weights weights = RandomWeights(spec, 1);
  weights.head_weight.assign(weights.head_weight.size(), 0);
  weights.head_bias = {0.5f, 0.0f};
  Series series(spec, 1);
  series.Step(*MakeNetwork(spec, weights), {1, 2, 3});
  EXPECT_THAT(series.outputs(), testing::ElementsAre(107.0f, testing::FloatNear(10 * (std::log(2.0) + 1e-3), 1e-5)));
}

TEST(NetworkAnswersTest, QuantilesComeInRawUnitsAndInOrderAlsoWhereTheyCrossed) {
  ModelSpec spec = SmallLstm();
  spec.head = Head::kQuantile;
  spec.quantiles = {0.1, 0.5, 0.9};
  spec.outputs.resize(1);
  spec.outputs[0].mean = 1;
  spec.outputs[0].std = 2;
  Weights weights = RandomWeights(spec, 1);
  weights.head_weight.assign(weights.head_weight.size(), 0);
  weights.head_bias = {-1.0f, 2.0f, 1.0f};
  Series series(spec, 1);
  series.Step(*MakeNetwork(spec, weights), {1, 2, 3});
  EXPECT_THAT(series.outputs(), testing::ElementsAre(-1.0f, 3.0f, 5.0f));
}

}  // namespace
}  // namespace rondo
