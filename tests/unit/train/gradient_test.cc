// Gradients against central differences of a float64 network in plain loops, and against PyTorch's.

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/train/backprop.h"
#include "model/train/random.h"
#include "tests/unit/train/reference_network.h"

namespace rondo::train {
namespace {

constexpr int64_t kTimesteps = 5, kBatchSize = 3;

struct CellCase {
  std::string name;
  Cell cell;
  GruReset reset;
  GruUpdate update;
  Activation activation;
};

const CellCase kCells[] = {
    {"Lstm", Cell::kLstm, GruReset::kAfter, GruUpdate::kKeep, Activation::kTanh},
    {"GruResetBeforeKeep", Cell::kGru, GruReset::kBefore, GruUpdate::kKeep, Activation::kTanh},
    {"GruResetAfterKeep", Cell::kGru, GruReset::kAfter, GruUpdate::kKeep, Activation::kTanh},
    {"GruResetBeforeReplace", Cell::kGru, GruReset::kBefore, GruUpdate::kReplace, Activation::kTanh},
    {"GruResetAfterReplace", Cell::kGru, GruReset::kAfter, GruUpdate::kReplace, Activation::kTanh},
    {"RnnTanh", Cell::kRnn, GruReset::kAfter, GruUpdate::kKeep, Activation::kTanh},
    {"RnnRelu", Cell::kRnn, GruReset::kAfter, GruUpdate::kKeep, Activation::kRelu},
};

struct LossCase {
  std::string name;
  Loss loss;
  int64_t tokens;  // > 0: the network reads tokens
};

const LossCase kLosses[] = {
    {"Mse", {LossKind::kMse, {}, 0}, 0},
    {"Mae", {LossKind::kMae, {}, 0}, 0},
    {"Quantile", {LossKind::kQuantile, {0.1, 0.5, 0.9}, 0}, 0},
    {"Gaussian", {LossKind::kGaussian, {}, 0}, 0},
    {"CrossEntropyOfTokens", {LossKind::kCrossEntropy, {}, 6}, 6},
};

// What a layer reads: the timesteps before, or both sides; and whether the head sees each timestep of both, or their
// ends.
enum class Reading { kForward, kBoth, kEnds };

NetworkShape ShapeOf(const CellCase& cell, const LossCase& loss, int64_t num_layers,
                     Reading reading = Reading::kForward) {
  NetworkShape shape;
  shape.cell = cell.cell;
  shape.gru_reset = cell.reset;
  shape.gru_update = cell.update;
  shape.activation = cell.activation;
  shape.num_layers = num_layers;
  shape.hidden_size = 5;
  shape.input_size = 3;
  shape.tokens = loss.tokens;
  const int64_t targets = loss.loss.kind == LossKind::kCrossEntropy ? 1 : 2;
  shape.head_size = targets * loss.loss.values_per_target();
  shape.bidirectional = reading != Reading::kForward;
  shape.head_of_ends = reading == Reading::kEnds;
  return shape;
}

// Makes sequences of different lengths of a batch; what stands behind their ends stays.
void SetLengths(const NetworkShape& shape, Batch* batch) {
  batch->lengths = {kTimesteps, 2, 3};
  for (int64_t row = 0; row < kTimesteps * kBatchSize; ++row) {
    const int64_t t = row / kBatchSize, last = batch->lengths[row % kBatchSize] - 1;
    if (t > last || (shape.head_of_ends && t < last)) batch->mask[row] = 0;
  }
}

Batch RandomBatch(const NetworkShape& shape, const Loss& loss, Random& random) {
  Batch batch;
  const int64_t rows = kTimesteps * kBatchSize, width = shape.head_size / loss.values_per_target();
  for (int64_t row = 0; row < rows; ++row) {
    if (shape.tokens > 0) {
      batch.tokens.push_back(random.Below(shape.tokens));
    } else {
      for (int64_t i = 0; i < shape.input_size; ++i) batch.features.push_back(random.Normal());
    }
    for (int64_t i = 0; i < width; ++i) {
      batch.targets.push_back(loss.kind == LossKind::kCrossEntropy ? random.Below(loss.classes) : random.Normal());
    }
    batch.mask.push_back(row == 4 ? 0 : 1);
  }
  if (shape.bidirectional) SetLengths(shape, &batch);
  return batch;
}

// Largest difference within a tensor, in units of the tensor's largest gradient.
double RelativeError(const std::vector<double>& expected, absl::Span<const float> actual,
                     const ParameterLayout::Range& range) {
  double difference = 0, largest = 0;
  for (size_t i = range.offset; i < range.offset + range.size; ++i) {
    difference = std::max(difference, std::abs(expected[i] - actual[i]));
    largest = std::max(largest, std::abs(expected[i]));
  }
  return largest == 0 ? difference : difference / largest;
}

using Case = std::tuple<CellCase, LossCase, int, Reading>;
class GradientTest : public testing::TestWithParam<Case> {};

TEST_P(GradientTest, MatchesCentralDifferencesInDouble) {
  PrepareTrainingThread(1);
  const auto& [cell, loss_case, num_layers, reading] = GetParam();
  const NetworkShape shape = ShapeOf(cell, loss_case, num_layers, reading);
  const Loss& loss = loss_case.loss;
  Random random(17, num_layers);
  const Batch batch = RandomBatch(shape, loss, random);
  std::vector<float> parameters(ParameterLayout(shape).size());
  for (float& parameter : parameters) parameter = 0.5 * random.Normal();

  auto backprop = Backprop::Create(shape, {kTimesteps, kBatchSize, loss, 0});
  ASSERT_TRUE(backprop.ok()) << backprop.status();
  std::vector<float> state((*backprop)->state_size()), gradient(parameters.size());
  const auto value =
      (*backprop)->LossAndGradient(batch, parameters, 0, absl::MakeSpan(state), absl::MakeSpan(gradient));
  ASSERT_TRUE(value.ok()) << value.status();

  std::vector<double> exact(parameters.begin(), parameters.end()), expected(parameters.size());
  const auto loss_at = [&] { return ReferenceLoss(shape, loss, kTimesteps, kBatchSize, batch, exact); };
  EXPECT_NEAR(*value, loss_at(), 1e-5 * std::abs(loss_at()));
  constexpr double kDelta = 1e-6;
  for (size_t i = 0; i < exact.size(); ++i) {
    const double middle = exact[i];
    exact[i] = middle + kDelta;
    const double above = loss_at();
    exact[i] = middle - kDelta;
    expected[i] = (above - loss_at()) / (2 * kDelta);
    exact[i] = middle;
  }
  const ParameterLayout layout(shape);
  EXPECT_LE(RelativeError(expected, gradient, layout.embedding()), 1e-4);
  EXPECT_LE(RelativeError(expected, gradient, layout.head_weight()), 1e-4);
  EXPECT_LE(RelativeError(expected, gradient, layout.head_bias()), 1e-4);
  for (const ParameterLayout::Layer& layer : layout.layers()) {
    EXPECT_LE(RelativeError(expected, gradient, layer.weight_ih), 1e-4);
    EXPECT_LE(RelativeError(expected, gradient, layer.weight_hh), 1e-4);
    EXPECT_LE(RelativeError(expected, gradient, layer.bias_ih), 1e-4);
    EXPECT_LE(RelativeError(expected, gradient, layer.bias_hh), 1e-4);
  }
}

std::string NameOf(const testing::TestParamInfo<Case>& test) {
  constexpr const char* kReadings[] = {"", "BothDirections", "EndsOfBothDirections"};
  return std::get<0>(test.param).name + std::get<1>(test.param).name + std::to_string(std::get<2>(test.param)) +
         "Layers" + kReadings[static_cast<size_t>(std::get<3>(test.param))];
}

INSTANTIATE_TEST_SUITE_P(CellsLossesLayers, GradientTest,
                         testing::Combine(testing::ValuesIn(kCells), testing::ValuesIn(kLosses), testing::Range(1, 4),
                                          testing::Values(Reading::kForward)),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(TagsOfDifferentLengths, GradientTest,
                         testing::Combine(testing::ValuesIn(kCells), testing::Values(kLosses[0]), testing::Values(2),
                                          testing::Values(Reading::kBoth)),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(ClassesOfDifferentLengths, GradientTest,
                         testing::Combine(testing::ValuesIn(kCells), testing::Values(kLosses[4]), testing::Values(2),
                                          testing::Values(Reading::kEnds)),
                         NameOf);

std::vector<float> GradientOf(const NetworkShape& shape, const Loss& loss, int64_t timesteps, int64_t batch_size,
                              const Batch& batch, const std::vector<float>& parameters) {
  auto backprop = Backprop::Create(shape, {timesteps, batch_size, loss, 0});
  EXPECT_TRUE(backprop.ok()) << backprop.status();
  std::vector<float> zeros((*backprop)->state_size()), gradient(parameters.size());
  EXPECT_TRUE((*backprop)->LossAndGradient(batch, parameters, 0, absl::MakeSpan(zeros), absl::MakeSpan(gradient)).ok());
  return gradient;
}

// One sequence of a batch, without what stands behind its end.
Batch Alone(const NetworkShape& shape, const Batch& batch, int64_t lane) {
  Batch alone;
  alone.lengths = {batch.lengths[lane]};
  for (int64_t t = 0; t < batch.lengths[lane]; ++t) {
    const int64_t row = t * kBatchSize + lane;
    for (int64_t i = 0; i < shape.input_size; ++i) alone.features.push_back(batch.features[row * shape.input_size + i]);
    for (int64_t i = 0; i < 2; ++i) alone.targets.push_back(batch.targets[row * 2 + i]);
    alone.mask.push_back(batch.mask[row]);
  }
  return alone;
}

// What is learned from a sequence is what is learned from it alone, whatever shares its batch or stands behind its end.
TEST(BackpropTest, ASequenceOfABatchTeachesABidirectionalNetworkWhatItTeachesAlone) {
  PrepareTrainingThread(1);
  for (const CellCase& cell : kCells) {
    const NetworkShape shape = ShapeOf(cell, kLosses[0], 2, Reading::kBoth);
    const Loss& loss = kLosses[0].loss;
    Random random(29);
    Batch batch = RandomBatch(shape, loss, random);
    const std::vector<float> parameters = InitialParameters(shape, 7);
    const std::vector<float> together = GradientOf(shape, loss, kTimesteps, kBatchSize, batch, parameters);
    std::vector<double> sum(parameters.size());
    double targets = 0;
    for (int64_t lane = 0; lane < kBatchSize; ++lane) {
      const Batch alone = Alone(shape, batch, lane);
      const std::vector<float> its = GradientOf(shape, loss, batch.lengths[lane], 1, alone, parameters);
      const double count = std::count(alone.mask.begin(), alone.mask.end(), 1.0f);
      targets += count;
      for (size_t i = 0; i < its.size(); ++i) sum[i] += count * its[i];
    }
    for (size_t i = 0; i < sum.size(); ++i) ASSERT_NEAR(together[i], sum[i] / targets, 1e-6) << cell.name;
    for (int64_t row = 0; row < kTimesteps * kBatchSize; ++row) {
      if (row / kBatchSize < batch.lengths[row % kBatchSize]) continue;
      for (int64_t i = 0; i < shape.input_size; ++i) batch.features[row * shape.input_size + i] = 50;
    }
    EXPECT_EQ(GradientOf(shape, loss, kTimesteps, kBatchSize, batch, parameters), together) << cell.name;
  }
}

// Two windows with the state carried over predict what one window of twice the length predicts.
TEST(BackpropTest, CarriedStateContinuesTheSeries) {
  PrepareTrainingThread(1);
  for (const CellCase& cell : kCells) {
    const NetworkShape shape = ShapeOf(cell, kLosses[0], 2);
    Random random(3);
    const std::vector<float> parameters = InitialParameters(shape, 5);
    const Batch first = RandomBatch(shape, kLosses[0].loss, random),
                second = RandomBatch(shape, kLosses[0].loss, random);
    Batch whole = first;
    whole.features.insert(whole.features.end(), second.features.begin(), second.features.end());
    whole.targets.insert(whole.targets.end(), second.targets.begin(), second.targets.end());
    whole.mask.insert(whole.mask.end(), second.mask.begin(), second.mask.end());
    auto window = Backprop::Create(shape, {kTimesteps, kBatchSize, kLosses[0].loss, 0});
    auto twice = Backprop::Create(shape, {2 * kTimesteps, kBatchSize, kLosses[0].loss, 0});
    ASSERT_TRUE(window.ok() && twice.ok());
    std::vector<float> state((*window)->state_size()), whole_state = state;
    ASSERT_TRUE((*window)->LossOnly(first, parameters, absl::MakeSpan(state)).ok());
    ASSERT_TRUE((*window)->LossOnly(second, parameters, absl::MakeSpan(state)).ok());
    ASSERT_TRUE((*twice)->LossOnly(whole, parameters, absl::MakeSpan(whole_state)).ok());
    const absl::Span<const float> tail = (*window)->predictions();
    for (size_t i = 0; i < tail.size(); ++i) {
      ASSERT_NEAR(tail[i], (*twice)->predictions()[tail.size() + i], 1e-5) << cell.name;
    }
    for (size_t i = 0; i < state.size(); ++i) ASSERT_NEAR(state[i], whole_state[i], 1e-5) << cell.name;
  }
}

// With dropout the gradient is that of the network which the same seed makes.
TEST(BackpropTest, DropoutGradientIsTheSlopeOfTheSameDroppedNetwork) {
  PrepareTrainingThread(1);
  const NetworkShape shape = ShapeOf(kCells[0], kLosses[0], 3);
  Random random(23);
  const Batch batch = RandomBatch(shape, kLosses[0].loss, random);
  std::vector<float> parameters = InitialParameters(shape, 1);
  auto backprop = Backprop::Create(shape, {kTimesteps, kBatchSize, kLosses[0].loss, 0.4});
  ASSERT_TRUE(backprop.ok());
  std::vector<float> gradient(parameters.size()), ignored(parameters.size());
  const auto loss_at = [&](absl::Span<float> out) {
    std::vector<float> state((*backprop)->state_size());
    return (*backprop)->LossAndGradient(batch, parameters, 77, absl::MakeSpan(state), out).value();
  };
  const double middle = loss_at(absl::MakeSpan(gradient));
  double squared = 0;
  for (float g : gradient) squared += g * g;
  // Along the gradient the loss must change by |gradient|^2 per unit.
  constexpr float kDelta = 1e-2;
  const std::vector<float> start = parameters;
  for (size_t i = 0; i < start.size(); ++i) parameters[i] = start[i] + kDelta * gradient[i];
  const double above = loss_at(absl::MakeSpan(ignored));
  for (size_t i = 0; i < start.size(); ++i) parameters[i] = start[i] - kDelta * gradient[i];
  const double below = loss_at(absl::MakeSpan(ignored));
  EXPECT_NEAR((above - below) / (2 * kDelta), squared, 1e-3 * squared);
  parameters = start;
  std::vector<float> state((*backprop)->state_size());
  EXPECT_NE((*backprop)->LossAndGradient(batch, parameters, 78, absl::MakeSpan(state), absl::MakeSpan(ignored)).value(),
            middle);
}

}  // namespace
}  // namespace rondo::train
