// Every kernel against the vectors of tests/golden/make_golden.py: what PyTorch answers, and the formulas that it
// lacks.
#include <fstream>

#include "nlohmann/json.hpp"
#include "tests/unit/model/random_network.h"

namespace rondo {
namespace {

using nlohmann::json;

constexpr double kTolerance = 1e-5;

// Every case of the golden files, by name.
const std::vector<json>& GoldenCases() {
  static const std::vector<json>* const cases = [] {
    auto* all = new std::vector<json>;
    for (const char* file : {"networks_torch.json", "networks_formula.json"}) {
      std::ifstream stream(absl::StrCat(RONDO_SOURCE_DIR, "/tests/golden/", file));
      for (const json& golden : json::parse(stream)) all->push_back(golden);
    }
    return all;
  }();
  return *cases;
}

ModelSpec SpecOf(const json& golden) {
  ModelSpec spec;
  spec.cell = golden["cell"] == "lstm" ? Cell::kLstm : golden["cell"] == "gru" ? Cell::kGru : Cell::kRnn;
  spec.gru_reset = golden["reset"] == "before" ? GruReset::kBefore : GruReset::kAfter;
  spec.gru_update = golden["update"] == "replace" ? GruUpdate::kReplace : GruUpdate::kKeep;
  spec.activation = golden["activation"] == "relu" ? Activation::kRelu : Activation::kTanh;
  spec.num_layers = golden["num_layers"];
  spec.hidden_size = golden["hidden_size"];
  for (int i = 0; i < golden["input_size"]; ++i) spec.inputs.push_back({absl::StrCat("in", i), 0, 1});
  for (int i = 0; i < golden["output_size"]; ++i) spec.outputs.push_back({absl::StrCat("out", i), 0, 1, {}});
  return spec;
}

Weights WeightsOf(const json& golden, const ModelSpec& spec) {
  Weights weights;
  for (const TensorSlot& slot : TensorSlots(spec, &weights)) {
    *slot.values = golden["weights"][slot.name].get<std::vector<float>>();
  }
  return weights;
}

class GoldenTest : public testing::TestWithParam<std::tuple<size_t, KernelKind>> {};

TEST_P(GoldenTest, EveryTimestepIsWhatTheSourceAnswers) {
  const auto& [index, kernel] = GetParam();
  const json& golden = GoldenCases()[index];
  const ModelSpec spec = SpecOf(golden);
  Network::Options options;
  options.kernel = kernel;
  const auto network = MakeNetwork(spec, WeightsOf(golden, spec), options);
  ASSERT_NE(network, nullptr);

  const json& inputs = golden["inputs"];  // [series][timesteps][input_size]
  Series series(spec, inputs.size());
  for (size_t t = 0; t < inputs[0].size(); ++t) {
    std::vector<float> step_inputs;
    for (const json& one : inputs) step_inputs.insert(step_inputs.end(), one[t].begin(), one[t].end());
    series.Step(*network, step_inputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto expected = golden["outputs"][i][t].get<std::vector<float>>();
      EXPECT_LE(LargestDifference(series.output(i), expected), kTolerance) << "series " << i << " timestep " << t;
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_LE(LargestDifference(series.state(i), golden["states"][i].get<std::vector<float>>()), kTolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, GoldenTest,
                         testing::Combine(testing::Range<size_t>(0, GoldenCases().size()),
                                          testing::Values(KernelKind::kRondo, KernelKind::kOneDnn,
                                                          KernelKind::kReference)),
                         [](const auto& test) {
                           return absl::StrCat(
                               GoldenCases()[std::get<0>(test.param)]["name"].template get<std::string>(),
                               KernelName(std::get<1>(test.param)));
                         });

}  // namespace
}  // namespace rondo
