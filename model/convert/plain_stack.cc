#include "model/convert/plain_stack.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/convert/graph/layers.h"

namespace rondo::convert {
namespace {

Array ToArray(const std::vector<float>& values, std::vector<int64_t> shape) {
  return {std::move(shape), std::vector<double>(values.begin(), values.end())};
}

// (value - mean) / std of each input, or the token's row of the embedding.
Value AddEncoder(const ModelFile& model, ElementGraph* graph) {
  const ModelSpec& spec = model.spec;
  if (spec.tokens > 0) {
    return AddEmbedding(graph, "embedding", graph->SetTokens(spec.tokens),
                        ToArray(model.weights.embedding, {spec.tokens, spec.embedding_size}));
  }
  Array scale = Filled({spec.input_size()}, 1), shift = Filled({spec.input_size()}, 0);
  bool plain = true;
  for (size_t i = 0; i < spec.inputs.size(); ++i) {
    scale.values[i] = 1 / spec.inputs[i].std;
    shift.values[i] = -spec.inputs[i].mean / spec.inputs[i].std;
    plain = plain && spec.inputs[i].std == 1 && spec.inputs[i].mean == 0;
  }
  const Value input = graph->SetInput(spec.input_size());
  return plain ? input : AddScale(graph, "standardised", input, std::move(scale), std::move(shift));
}

Value AddLayer(const ModelSpec& spec, const LayerWeights& weights, int64_t layer, const Value& in,
               ElementGraph* graph) {
  const int64_t units = spec.hidden_size, rows = GateCount(spec.cell) * units;
  Json attributes = Json::object();
  if (spec.cell == Cell::kGru) {
    attributes = {{"reset", spec.gru_reset == GruReset::kAfter ? "after" : "before"},
                  {"update", spec.gru_update == GruUpdate::kKeep ? "keep" : "replace"}};
  } else if (spec.cell == Cell::kRnn && spec.activation == rondo::Activation::kRelu) {
    attributes = {{"activation", "relu"}};
  }
  CellWeights cell;
  cell.weight_ih = ToArray(weights.weight_ih, {rows, in.frame.size()});
  cell.weight_hh = ToArray(weights.weight_hh, {rows, units});
  cell.bias_ih = ToArray(weights.bias_ih, {rows});
  cell.bias_hh = ToArray(weights.bias_hh, {rows});
  return AddCell(graph, absl::StrCat("rnn_l", layer), CellName(spec.cell), in, std::move(cell), attributes);
}

// raw * std + mean, plus the input that an output is added to.
Value AddRawUnits(const ModelSpec& spec, const Value& in, ElementGraph* graph) {
  Array scale = Filled({in.frame.size()}, 1), shift = Filled({in.frame.size()}, 0);
  Array added = Filled({in.frame.size(), std::max<int64_t>(1, static_cast<int64_t>(spec.inputs.size()))}, 0);
  bool plain = true, any_added = false;
  for (int64_t i = 0; i < in.frame.size(); ++i) {
    const OutputFeature& output = spec.outputs[i % static_cast<int64_t>(spec.outputs.size())];
    scale.values[i] = output.std;
    shift.values[i] = output.mean;
    plain = plain && output.std == 1 && output.mean == 0;
    for (size_t k = 0; k < spec.inputs.size(); ++k) {
      if (output.added_to.empty() || spec.inputs[k].name != output.added_to) continue;
      added.values[i * added.shape[1] + static_cast<int64_t>(k)] = 1;
      any_added = true;
    }
  }
  const Value scaled = plain ? in : AddScale(graph, "raw_units", in, std::move(scale), std::move(shift));
  if (!any_added) return scaled;
  const Value input = AddDense(graph, "added_to", {"input", {spec.input_size(), 1}}, std::move(added), {});
  return AddArithmetic(graph, "sum", "add", scaled, input);
}

}  // namespace

void BuildPlainStack(const ModelFile& model, ElementGraph* graph) {
  const ModelSpec& spec = model.spec;
  if (spec.needs_times()) return graph->Refuse("the model has calendar inputs, which the server makes of times");
  if (spec.head == Head::kGaussian || spec.head == Head::kQuantile) {
    return graph->Refuse(
        absl::StrCat("the model has a ", HeadName(spec.head), " head; linear, sigmoid and softmax are written"));
  }
  Value value = AddEncoder(model, graph);
  for (int64_t layer = 0; layer < spec.num_layers; ++layer) {
    value = AddLayer(spec, model.weights.layers[layer], layer, value, graph);
  }
  value = AddDense(graph, "head", value, ToArray(model.weights.head_weight, {spec.output_size(), spec.hidden_size}),
                   ToArray(model.weights.head_bias, {spec.output_size()}));
  if (spec.head == Head::kLinear) {
    value = AddRawUnits(spec, value, graph);
  } else {
    value = AddActivation(graph, "probabilities", value, std::string(HeadName(spec.head)));
  }
  graph->SetOutput(value);
}

}  // namespace rondo::convert
