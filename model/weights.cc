#include "model/weights.h"

#include "absl/strings/str_cat.h"
#include "base/invalid.h"

namespace rondo {

namespace {

std::vector<TensorSlot> GraphSlots(const Graph& graph, Weights* weights) {
  std::vector<TensorSlot> slots;
  for (const GraphNode& node : graph.nodes()) {
    for (const ElementSlot& slot : node.element->slots()) {
      slots.push_back({absl::StrCat(node.name, ".", slot.name), slot.shape, nullptr, slot.may_be_absent});
    }
  }
  weights->tensors.resize(slots.size());
  for (size_t i = 0; i < slots.size(); ++i) slots[i].values = &weights->tensors[i];
  return slots;
}

// What an element says of its own weights.
absl::Status CheckElements(const Graph& graph, const Weights& weights) {
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const GraphNode& node = graph.nodes()[i];
    if (absl::Status status = node.element->CheckWeights(graph.WeightsOf(i, weights.tensors)); !status.ok()) {
      return Invalid("element '", node.name, "': ", status.message());
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<TensorSlot> TensorSlots(const ModelSpec& spec, Weights* weights) {
  if (spec.graph != nullptr) return GraphSlots(*spec.graph, weights);
  std::vector<TensorSlot> slots;
  if (spec.tokens > 0) {
    slots.push_back({"embedding.weight", {{spec.tokens, spec.embedding_size}}, &weights->embedding});
  }
  const int64_t gate_rows = GateCount(spec.cell) * spec.hidden_size;
  weights->layers.resize(spec.num_layers);
  for (int64_t k = 0; k < spec.num_layers; ++k) {
    LayerWeights& layer = weights->layers[k];
    const int64_t input_width = k == 0 ? spec.feature_size() : spec.hidden_size;
    slots.push_back({absl::StrCat("rnn.weight_ih_l", k), {{gate_rows, input_width}}, &layer.weight_ih});
    slots.push_back({absl::StrCat("rnn.weight_hh_l", k), {{gate_rows, spec.hidden_size}}, &layer.weight_hh});
    slots.push_back({absl::StrCat("rnn.bias_ih_l", k), {{gate_rows}}, &layer.bias_ih, true});
    slots.push_back({absl::StrCat("rnn.bias_hh_l", k), {{gate_rows}}, &layer.bias_hh, true});
  }
  slots.push_back({"head.weight", {{spec.output_size(), spec.hidden_size}}, &weights->head_weight});
  slots.push_back({"head.bias", {{spec.output_size()}}, &weights->head_bias});
  return slots;
}

absl::Status CheckWeights(const ModelSpec& spec, const Weights& weights) {
  const size_t slots = spec.graph == nullptr ? 0 : spec.graph->num_slots();
  if (weights.tensors.size() != slots) {
    return absl::InvalidArgumentError(
        absl::StrCat("the weights have ", weights.tensors.size(), " tensors; the graph has ", slots));
  }
  if (static_cast<int64_t>(weights.layers.size()) != spec.num_layers) {
    return absl::InvalidArgumentError(
        absl::StrCat("the weights have ", weights.layers.size(), " layers; the spec has ", spec.num_layers));
  }
  if (spec.tokens == 0 && !weights.embedding.empty()) {
    return absl::InvalidArgumentError("the weights have an embedding; only a token model takes one");
  }
  // TensorSlots only resizes `layers`, which has its size already.
  for (const TensorSlot& slot : TensorSlots(spec, const_cast<Weights*>(&weights))) {
    if (static_cast<int64_t>(slot.values->size()) != slot.shape.size()) {
      return Invalid("'", slot.name, "' has ", slot.values->size(), " floats; the spec wants ", slot.shape.ToString());
    }
  }
  return spec.graph == nullptr ? absl::OkStatus() : CheckElements(*spec.graph, weights);
}

}  // namespace rondo
