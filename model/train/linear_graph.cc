#include "model/train/linear_graph.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "model/network/graph.h"
#include "model/train/linear_rows.h"

namespace rondo::train {
namespace {

using Json = nlohmann::ordered_json;

// Puts the elements of a linear network together.
class LinearBuilder {
 public:
  LinearBuilder(const Dataset& dataset, LinearKind kind, int64_t length, absl::Span<const LinearLayer> layers)
      : dataset_(dataset), spec_(dataset.spec()), layers_(layers), rows_(dataset, kind, length) {}

  NetworkGraph Build() && {
    graph_.outputs = spec_.outputs;
    const bool logarithms = rows_.kind() == LinearKind::kOwnLogWindow;
    for (int64_t i = 0; i < rows_.num_outputs(); ++i) {
      graph_.outputs[i].mean = rows_.mean(i);
      graph_.outputs[i].std = rows_.std(i);
      if (logarithms) graph_.outputs[i].added_to.clear();
    }
    if (rows_.own()) {
      AddOwnWindows(logarithms);
    } else {
      AddAllWindows();
    }
    // Numbers become of the kinds that a description has which was read: those without a sign are unsigned there.
    graph_.elements = Json::parse(graph_.elements.dump());
    return std::move(graph_);
  }

 private:
  void Add(Json element) { graph_.elements.push_back(std::move(element)); }

  void AddLayer(const std::string& name, const std::string& of) {
    const auto count = static_cast<int64_t>(layers_.size());
    const std::string each = count == 1 ? name : name + "_each";
    std::vector<float> weight, bias;
    for (const LinearLayer& layer : layers_) {
      weight.insert(weight.end(), layer.weight.begin(), layer.weight.end());
      bias.insert(bias.end(), layer.bias.begin(), layer.bias.end());
    }
    Add({{"name", each}, {"type", "dense"}, {"of", of}, {"units", count * rows_.targets()}});
    graph_.tensors.emplace_back(each + ".weight", std::move(weight));
    graph_.tensors.emplace_back(each + ".bias", std::move(bias));
    if (count == 1) return;
    Add({{"name", name + "_frame"},
         {"type", "reshape"},
         {"of", each},
         {"channels", count},
         {"length", rows_.targets()}});
    Add({{"name", name + "_own"}, {"type", "multiply"}, {"of", {name + "_frame", "series"}}});
    Add({{"name", name + "_across"}, {"type", "transpose"}, {"of", name + "_own"}});
    Add({{"name", name}, {"type", "sum"}, {"of", name + "_across"}});
  }

  void AddSlice(const std::string& name, const std::string& of, int64_t from, int64_t to) {
    Add({{"name", name}, {"type", "slice"}, {"of", of}, {"from", from}, {"to", to}});
  }

  void AddWindow(const std::string& name, const std::string& of) {
    Add({{"name", name}, {"type", "lag_window"}, {"of", of}, {"length", rows_.length()}});
    if (rows_.minus_newest()) graph_.elements.back()["minus_newest"] = true;
  }

  // Adds the logarithm of an input as it was sent. A value that is far below all that were seen counts as one that is
  // a tenth of the least.
  void AddLogarithm(int64_t output, const std::string& of, const std::string& name) {
    const InputFeature& input = spec_.inputs[rows_.input_of_target(output)];
    double least = HUGE_VAL;
    for (size_t series = 0; series < dataset_.set().series.size(); ++series) {
      for (int64_t t = 0; t < dataset_.set().series[series].timesteps; ++t) {
        least = std::min<double>(least, dataset_.value(series, t, dataset_.target_column(output)));
      }
    }
    const std::string sent = absl::StrCat("sent_", output), positive = absl::StrCat("positive_", output);
    Add({{"name", sent}, {"type", "dense"}, {"of", of}, {"units", 1}});
    graph_.tensors.emplace_back(sent + ".weight", std::vector<float>{static_cast<float>(input.std)});
    graph_.tensors.emplace_back(sent + ".bias", std::vector<float>{static_cast<float>(input.mean)});
    Add({{"name", positive},
         {"type", "activation"},
         {"of", sent},
         {"function", "clip"},
         {"alpha", least / 10},
         {"beta", 1e29}});
    Add({{"name", name}, {"type", "activation"}, {"of", positive}, {"function", "log"}, {"alpha", 0.0}});
  }

  void AddOwnWindows(bool logarithms) {
    Json parts = Json::array();
    for (int64_t i = 0; i < rows_.num_outputs(); ++i) {
      const int64_t input = rows_.input_of_target(i);
      std::string value = absl::StrCat("value_", i), part = absl::StrCat("ahead_", i);
      const std::string window = absl::StrCat("window_", i);
      AddSlice(value, "input", input, input + 1);
      if (logarithms) {
        const std::string logarithm = absl::StrCat("log_", i);
        AddLogarithm(i, value, logarithm);
        value = logarithm;
      }
      AddWindow(window, value);
      AddLayer(part, window);
      if (logarithms) {
        const std::string sum = absl::StrCat("sum_", i), answer = absl::StrCat("answer_", i);
        Add({{"name", sum}, {"type", "add"}, {"of", {part, value}}});
        Add({{"name", answer}, {"type", "activation"}, {"of", sum}, {"function", "exp"}});
        part = answer;
      }
      parts.push_back(part);
    }
    graph_.output = parts[0].get<std::string>();
    if (parts.size() == 1) return;
    graph_.output = "together";
    Add({{"name", "together"}, {"type", "concat"}, {"of", parts}});
    if (spec_.horizon == 1) return;
    Add({{"name", "by_target"},
         {"type", "reshape"},
         {"of", "together"},
         {"channels", rows_.num_outputs()},
         {"length", spec_.horizon}});
    Add({{"name", "by_step"}, {"type", "transpose"}, {"of", "by_target"}});
    graph_.output = "by_step";
  }

  void AddAllWindows() {
    Json parts = Json::array();
    for (int64_t i = 0; i < rows_.num_windows(); ++i) {
      const std::string value = absl::StrCat("value_", i), window = absl::StrCat("window_", i);
      AddSlice(value, "input", i, i + 1);
      AddWindow(window, value);
      parts.push_back(window);
    }
    if (rows_.num_others() > 0) {
      AddSlice("others", "input", spec_.feature_size() - rows_.num_others(), spec_.feature_size());
      parts.push_back("others");
    }
    graph_.output = "ahead";
    if (parts.size() > 1) Add({{"name", "together"}, {"type", "concat"}, {"of", parts}});
    AddLayer("ahead", parts.size() > 1 ? "together" : parts[0].get<std::string>());
  }

  const Dataset& dataset_;
  const ModelSpec& spec_;
  const absl::Span<const LinearLayer> layers_;  // one for all series, or one for each
  const LinearRows rows_;
  NetworkGraph graph_;
};

}  // namespace

absl::StatusOr<ModelFile> ModelOf(const Dataset& dataset, const NetworkGraph& network) {
  ModelFile model;
  model.spec = dataset.spec();
  auto graph = Graph::Read(network.elements, {model.spec.feature_size(), 0}, network.output);
  if (!graph.ok()) return graph.status();
  model.spec.graph = *std::move(graph);
  model.spec.outputs = network.outputs;
  for (const auto& [name, values] : network.tensors) model.weights.tensors.push_back(values);
  return model;
}

NetworkGraph GraphOf(const Dataset& dataset, const LinearNetwork& network) {
  return GraphOf(dataset, network.kind, network.length, absl::MakeConstSpan(&network.layer, 1));
}

NetworkGraph GraphOf(const Dataset& dataset, LinearKind kind, int64_t length, absl::Span<const LinearLayer> layers) {
  return LinearBuilder(dataset, kind, length, layers).Build();
}

}  // namespace rondo::train
