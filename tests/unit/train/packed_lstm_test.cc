// Gradients of an lstm have the same bits with any number of threads and every set of instructions.
#include "model/train/packed_lstm.h"

#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "model/train/training_kernel.h"

namespace rondo::train {
namespace {

constexpr size_t kInputs = 45, kHidden = 77, kSeries = 61;
constexpr size_t kFew = 10, kMany = 120;  // timesteps; the latter are worth five threads

// The gradients of the weights, then those of the inputs.
std::vector<float> Gradients(size_t timesteps, int threads, InstructionSet instruction_set) {
  PrepareTrainingThread(threads);
  const size_t rows = timesteps * kSeries;
  RecurrentLayer::Shape shape;
  shape.timesteps = static_cast<int64_t>(timesteps);
  shape.batch_size = kSeries;
  shape.input_size = kInputs;
  shape.hidden_size = kHidden;
  PackedLstm layer(shape, instruction_set);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-0.3f, 0.3f);
  const std::vector<size_t> sizes = {4 * kHidden * kInputs, 4 * kHidden * kHidden, 4 * kHidden, 4 * kHidden};
  std::vector<std::vector<float>> weights, gradients;
  for (const size_t size : sizes) {
    weights.emplace_back(size);
    for (float& weight : weights.back()) weight = uniform(random);
    gradients.emplace_back(size);
  }
  for (size_t i = 0; i < rows * kInputs; ++i) layer.input()[i] = 5 * uniform(random);
  for (size_t i = 0; i < rows * kHidden; ++i) layer.output_gradient()[i] = uniform(random);
  EXPECT_TRUE(layer.SetWeights({weights[0], weights[1], weights[2], weights[3]}).ok());
  EXPECT_TRUE(layer.Forward().ok());
  EXPECT_TRUE(layer.Backward().ok());
  EXPECT_TRUE(layer
                  .AddGradients({absl::MakeSpan(gradients[0]), absl::MakeSpan(gradients[1]),
                                 absl::MakeSpan(gradients[2]), absl::MakeSpan(gradients[3])})
                  .ok());
  std::vector<float> all(layer.input_gradient(), layer.input_gradient() + rows * kInputs);
  for (const std::vector<float>& each : gradients) all.insert(all.end(), each.begin(), each.end());
  return all;
}

TEST(PackedLstmTest, TheNumberOfThreadsChangesNoBit) {
  const std::vector<float> wanted = Gradients(kMany, 1, FastestInstructionSet());
  for (const int threads : {2, 5}) EXPECT_EQ(Gradients(kMany, threads, FastestInstructionSet()), wanted) << threads;
}

TEST(PackedLstmTest, TheInstructionSetChangesNoBit) {
  const std::vector<float> wanted = Gradients(kFew, 1, FastestInstructionSet());
  for (const InstructionSet set : InstructionSets()) {
    EXPECT_EQ(Gradients(kFew, 1, set), wanted) << InstructionSetName(set);
  }
}

}  // namespace
}  // namespace rondo::train
