// A bidirectional network answers through the graph of its model file what it answered while it was trained.

#include "model/train/bidirectional_graph.h"

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "model/compute_thread.h"
#include "model/model_file.h"
#include "model/network.h"
#include "model/train/backprop.h"
#include "model/train/model_assembly.h"
#include "model/train/random.h"
#include "tests/temporary_folder.h"

namespace rondo::train {
namespace {

constexpr int64_t kSequenceTimesteps = 6, kBatchSize = 3, kInputs = 2, kTokens = 5, kClasses = 3;
constexpr int64_t kLengths[kBatchSize] = {6, 1, 4};

ModelSpec SpecOfData(bool tokens) {
  ModelSpec spec;
  if (tokens) {
    spec.tokens = kTokens;
  } else {
    spec.inputs = NumberedFeatures<InputFeature>("x", kInputs);
  }
  spec.outputs = NumberedFeatures<OutputFeature>("class", kClasses);
  spec.head = Head::kSoftmax;
  return spec;
}

NetworkShape ShapeFor(Cell cell, bool tokens, bool ends) {
  NetworkShape shape;
  shape.cell = cell;
  shape.num_layers = 2;
  shape.hidden_size = 4;
  shape.input_size = tokens ? 3 : kInputs;
  shape.tokens = tokens ? kTokens : 0;
  shape.head_size = kClasses;
  shape.bidirectional = true;
  shape.head_of_ends = ends;
  return shape;
}

Batch RandomBatch(const NetworkShape& shape) {
  Random random(3);
  Batch batch;
  batch.lengths.assign(std::begin(kLengths), std::end(kLengths));
  for (int64_t row = 0; row < kSequenceTimesteps * kBatchSize; ++row) {
    if (shape.tokens > 0) batch.tokens.push_back(static_cast<int32_t>(random.Below(kTokens)));
    for (int64_t i = 0; i < kInputs && shape.tokens == 0; ++i) {
      batch.features.push_back(static_cast<float>(random.Normal()));
    }
    batch.targets.push_back(0);
    batch.mask.push_back(1);
  }
  return batch;
}

// The probabilities of the model's file for a sequence of the batch: [timesteps][classes].
std::vector<float> Answers(const Network& network, const Batch& batch, int64_t lane) {
  std::vector<float> inputs, outputs(static_cast<size_t>(kLengths[lane] * kClasses));
  for (int64_t t = 0; t < kLengths[lane]; ++t) {
    const int64_t row = t * kBatchSize + lane;
    if (!batch.tokens.empty()) inputs.push_back(static_cast<float>(batch.tokens[row]));
    for (int64_t i = 0; i < kInputs && batch.tokens.empty(); ++i) inputs.push_back(batch.features[row * kInputs + i]);
  }
  WholeSequence whole;
  whole.inputs = inputs.data();
  whole.timesteps = static_cast<size_t>(kLengths[lane]);
  whole.outputs = outputs.data();
  network.RunWhole({&whole, 1});
  EXPECT_TRUE(whole.finite);
  return outputs;
}

std::vector<float> Softmax(absl::Span<const float> logits) {
  std::vector<float> exps;
  for (const float logit : logits) exps.push_back(std::exp(logit));
  const float sum = std::accumulate(exps.begin(), exps.end(), 0.0f);
  for (float& each : exps) each /= sum;
  return exps;
}

void ExpectAnswersOfTraining(Cell cell, bool tokens, bool ends) {
  const NetworkShape shape = ShapeFor(cell, tokens, ends);
  const std::vector<float> parameters = InitialParameters(shape, 11);
  const Batch batch = RandomBatch(shape);
  PrepareTrainingThread(1);
  const auto backprop =
      Backprop::Create(shape, {kSequenceTimesteps, kBatchSize, {LossKind::kCrossEntropy, {}, kClasses}, 0});
  ASSERT_TRUE(backprop.ok()) << backprop.status();
  std::vector<float> zeros((*backprop)->state_size());
  ASSERT_TRUE((*backprop)->LossOnly(batch, parameters, absl::MakeSpan(zeros)).ok());

  NetworkGraph graph = BidirectionalGraph(shape, parameters);
  graph.outputs = SpecOfData(tokens).outputs;
  const auto made = ModelOf(SpecOfData(tokens), graph);
  ASSERT_TRUE(made.ok()) << made.status();
  const TemporaryFolder folder;
  const std::string path = folder.Path("model.safetensors");
  ASSERT_TRUE(WriteModelFile(*made, path).ok());
  const auto model = ReadModelFile(path);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_TRUE(model->spec.whole_sequence());
  PrepareComputeThread();
  const auto network = Network::Create(model->spec, model->weights, {});
  ASSERT_TRUE(network.ok()) << network.status();
  for (int64_t lane = 0; lane < kBatchSize; ++lane) {
    const std::vector<float> answers = Answers(**network, batch, lane);
    for (int64_t t = ends ? kLengths[lane] - 1 : 0; t < kLengths[lane]; ++t) {
      const std::vector<float> expected =
          Softmax((*backprop)->predictions().subspan((t * kBatchSize + lane) * kClasses, kClasses));
      for (int64_t i = 0; i < kClasses; ++i) EXPECT_NEAR(answers[t * kClasses + i], expected[i], 1e-5);
    }
  }
}

TEST(BidirectionalGraphTest, TheModelFileAnswersWhatTheTrainedNetworkAnswers) {
  for (const Cell cell : {Cell::kLstm, Cell::kGru, Cell::kRnn}) {
    for (const bool tokens : {false, true}) {
      for (const bool ends : {false, true}) {
        SCOPED_TRACE(testing::Message() << CellName(cell) << " tokens " << tokens << " ends " << ends);
        ExpectAnswersOfTraining(cell, tokens, ends);
      }
    }
  }
}

}  // namespace
}  // namespace rondo::train
