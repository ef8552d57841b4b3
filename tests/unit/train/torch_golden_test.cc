// Gradients and loss curves against those that PyTorch gave (tests/golden/train/make_torch_training.py).

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "gtest/gtest.h"
#include "model/train/backprop.h"
#include "model/train/optimizer.h"

namespace rondo::train {
namespace {

nlohmann::json Golden() {
  std::ifstream file(RONDO_SOURCE_DIR "/tests/golden/train/torch_training.json");
  return nlohmann::json::parse(file);
}

NetworkShape ShapeOfTensors(const std::string& cell, const nlohmann::json& sizes, int64_t num_layers) {
  NetworkShape shape;
  shape.cell = cell == "lstm" ? Cell::kLstm : cell.substr(0, 3) == "gru" ? Cell::kGru : Cell::kRnn;
  shape.gru_reset = cell == "gru_before" ? GruReset::kBefore : GruReset::kAfter;
  shape.activation = cell == "rnn_relu" ? Activation::kRelu : Activation::kTanh;
  shape.num_layers = num_layers;
  shape.hidden_size = sizes["hidden_size"];
  shape.input_size = sizes["input_size"];
  shape.head_size = 1;
  return shape;
}

// The formulas of inputs() and targets() in the script.
Batch FormulaBatch(int batch, const nlohmann::json& sizes) {
  Batch made;
  for (int t = 0; t < sizes["timesteps"]; ++t) {
    for (int n = 0; n < sizes["batch_size"]; ++n) {
      for (int i = 0; i < sizes["input_size"]; ++i) {
        made.features.push_back(std::sin(0.7 * t + 1.3 * n + 2.1 * i + 0.37 * batch));
      }
      made.targets.push_back(std::cos(0.7 * t + 1.3 * n + 0.37 * batch) * std::sin(0.5 * t));
      made.mask.push_back(1);
    }
  }
  return made;
}

std::unique_ptr<Backprop> MakeBackprop(const NetworkShape& shape, const nlohmann::json& sizes) {
  PrepareTrainingThread(1);
  Backprop::Options options;
  options.timesteps = sizes["timesteps"];
  options.batch_size = sizes["batch_size"];
  auto backprop = Backprop::Create(shape, options);
  EXPECT_TRUE(backprop.ok()) << backprop.status();
  return *std::move(backprop);
}

class TorchGradientTest : public testing::TestWithParam<const char*> {};

TEST_P(TorchGradientTest, LossAndGradientOfTwoLayersAreTorchs) {
  const nlohmann::json golden = Golden()["gradient"], expected = golden["cells"][GetParam()];
  const NetworkShape shape = ShapeOfTensors(GetParam(), golden, 2);
  const auto backprop = MakeBackprop(shape, golden);
  const std::vector<float> parameters = expected["parameters"], gradient = expected["gradient"];
  ASSERT_EQ(parameters.size(), backprop->layout().size());
  std::vector<float> state(backprop->state_size()), actual(parameters.size());
  const auto loss =
      backprop->LossAndGradient(FormulaBatch(0, golden), parameters, 0, absl::MakeSpan(state), absl::MakeSpan(actual));
  ASSERT_TRUE(loss.ok()) << loss.status();
  EXPECT_NEAR(*loss, expected["loss"].get<double>(), 1e-6);
  const float largest = std::abs(
      *std::max_element(gradient.begin(), gradient.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
  for (size_t i = 0; i < gradient.size(); ++i) EXPECT_NEAR(actual[i], gradient[i], 1e-5 * largest) << "parameter " << i;
}

INSTANTIATE_TEST_SUITE_P(Cells, TorchGradientTest,
                         testing::Values("lstm", "gru_after", "gru_before", "rnn_tanh", "rnn_relu"),
                         [](const auto& test) { return std::string(test.param); });

class TorchCurveTest : public testing::TestWithParam<const char*> {};

TEST_P(TorchCurveTest, TwoHundredStepsFollowTorchs) {
  const nlohmann::json golden = Golden()["curve"], expected = golden["cells"][GetParam()];
  const NetworkShape shape = ShapeOfTensors(GetParam(), golden, 1);
  const auto backprop = MakeBackprop(shape, golden);
  AdamW::Options options;
  options.weight_decay = golden["weight_decay"];
  const AdamW optimizer(backprop->layout(), options);
  AdamW::State moments = optimizer.InitialState();
  std::vector<float> parameters = expected["parameters"], gradient(parameters.size());
  const std::vector<double> losses = expected["losses"];
  for (size_t step = 0; step < losses.size(); ++step) {
    std::vector<float> state(backprop->state_size());
    const Batch batch = FormulaBatch(step % golden["batches"].get<int>(), golden);
    const auto loss = backprop->LossAndGradient(batch, parameters, 0, absl::MakeSpan(state), absl::MakeSpan(gradient));
    ASSERT_TRUE(loss.ok()) << loss.status();
    ASSERT_NEAR(*loss, losses[step], 1e-3 * losses[step]) << "step " << step;
    ClipByGlobalNorm(golden["max_norm"], absl::MakeSpan(gradient));
    optimizer.Step(gradient, golden["learning_rate"], &moments, absl::MakeSpan(parameters));
  }
  EXPECT_LT(losses.back(), 0.2 * losses.front());
}

INSTANTIATE_TEST_SUITE_P(Cells, TorchCurveTest, testing::Values("lstm", "gru_after", "gru_before"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace rondo::train
