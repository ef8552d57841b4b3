#include "model/train/mean_graph.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/spec_json.h"

namespace rondo::train {
namespace {

using Json = nlohmann::ordered_json;

// Returns the place of the input that an answer is added to; the number of inputs if there is none.
size_t InputAddedTo(const ModelSpec& spec, const OutputFeature& output) {
  const auto input = std::find_if(spec.inputs.begin(), spec.inputs.end(),
                                  [&](const auto& feature) { return feature.name == output.added_to; });
  return input - spec.inputs.begin();
}

}  // namespace

NetworkGraph GraphOf(const ModelSpec& spec, const Weights& weights) {
  NetworkGraph graph;
  graph.outputs = spec.outputs;
  std::string of = "input";
  for (size_t k = 0; k < weights.layers.size(); ++k) {
    const std::string name = absl::StrCat("layer_", k);
    Json element = {{"name", name}, {"type", CellName(spec.cell)}, {"of", of}, {"units", spec.hidden_size}};
    element.update(CellAttributes(spec));
    graph.elements.push_back(std::move(element));
    graph.tensors.emplace_back(name + ".weight_ih", weights.layers[k].weight_ih);
    graph.tensors.emplace_back(name + ".weight_hh", weights.layers[k].weight_hh);
    graph.tensors.emplace_back(name + ".bias_ih", weights.layers[k].bias_ih);
    graph.tensors.emplace_back(name + ".bias_hh", weights.layers[k].bias_hh);
    of = name;
  }
  graph.output = "head";
  graph.elements.push_back({{"name", "head"}, {"type", "dense"}, {"of", of}, {"units", spec.output_size()}});
  graph.tensors.emplace_back("head.weight", weights.head_weight);
  graph.tensors.emplace_back("head.bias", weights.head_bias);
  graph.elements = Json::parse(graph.elements.dump());
  return graph;
}

void AddRenamed(const NetworkGraph& network, const std::string& prefix, const std::string& input, NetworkGraph* graph) {
  const auto renamed = [&](const std::string& name) {
    return name == "input" ? input : name == "series" ? name : prefix + name;
  };
  for (Json element : network.elements) {
    element["name"] = renamed(element["name"].get<std::string>());
    if (Json& of = element["of"]; of.is_string()) {
      of = renamed(of.get<std::string>());
    } else {
      for (Json& one : of) one = renamed(one.get<std::string>());
    }
    graph->elements.push_back(std::move(element));
  }
  for (const auto& [name, values] : network.tensors) graph->tensors.emplace_back(prefix + name, values);
}

std::pair<std::vector<float>, std::vector<float>> MeanLayer(const ModelSpec& spec,
                                                            absl::Span<const NetworkGraph* const> networks,
                                                            absl::Span<const double> weights, bool minus_now) {
  const size_t outputs = spec.outputs.size(), answers = outputs * spec.horizon;
  const size_t width = networks.size() * answers + spec.feature_size();
  std::vector<float> weight(answers * width), bias;
  for (size_t answer = 0; answer < answers; ++answer) {
    std::vector<double> of_input(spec.inputs.size() + 1);  // the last one: of nothing
    double constant = 0;
    const auto add = [&](size_t input, double part) {
      of_input[input] += part;
      if (input < spec.inputs.size()) constant += part * spec.inputs[input].mean;
    };
    for (size_t k = 0; k < networks.size(); ++k) {
      const OutputFeature& output = networks[k]->outputs[answer % outputs];
      weight[answer * width + k * answers + answer] = static_cast<float>(weights[k] * output.std);
      constant += weights[k] * output.mean;
      add(InputAddedTo(spec, output), weights[k]);
    }
    if (minus_now) add(InputAddedTo(spec, spec.outputs[answer % outputs]), -1);
    for (size_t input = 0; input < spec.inputs.size(); ++input) {
      weight[answer * width + networks.size() * answers + input] =
          static_cast<float>(of_input[input] * spec.inputs[input].std);
    }
    bias.push_back(static_cast<float>(constant));
  }
  return {std::move(weight), std::move(bias)};
}

std::optional<NetworkGraph> MeanGraph(const ModelSpec& spec, absl::Span<const NetworkGraph* const> networks,
                                      absl::Span<const double> weights) {
  const int64_t answers = spec.horizon * static_cast<int64_t>(spec.outputs.size());
  NetworkGraph graph;
  Json parts = Json::array();
  for (const NetworkGraph* network : networks) {
    const std::string prefix = absl::StrCat("n", parts.size(), "_");
    AddRenamed(*network, prefix, "input", &graph);
    const std::string answer = prefix + "answer";  // one vector, whatever frame it was
    graph.elements.push_back({{"name", answer},
                              {"type", "reshape"},
                              {"of", prefix + network->output},
                              {"channels", answers},
                              {"length", 1}});
    parts.push_back(answer);
  }
  if (answers > kMostAnswers || graph.elements.size() > kMostElements) return std::nullopt;
  parts.push_back("input");
  graph.elements.push_back({{"name", "side_by_side"}, {"type", "concat"}, {"of", parts}});
  graph.elements.push_back({{"name", "mean"}, {"type", "dense"}, {"of", "side_by_side"}, {"units", answers}});
  auto [weight, bias] = MeanLayer(spec, networks, weights, /*minus_now=*/false);
  graph.tensors.emplace_back("mean.weight", std::move(weight));
  graph.tensors.emplace_back("mean.bias", std::move(bias));
  graph.output = "mean";
  for (const OutputFeature& output : spec.outputs) graph.outputs.push_back({output.name, 0, 1, ""});
  graph.elements = Json::parse(graph.elements.dump());
  return graph;
}

}  // namespace rondo::train
