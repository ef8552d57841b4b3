#include "model/train/series_graph.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/train/mean_graph.h"

namespace rondo::train {
namespace {

using Json = nlohmann::ordered_json;

class Builder {
 public:
  Builder(const ModelSpec& spec, absl::Span<const WeightedNetwork> networks)
      : spec_(spec),
        networks_(networks),
        inputs_(static_cast<int64_t>(spec.inputs.size())),
        series_(static_cast<int64_t>(networks[0].weights.size())),
        answers_(spec.horizon * static_cast<int64_t>(spec.outputs.size())) {}

  NetworkGraph Build() && {
    AddSeries();
    AddFeatures();
    for (size_t k = 0; k < networks_.size(); ++k) AddNetwork(k);
    for (const OutputFeature& output : spec_.outputs) graph_.outputs.push_back({output.name, 0, 1, output.added_to});
    graph_.elements = Json::parse(graph_.elements.dump());
    return std::move(graph_);
  }

 private:
  void Add(Json element) { graph_.elements.push_back(std::move(element)); }

  void AddLayer(const std::string& name, const std::string& of, std::vector<float> weight, std::vector<float> bias) {
    Add({{"name", name}, {"type", "dense"}, {"of", of}, {"units", bias.size()}});
    graph_.tensors.emplace_back(name + ".weight", std::move(weight));
    graph_.tensors.emplace_back(name + ".bias", std::move(bias));
  }

  // Adds which series it is: what is sent, or what was sent before where nothing is.
  void AddSeries() {
    Add({{"name", "sent_series"}, {"type", "slice"}, {"of", "input"}, {"from", inputs_}, {"to", inputs_ + series_}});
    AddLayer("none_sent", "sent_series", std::vector<float>(static_cast<size_t>(series_), -1.0f), {1.0f});
    Add({{"name", "series_before"}, {"type", "memory"}, {"units", series_}, {"next", "series"}});
    Add({{"name", "remembered_series"}, {"type", "multiply"}, {"of", {"series_before", "none_sent"}}});
    Add({{"name", "series"}, {"type", "add"}, {"of", {"sent_series", "remembered_series"}}});
  }

  // Adds the features of the networks: the inputs and the calendar, without the inputs of the series between them.
  void AddFeatures() {
    const int64_t end = spec_.feature_size() + series_;
    const bool has_calendar = end > inputs_ + series_;
    Add({{"name", has_calendar ? "values" : "features"},
         {"type", "slice"},
         {"of", "input"},
         {"from", 0},
         {"to", inputs_}});
    if (!has_calendar) return;
    Add({{"name", "calendar"}, {"type", "slice"}, {"of", "input"}, {"from", inputs_ + series_}, {"to", end}});
    Add({{"name", "features"}, {"type", "concat"}, {"of", {"values", "calendar"}}});
  }

  // Adds a network's change from now times its weight, and the sum of it and of those before.
  void AddNetwork(size_t k) {
    const WeightedNetwork& one = networks_[k];
    const std::string prefix = absl::StrCat("n", k, "_");
    AddRenamed(*one.network, prefix, "features", &graph_);
    Add({{"name", prefix + "answer"},
         {"type", "reshape"},
         {"of", prefix + one.network->output},
         {"channels", answers_},
         {"length", 1}});
    Add({{"name", prefix + "and_now"}, {"type", "concat"}, {"of", {prefix + "answer", "features"}}});
    auto [weight, bias] = MeanLayer(spec_, {one.network}, {1.0}, /*minus_now=*/true);
    AddLayer(prefix + "change", prefix + "and_now", std::move(weight), std::move(bias));
    std::vector<float> weights;
    for (const double its : one.weights) weights.push_back(static_cast<float>(its - one.unknown));
    AddLayer(prefix + "weight", "series", std::move(weights), {static_cast<float>(one.unknown)});
    Add({{"name", prefix + "part"}, {"type", "multiply"}, {"of", {prefix + "change", prefix + "weight"}}});
    if (k > 0) Add({{"name", prefix + "sum"}, {"type", "add"}, {"of", {graph_.output, prefix + "part"}}});
    graph_.output = prefix + (k > 0 ? "sum" : "part");
  }

  const ModelSpec& spec_;
  const absl::Span<const WeightedNetwork> networks_;
  const int64_t inputs_, series_, answers_;
  NetworkGraph graph_;
};

}  // namespace

std::optional<NetworkGraph> SeriesMeanGraph(const ModelSpec& spec, absl::Span<const WeightedNetwork> networks) {
  if (networks.empty() || spec.horizon * static_cast<int64_t>(spec.outputs.size()) > kMostAnswers) return std::nullopt;
  NetworkGraph graph = Builder(spec, networks).Build();
  if (graph.elements.size() > kMostElements) return std::nullopt;
  return graph;
}

}  // namespace rondo::train
