#include "model/train/series_graph.h"

#include <cmath>

#include "gtest/gtest.h"
#include "model/compute_thread.h"
#include "model/network.h"
#include "model/train/random.h"

namespace rondo::train {
namespace {

constexpr int64_t kTimesteps = 120;

Dataset TwoSeries(int64_t horizon) {
  SeriesSet set;
  set.columns = {"x", "y"};
  set.format.series_column = "id";
  Random random(4);
  for (const char* name : {"a", "b"}) {
    Series series;
    series.name = name;
    series.timesteps = kTimesteps;
    for (int64_t i = 0; i < 2 * kTimesteps; ++i) series.values.push_back(static_cast<float>(5 + random.Normal()));
    set.series.push_back(series);
  }
  DatasetOptions options;
  options.inputs = {"x"};
  options.targets = {"x"};
  options.horizon = horizon;
  set.columns = {"x", "y"};
  return Dataset::Create(std::move(set), options).value();
}

// A layer that answers `part` of the newest change, plus `bias`, at each step ahead.
LinearLayer Layer(int64_t horizon, double part, double bias) {
  LinearLayer layer;
  for (int64_t ahead = 0; ahead < horizon; ++ahead) {
    layer.weight.insert(layer.weight.end(), {-part, 0});
    layer.bias.push_back(bias);
  }
  return layer;
}

// Steps a model through rows of x and which of two series they say they are, and returns the last answer.
std::vector<float> Answer(const ModelFile& model, const std::vector<std::vector<float>>& rows) {
  PrepareComputeThread();
  const auto network = Network::Create(model.spec, model.weights, {});
  EXPECT_TRUE(network.ok()) << network.status();
  std::vector<float> state(model.spec.state_size()), output(model.spec.output_size());
  for (const std::vector<float>& values : rows) {
    StepRow row;
    row.input = values.data();
    row.state_in = row.state_out = state.data();
    row.output = output.data();
    (*network)->Step(absl::MakeSpan(&row, 1));
    EXPECT_TRUE(row.finite);
  }
  return output;
}

TEST(SeriesGraphTest, ASeriesIsToldByItsOwnWeightsAndAnUnknownOneByTheSharedOnes) {
  for (const int64_t horizon : {1, 3}) {
    const Dataset dataset = TwoSeries(horizon);
    const LinearLayer own[] = {Layer(horizon, 0.5, 0), Layer(horizon, -1, 0)};
    LinearNetwork all;
    all.length = 2;
    all.layer = Layer(horizon, 0.25, 0);
    const NetworkGraph each = GraphOf(dataset, LinearKind::kOwnWindow, 2, own), shared = GraphOf(dataset, all);
    const auto mean = SeriesMeanGraph(dataset.spec(), {{&shared, {0, 0.5}, 1}, {&each, {1, 0.5}, 0}});
    ASSERT_TRUE(mean.has_value());
    const auto model = ModelOf(dataset.WithSeriesInputs(), *mean);
    ASSERT_TRUE(model.ok()) << model.status();
    // The value rises from 4 to 6; what it was before says nothing.
    EXPECT_NEAR(Answer(*model, {{9, 1, 0}, {4, 1, 0}, {6, 1, 0}})[horizon - 1], 6 + 0.5 * 2, 1e-4);
    EXPECT_NEAR(Answer(*model, {{9, 0, 1}, {4, 0, 1}, {6, 0, 1}})[0], 6 + (0.5 * 0.25 - 0.5) * 2, 1e-4);
    EXPECT_NEAR(Answer(*model, {{9, 0, 0}, {4, 0, 0}, {6, 0, 0}})[0], 6 + 0.25 * 2, 1e-4);
    // What was said is remembered until something else is.
    EXPECT_NEAR(Answer(*model, {{9, 1, 0}, {4, 0, 0}, {6, 0, 0}})[0], 6 + 0.5 * 2, 1e-4);
    EXPECT_NEAR(Answer(*model, {{9, 1, 0}, {4, 0, 0}, {6, 0, 1}})[0], 6 + (0.5 * 0.25 - 0.5) * 2, 1e-4);
  }
}

TEST(SeriesGraphTest, InputsOfTheSeriesLeaveTargetsAndFeaturesAsTheyAre) {
  const Dataset dataset = TwoSeries(2), with = dataset.WithSeriesInputs();
  ASSERT_EQ(with.spec().feature_size(), 3);
  EXPECT_EQ(with.spec().inputs[1].name, "id=a");
  EXPECT_EQ(with.spec().inputs[2].source.category, "b");
  for (size_t series = 0; series < 2; ++series) {
    for (int64_t t = 0; t < kTimesteps - 2; ++t) {
      EXPECT_EQ(with.RawTarget(series, t, 2, 0), dataset.RawTarget(series, t, 2, 0));
      EXPECT_EQ(with.features(series)[3 * t], dataset.features(series)[t]);
      EXPECT_EQ(with.features(series)[3 * t + 1 + series], 1);
      EXPECT_EQ(with.features(series)[3 * t + 2 - series], 0);
      EXPECT_EQ(with.value(series, t, 3), dataset.value(series, t, 1)) << "a column that is no input";
    }
  }
}

}  // namespace
}  // namespace rondo::train
