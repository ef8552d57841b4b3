#include "model/train/mean_graph.h"

#include <cmath>

#include "gtest/gtest.h"
#include "model/compute_thread.h"
#include "model/network.h"
#include "model/network/graph.h"
#include "model/train/model_assembly.h"
#include "model/train/random.h"
#include "model/train/training_kernel.h"

namespace rondo::train {
namespace {

constexpr int64_t kMeanTimesteps = 300;

Dataset Waves() {
  SeriesSet set;
  set.columns = {"a", "b"};
  Series series;
  series.timesteps = kMeanTimesteps;
  Random random(2);
  for (int64_t t = 0; t < series.timesteps; ++t) {
    series.values.push_back(static_cast<float>(3 + std::sin(0.5 * static_cast<double>(t)) + 0.1 * random.Normal()));
    series.values.push_back(static_cast<float>(100 + 10 * std::cos(0.5 * static_cast<double>(t)) + random.Normal()));
  }
  set.series.push_back(series);
  DatasetOptions options;
  options.inputs = options.targets = {"a", "b"};
  options.horizon = 3;
  return Dataset::Create(std::move(set), options).value();
}

// Returns what a network answers at the last timestep, after all of them.
std::vector<float> Answer(const Dataset& dataset, const ModelSpec& spec, const Weights& weights) {
  PrepareComputeThread();
  const auto network = Network::Create(spec, weights, {});
  EXPECT_TRUE(network.ok()) << network.status();
  std::vector<float> state(spec.state_size()), output(spec.output_size());
  for (int64_t t = 0; t < kMeanTimesteps; ++t) {
    StepRow row;
    row.input = &dataset.set().series[0].values[t * 2];
    row.state_in = row.state_out = state.data();
    row.output = output.data();
    (*network)->Step(absl::MakeSpan(&row, 1));
    EXPECT_TRUE(row.finite);
  }
  return output;
}

std::vector<float> AnswerOf(const Dataset& dataset, const NetworkGraph& network) {
  ModelSpec spec = dataset.spec();
  spec.graph = Graph::Read(network.elements, {spec.feature_size(), 0}, network.output).value();
  spec.outputs = network.outputs;
  Weights weights;
  for (const auto& [name, values] : network.tensors) weights.tensors.push_back(values);
  return Answer(dataset, spec, weights);
}

TEST(MeanGraphTest, AStackAnswersAsAGraphWhatItAnswersAsAStack) {
  const Dataset dataset = Waves();
  for (const Cell cell : {Cell::kGru, Cell::kLstm, Cell::kRnn}) {
    NetworkShape network;
    network.cell = cell;
    network.num_layers = 2;
    network.hidden_size = 5;
    const ModelSpec spec = SpecOf(dataset, network, {});
    const NetworkShape shape = ShapeOf(spec);
    const Weights weights = WeightsFromParameters(shape, InitialParameters(shape, 7));
    const std::vector<float> stack = Answer(dataset, spec, weights), graph = AnswerOf(dataset, GraphOf(spec, weights));
    ASSERT_EQ(stack.size(), graph.size());
    for (size_t i = 0; i < stack.size(); ++i) EXPECT_NEAR(stack[i], graph[i], 1e-4);
  }
}

TEST(MeanGraphTest, TheMeanOfNetworksAnswersTheMeanOfTheirAnswers) {
  PrepareTrainingThread(1);
  const Dataset dataset = Waves();
  std::vector<NetworkGraph> networks;
  for (const LinearKind kind : {LinearKind::kOwnWindow, LinearKind::kOwnLogWindow, LinearKind::kAllWindows}) {
    networks.push_back(GraphOf(dataset, *FitLinear(dataset, kind, {})));
  }
  const auto mean =
      MeanGraph(dataset.spec(), {&networks[0], &networks[1], &networks[2]}, std::vector<double>(3, 1.0 / 3));
  ASSERT_TRUE(mean.has_value());
  const std::vector<float> answer = AnswerOf(dataset, *mean);
  std::vector<float> expected(answer.size());
  for (const NetworkGraph& network : networks) {
    const std::vector<float> its = AnswerOf(dataset, network);
    ASSERT_EQ(its.size(), answer.size());
    for (size_t i = 0; i < its.size(); ++i) expected[i] += its[i] / 3;
  }
  for (size_t i = 0; i < answer.size(); ++i) EXPECT_NEAR(answer[i], expected[i], 1e-3);
  EXPECT_GT(answer[1], 50);  // in the unit of the second column
}

}  // namespace
}  // namespace rondo::train
