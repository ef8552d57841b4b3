#include "model/train/linear_network.h"

#include <cmath>
#include <numeric>

#include "gtest/gtest.h"
#include "model/train/random.h"
#include "model/train/training_kernel.h"

namespace rondo::train {
namespace {

TEST(RidgeTest, ALineIsFoundAndAPenaltyMakesItFlatter) {
  Random random(1);
  std::vector<float> x, y;
  for (int i = 0; i < 500; ++i) {
    x.push_back(random.Normal());
    x.push_back(random.Normal());
    y.push_back(2 * x[2 * i] - 3 * x[2 * i + 1] + 5);
    y.push_back(x[2 * i]);
  }
  RidgeSums sums(2, 2), half(2, 2);
  sums.Add(absl::MakeSpan(x).first(400), absl::MakeSpan(y).first(400), 200);
  half.Add(absl::MakeSpan(x).subspan(400), absl::MakeSpan(y).subspan(400), 300);
  sums.Add(half);
  const int64_t both[] = {0, 1}, second[] = {1};
  const auto line = sums.Solve(1e-9, both);
  ASSERT_TRUE(line.has_value());
  const double weights[] = {2, -3, 1, 0}, bias[] = {5, 0};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(line->weight[i], weights[i], 1e-4);
  for (int i = 0; i < 2; ++i) EXPECT_NEAR(line->bias[i], bias[i], 1e-4);
  EXPECT_NEAR(sums.MeanSquaredError(*line), 0, 1e-6);
  const auto flat = sums.Solve(1, both);
  EXPECT_NEAR(flat->weight[0], 1, 0.2);
  double error = 0;
  for (int i = 0; i < 500; ++i) {
    const double first = flat->weight[0] * x[2 * i] + flat->weight[1] * x[2 * i + 1] + flat->bias[0] - y[2 * i];
    const double other = flat->weight[2] * x[2 * i] + flat->weight[3] * x[2 * i + 1] + flat->bias[1] - y[2 * i + 1];
    error += (first * first + other * other) / 1000;
  }
  EXPECT_NEAR(sums.MeanSquaredError(*flat), error, 1e-4 * error);
  EXPECT_EQ(sums.Solve(1e-6, second)->weight[0], 0);
}

TEST(RidgeTest, FeaturesThatDependOnEachOtherNeedAPenalty) {
  const std::vector<float> x = {1, 1, 2, 2, 3, 3}, y = {1, 2, 3};
  RidgeSums sums(2, 1);
  sums.Add(x, y, 3);
  const int64_t both[] = {0, 1};
  EXPECT_FALSE(sums.Solve(0, both).has_value());
  EXPECT_TRUE(sums.Solve(1e-6, both).has_value());
}

// Two columns of waves of one period and other phases, levels and noise.
Dataset Waves(int64_t horizon) {
  SeriesSet set;
  set.columns = {"a", "b"};
  Series series;
  series.timesteps = 600;
  Random random(2);
  for (int64_t t = 0; t < series.timesteps; ++t) {
    series.values.push_back(std::sin(0.5 * t) + 0.02 * random.Normal());
    series.values.push_back(100 + 10 * std::cos(0.5 * t) + 0.2 * random.Normal());
  }
  set.series.push_back(series);
  DatasetOptions options;
  options.inputs = options.targets = {"a", "b"};
  options.horizon = horizon;
  return Dataset::Create(std::move(set), options).value();
}

TEST(LinearNetworkTest, BothKindsLearnWavesAndLookFartherBackThanOneStep) {
  PrepareTrainingThread(1);
  const Dataset dataset = Waves(6);
  for (const LinearKind kind : {LinearKind::kOwnWindow, LinearKind::kAllWindows}) {
    const auto network = FitLinear(dataset, kind, {});
    ASSERT_TRUE(network.has_value());
    EXPECT_LT(network->validation_error, 0.01);
    EXPECT_GT(network->length, 1);
    const LinearGraph graph = GraphOf(dataset, *network);
    EXPECT_EQ(graph.outputs[1].added_to, "b");
    EXPECT_EQ(graph.outputs[1].std, dataset.spec().inputs[1].std);
    size_t weights = 0;
    for (const auto& [name, values] : graph.tensors) weights += values.size();
    const bool own = kind == LinearKind::kOwnWindow;
    EXPECT_EQ(weights, own ? 2 * 6 * (network->length + 1) : 12 * (2 * network->length + 1));
  }
}

TEST(LinearNetworkTest, AWindowThatIsAskedForIsTaken) {
  PrepareTrainingThread(1);
  LinearOptions options;
  options.window_inputs = 9;
  EXPECT_EQ(FitLinear(Waves(1), LinearKind::kOwnWindow, options)->length, 9);
  options.stop = [] { return true; };
  EXPECT_FALSE(FitLinear(Waves(1), LinearKind::kOwnWindow, options).has_value());
}

}  // namespace
}  // namespace rondo::train
