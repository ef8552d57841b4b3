#include "model/train/bidirectional_graph.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/spec_json.h"

namespace rondo::train {
namespace {

using Json = nlohmann::ordered_json;

// Puts the elements together, each with its tensors.
class BidirectionalBuilder {
 public:
  BidirectionalBuilder(const NetworkShape& shape, absl::Span<const float> parameters)
      : shape_(shape), parameters_(parameters), layout_(shape) {
    cell_.cell = shape.cell;
    cell_.gru_reset = shape.gru_reset;
    cell_.gru_update = shape.gru_update;
    cell_.activation = shape.activation;
  }

  NetworkGraph Build() && {
    std::string of = "input";
    if (shape_.tokens > 0) {
      Add({{"name", "embedding"},
           {"type", "embedding"},
           {"of", of},
           {"tokens", shape_.tokens},
           {"units", shape_.input_size}});
      AddTensor("embedding.weight", layout_.embedding());
      of = "embedding";
    }
    for (int64_t k = 0; k < shape_.num_layers; ++k) of = AddLayer(k, of);
    Add({{"name", "head"}, {"type", "dense"}, {"of", of}, {"units", shape_.head_size}});
    AddTensor("head.weight", layout_.head_weight());
    AddTensor("head.bias", layout_.head_bias());
    graph_.output = "head";
    // Numbers become of the kinds that a description has which was read: those without a sign are unsigned there.
    graph_.elements = Json::parse(graph_.elements.dump());
    return std::move(graph_);
  }

 private:
  // Returns the name of the element that answers for layer `k`.
  std::string AddLayer(int64_t k, const std::string& of) {
    std::string forward = absl::StrCat("forward_", k), backward = absl::StrCat("backward_", k);
    AddCell(forward, of, "forward", layout_.layers()[2 * k]);
    AddCell(backward, of, "reverse", layout_.layers()[2 * k + 1]);
    if (shape_.head_of_ends && k + 1 == shape_.num_layers) {
      Add({{"name", "last"}, {"type", "sequence_last"}, {"of", forward}});
      Add({{"name", "first"}, {"type", "sequence_first"}, {"of", backward}});
      forward = "last";
      backward = "first";
    }
    std::string both = absl::StrCat("both_", k);
    Add({{"name", both}, {"type", "concat"}, {"of", {forward, backward}}});
    return both;
  }

  void AddCell(const std::string& name, const std::string& of, const std::string& direction,
               const ParameterLayout::Layer& layer) {
    Json element = {{"name", name}, {"type", CellName(shape_.cell)}, {"of", of}, {"units", shape_.hidden_size}};
    element.update(CellAttributes(cell_));
    element["direction"] = direction;
    Add(std::move(element));
    AddTensor(name + ".weight_ih", layer.weight_ih);
    AddTensor(name + ".weight_hh", layer.weight_hh);
    AddTensor(name + ".bias_ih", layer.bias_ih);
    AddTensor(name + ".bias_hh", layer.bias_hh);
  }

  void Add(Json element) { graph_.elements.push_back(std::move(element)); }

  void AddTensor(const std::string& name, const ParameterLayout::Range& range) {
    const absl::Span<const float> values = Slice(parameters_, range);
    graph_.tensors.emplace_back(name, std::vector<float>(values.begin(), values.end()));
  }

  const NetworkShape& shape_;
  const absl::Span<const float> parameters_;
  const ParameterLayout layout_;
  ModelSpec cell_;
  NetworkGraph graph_;
};

}  // namespace

NetworkGraph BidirectionalGraph(const NetworkShape& shape, absl::Span<const float> parameters) {
  return BidirectionalBuilder(shape, parameters).Build();
}

}  // namespace rondo::train
