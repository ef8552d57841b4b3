#include "model/train/linear_network.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"
#include "model/network/graph.h"
#include "model/train/linear_graph.h"
#include "model/train/random.h"
#include "model/train/rolling_origin.h"
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
  const std::vector<double> zeros;
  const auto line = sums.Solve({1e-9, false, {}}, {zeros});
  ASSERT_EQ(line.size(), 1);
  const double weights[] = {2, -3, 1, 0}, bias[] = {5, 0};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(line[0].weight[i], weights[i], 1e-4);
  for (int i = 0; i < 2; ++i) EXPECT_NEAR(line[0].bias[i], bias[i], 1e-4);
  EXPECT_NEAR(sums.MeanSquaredError(line[0]), 0, 1e-6);
  const LinearLayer flat = sums.Solve({1, false, {}}, {zeros})[0];
  EXPECT_NEAR(flat.weight[0], 1, 0.2);
  double error = 0;
  for (int i = 0; i < 500; ++i) {
    const double first = flat.weight[0] * x[2 * i] + flat.weight[1] * x[2 * i + 1] + flat.bias[0] - y[2 * i];
    const double other = flat.weight[2] * x[2 * i] + flat.weight[3] * x[2 * i + 1] + flat.bias[1] - y[2 * i + 1];
    error += (first * first + other * other) / 1000;
  }
  EXPECT_NEAR(sums.MeanSquaredError(flat), error, 1e-4 * error);
}

TEST(RidgeTest, AStrongPenaltyDrawsToTheWeightsItIsGiven) {
  Random random(3);
  std::vector<float> x, y;
  for (int i = 0; i < 200; ++i) {
    x.push_back(random.Normal());
    x.push_back(1000 * random.Normal());
    y.push_back(2 * x[2 * i]);
  }
  RidgeSums sums(2, 1);
  sums.Add(x, y, 200);
  const std::vector<LinearLayer> drawn = sums.Solve({1e6, true, {}}, {{}, {0.5, 0.25}});
  ASSERT_EQ(drawn.size(), 2);
  EXPECT_NEAR(drawn[0].weight[0], 0, 1e-3);
  EXPECT_NEAR(drawn[1].weight[0], 0.5, 1e-3);
  EXPECT_NEAR(drawn[1].weight[1], 0.25, 1e-3);
  // A penalty by feature is blind to the unit of a feature.
  EXPECT_NEAR(sums.Solve({1, true, {}}, {{}, {}})[0].weight[0], 1, 0.1);
}

TEST(RidgeTest, FeaturesThatDependOnEachOtherNeedAPenalty) {
  const std::vector<float> x = {1, 1, 2, 2, 3, 3}, y = {1, 2, 3};
  RidgeSums sums(2, 1);
  sums.Add(x, y, 3);
  const std::vector<double> zeros;
  EXPECT_TRUE(sums.Solve({0, false, {}}, {zeros}).empty());
  EXPECT_FALSE(sums.Solve({1e-6, false, {}}, {zeros}).empty());
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
    const NetworkGraph graph = GraphOf(dataset, *network);
    EXPECT_EQ(graph.outputs[1].added_to, "b");
    EXPECT_EQ(graph.outputs[1].std, dataset.spec().inputs[1].std);
    size_t weights = 0;
    for (const auto& [name, values] : graph.tensors) weights += values.size();
    const bool own = kind == LinearKind::kOwnWindow;
    EXPECT_EQ(weights, own ? 2 * 6 * (network->length + 1) : 12 * (2 * network->length + 2 + 1));
  }
}

// A series that its newest value says all of, so that windows of any length are about as good.
Dataset Fading(int64_t timesteps) {
  SeriesSet set;
  set.columns = {"a"};
  Series series;
  series.timesteps = timesteps;
  Random random(6);
  double value = 0;
  for (int64_t t = 0; t < timesteps; ++t) {
    value = 0.8 * value + random.Normal();
    series.values.push_back(static_cast<float>(value));
  }
  set.series.push_back(series);
  DatasetOptions options;
  options.inputs = options.targets = {"a"};
  return Dataset::Create(std::move(set), options).value();
}

// Returns how far a fit with windows of at most 48 is from the mean of those of 28, 36 and 48 alone.
double DistanceFromLongWindows(const Dataset& dataset) {
  std::vector<double> mean(48);
  for (const int64_t length : {28, 36, 48}) {
    LinearOptions one;
    one.window_inputs = length;
    const LinearLayer layer = FitLinear(dataset, LinearKind::kOwnWindow, one).value().layer;
    for (int64_t i = 0; i < length; ++i) mean[48 - length + i] += layer.weight[i] / 3;
  }
  LinearOptions all;
  all.longest = 48;
  const LinearLayer layer = FitLinear(dataset, LinearKind::kOwnWindow, all).value().layer;
  double most = layer.weight.size() == mean.size() ? 0 : HUGE_VAL;
  for (size_t i = 0; i < mean.size() && most < HUGE_VAL; ++i)
    most = std::max(most, std::abs(layer.weight[i] - mean[i]));
  return most;
}

TEST(LinearNetworkTest, WithManyRowsTheMeanIsOfTheLongestWindowAndThoseHalfAsLong) {
  PrepareTrainingThread(1);
  EXPECT_LT(DistanceFromLongWindows(Fading(2400)), 1e-9);
  // With few rows a long window has learned more noise than a short one.
  EXPECT_GT(DistanceFromLongWindows(Fading(1200)), 1e-3);
}

// A series that grows by parts of itself, with a season of 12 that does too.
Dataset Growth(double least) {
  SeriesSet set;
  set.columns = {"a"};
  Series series;
  series.timesteps = 144;
  Random random(4);
  for (int64_t t = 0; t < series.timesteps; ++t) {
    const double season = 1 + 0.3 * std::sin(M_PI / 6 * static_cast<double>(t)) + 0.01 * random.Normal();
    series.values.push_back(static_cast<float>(least + std::exp(0.03 * static_cast<double>(t)) * season));
  }
  set.series.push_back(series);
  DatasetOptions options;
  options.inputs = options.targets = {"a"};
  options.horizon = 12;
  return Dataset::Create(std::move(set), options).value();
}

TEST(LinearNetworkTest, GrowthIsLearntFromLogarithmsIfAllValuesArePositive) {
  PrepareTrainingThread(1);
  const Dataset dataset = Growth(0);
  LinearOptions options;
  options.season = 12;
  const auto network = FitLinear(dataset, LinearKind::kOwnLogWindow, options);
  ASSERT_TRUE(network.has_value());
  EXPECT_LT(network->validation_error, 0.01 * 0.01 * 10);
  const NetworkGraph graph = GraphOf(dataset, *network);
  EXPECT_EQ(graph.outputs[0].added_to, "");
  // What a model file says of it is read again.
  const auto read = Graph::Read(graph.elements, {dataset.spec().feature_size(), 0}, graph.output);
  ASSERT_TRUE(read.ok()) << read.status();
  const auto again = Graph::Read(nlohmann::json::parse((*read)->ElementsJson().dump()),
                                 {dataset.spec().feature_size(), 0}, graph.output);
  EXPECT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(FitLinear(Growth(-2), LinearKind::kOwnLogWindow, options).has_value());
}

TEST(LinearNetworkTest, TheWeightsOfASeasonSayTheValueOneSeasonBefore) {
  const Dataset dataset = Growth(0);
  const LinearRows rows(dataset, LinearKind::kOwnWindow, 13);
  const std::vector<double> value = rows.SeasonalWeights(12, false), change = rows.SeasonalWeights(12, true);
  ASSERT_EQ(value.size(), 12 * 13);
  EXPECT_EQ(value[0 * 13 + 1], 1);    // one step ahead: 11 steps before the newest
  EXPECT_EQ(value[11 * 13 + 12], 1);  // 12 steps ahead: the newest
  EXPECT_EQ(change[0 * 13 + 0], -1);
  EXPECT_EQ(std::accumulate(value.begin(), value.end(), 0.0), 12);
  EXPECT_TRUE(rows.SeasonalWeights(24, false).empty());
}

TEST(RidgeTest, AnExcludedFeatureHasNoWeight) {
  const std::vector<float> x = {1, 2, 2, 1, 3, 5, 4, 4}, y = {1, 2, 3, 4};
  RidgeSums sums(2, 1);
  sums.Add(x, y, 4);
  const LinearLayer layer = sums.Solve({1e-6, false, {0}}, {{}})[0];
  EXPECT_NEAR(layer.weight[0], 0, 1e-6);
  EXPECT_GT(std::abs(layer.weight[1]), 0.1);
}

// A series of one column whose next value `next` makes of this one and noise.
Dataset Chain(int64_t timesteps, const std::function<double(double, double)>& next) {
  SeriesSet set;
  set.columns = {"a"};
  Series series;
  series.timesteps = timesteps;
  Random random(7);
  double value = 0;
  for (int64_t t = 0; t < timesteps; ++t) {
    series.values.push_back(static_cast<float>(value));
    value = next(value, random.Normal());
  }
  set.series.push_back(series);
  DatasetOptions options;
  options.inputs = options.targets = {"a"};
  return Dataset::Create(std::move(set), options).value();
}

TEST(LinearNetworkTest, ALevelIsReadWhereItComesBackAndNotWhereItWanders) {
  PrepareTrainingThread(1);
  LinearOptions options;
  options.window_inputs = 1;  // the difference to the newest value, which is 0, and that value
  const auto weight_of_level = [&](const Dataset& dataset) {
    options.folds = EarlierFolds(dataset);
    return FitLinear(dataset, LinearKind::kAllWindows, options)->layer.weight[1];
  };
  EXPECT_LT(weight_of_level(Chain(120, [](double value, double noise) { return 0.1 * value + noise; })), -0.5);
  EXPECT_NEAR(weight_of_level(Chain(120, [](double value, double noise) { return value + noise; })), 0, 1e-4);
}

TEST(RollingOriginTest, NoFoldLearnsFromWhatItForecasts) {
  const Dataset dataset = Chain(120, [](double value, double noise) { return value + noise; });
  const std::vector<Fold> folds = EarlierFolds(dataset);
  ASSERT_EQ(folds.size(), 3);
  for (const Fold& fold : folds) {
    const Segment scored = fold.validation[0];
    EXPECT_EQ(scored.timesteps(), dataset.timesteps(Dataset::kValidation));
    EXPECT_EQ(fold.before[0].end, scored.begin);  // its last target is the value that the fold begins at
    EXPECT_EQ(fold.around[1].begin, scored.end);
    EXPECT_EQ(fold.around[1].end, dataset.segments(Dataset::kValidation)[0].end);
  }
  EXPECT_EQ(folds[2].validation[0].end, dataset.segments(Dataset::kValidation)[0].begin);
  EXPECT_TRUE(EarlierFolds(Chain(2000, [](double value, double noise) { return value + noise; })).empty());
}

TEST(RollingOriginTest, TheLastFoldCountsAsMuchAsAllBeforeIt) {
  EXPECT_EQ(ErrorOverFolds({1, 1, 4}, {1, 1, 1}), 2.5);
  EXPECT_EQ(ErrorOverFolds({5, 2}, {10, 4}), 0.5);
  EXPECT_EQ(ErrorOverFolds({1, 0.5}, {0, 1}),
            (1 / 0.125 + 0.5) / 2);  // a fold that hardly varies does not decide alone
  EXPECT_EQ(ErrorOverFolds({}, {}), 0);
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
