#include "model/weights.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rondo {

int64_t TensorShape::size() const {
  int64_t size = 1;
  for (int64_t dimension : dimensions) size *= dimension;
  return size;
}

std::string TensorShape::ToString() const { return absl::StrCat("[", absl::StrJoin(dimensions, "]["), "]"); }

int64_t GateCount(Cell cell) {
  switch (cell) {
    case Cell::kLstm:
      return 4;
    case Cell::kGru:
      return 3;
    case Cell::kRnn:
      return 1;
  }
  return 0;
}

std::vector<TensorSlot> TensorSlots(const ModelSpec& spec, Weights* weights) {
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
    slots.push_back({absl::StrCat("rnn.bias_ih_l", k), {{gate_rows}}, &layer.bias_ih});
    slots.push_back({absl::StrCat("rnn.bias_hh_l", k), {{gate_rows}}, &layer.bias_hh});
  }
  slots.push_back({"head.weight", {{spec.output_size(), spec.hidden_size}}, &weights->head_weight});
  slots.push_back({"head.bias", {{spec.output_size()}}, &weights->head_bias});
  return slots;
}

absl::Status CheckWeights(const ModelSpec& spec, const Weights& weights) {
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
      return absl::InvalidArgumentError(absl::StrCat("'", slot.name, "' has ", slot.values->size(),
                                                     " floats; the spec wants ", slot.shape.ToString()));
    }
  }
  return absl::OkStatus();
}

}  // namespace rondo
