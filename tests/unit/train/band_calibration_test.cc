#include "model/train/band_calibration.h"

#include <thread>

#include "gtest/gtest.h"
#include "model/train/model_assembly.h"
#include "model/train/random.h"
#include "model/train/training_kernel.h"

namespace rondo::train {
namespace {

// A random walk, with a drift in its validation part, and beside it what is known of the next step.
Dataset Walk(double drift = 0) {
  SeriesSet set;
  set.columns = {"a", "promo"};
  Series series;
  series.timesteps = 400;
  Random random(3);
  double value = 0;
  for (int64_t t = 0; t < series.timesteps; ++t) {
    value += random.Normal() + (t >= 240 && t < 300 ? drift : 0);
    series.values.push_back(static_cast<float>(value));
    series.values.push_back(t % 5 == 0 ? 1.0f : 0.0f);
  }
  set.series.push_back(series);
  DatasetOptions options;
  options.inputs = {"a", "promo"};
  options.targets = {"a"};
  return Dataset::Create(std::move(set), options).value();
}

// The factors of a network that says: no change, with a deviation of `deviation`.
std::vector<double> FactorsOf(const Dataset& dataset, double deviation) {
  NetworkShape network;
  network.hidden_size = 4;
  Loss loss;
  loss.kind = LossKind::kGaussian;
  ModelSpec spec = SpecOf(dataset, network, loss);
  spec.outputs[0].mean = 0;
  spec.outputs[0].std = deviation;  // the head answers deviations in this unit
  const NetworkShape shape = ShapeOf(spec);
  const std::vector<float> zeros(InitialParameters(shape, 1).size());
  std::vector<double> factors;
  std::thread([&] {
    const auto model = Network::Create(spec, WeightsFromParameters(shape, zeros), {});
    ASSERT_TRUE(model.ok()) << model.status();
    factors = CalibrateBands(dataset, **model, /*steps=*/6, /*seed=*/1).value();
  }).join();
  return factors;
}

TEST(BandCalibrationTest, BandsAreMeasuredWhereAnInputIsKnownBefore) {
  PrepareTrainingThread(1);
  const Dataset dataset = Walk();
  const std::vector<double> narrow = FactorsOf(dataset, 0.25), wide = FactorsOf(dataset, 1);
  ASSERT_EQ(narrow.size(), 6);
  for (size_t step = 0; step < narrow.size(); ++step) {
    EXPECT_NEAR(narrow[step] / wide[step], 4, 0.4)
        << step;                                        // a band four times as narrow is widened four times as much
    EXPECT_NEAR(wide[step] / wide[0], 1, 0.3) << step;  // a walk's paths spread as it does
  }
}

TEST(BandCalibrationTest, FarAheadAFewWeeksThatErrAlikeDoNotWidenTheBandsAlone) {
  PrepareTrainingThread(1);
  const std::vector<double> usual = FactorsOf(Walk(), 1), drifting = FactorsOf(Walk(/*drift=*/1), 1);
  EXPECT_LT(drifting[5] / usual[5], 1.7) << "the validation part alone errs more than twice as far";
  EXPECT_GT(drifting[5] / usual[5], 1);
}

}  // namespace
}  // namespace rondo::train
