#include "model/convert/plain_stack.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/convert/graph/layers.h"
#include "model/spec_json.h"

namespace rondo::convert {
namespace {

Array ToArray(const std::vector<float>& values, std::vector<int64_t> shape) {
  return {std::move(shape), std::vector<double>(values.begin(), values.end())};
}

// What the first layer reads: the server's features (model/feature_encoder.h), or the token's row of the embedding.
Value AddInput(const ModelFile& model, ElementGraph* graph) {
  const ModelSpec& spec = model.spec;
  if (spec.tokens == 0) return graph->SetInput(spec.feature_size());
  return AddEmbedding(graph, "embedding", graph->SetTokens(spec.tokens),
                      ToArray(model.weights.embedding, {spec.tokens, spec.embedding_size}));
}

Value AddLayer(const ModelSpec& spec, const LayerWeights& weights, int64_t layer, const Value& in,
               ElementGraph* graph) {
  const int64_t units = spec.hidden_size, rows = GateCount(spec.cell) * units;
  Json attributes = CellAttributes(spec);
  if (spec.activation == rondo::Activation::kTanh) attributes.erase("activation");  // which is an rnn's by default
  CellWeights cell;
  cell.weight_ih = ToArray(weights.weight_ih, {rows, in.frame.size()});
  cell.weight_hh = ToArray(weights.weight_hh, {rows, units});
  cell.bias_ih = ToArray(weights.bias_ih, {rows});
  cell.bias_hh = ToArray(weights.bias_hh, {rows});
  return AddCell(graph, absl::StrCat("rnn_l", layer), CellName(spec.cell), in, std::move(cell), attributes);
}

// The description of format 2 that says of inputs, outputs and all else what that of format 1 does.
Json DescriptionOf(const ModelSpec& spec) {
  Json description = Json::parse(SpecJson(spec));
  Json output = Json::object();
  for (const char* key : {"outputs", "horizon", "head", "quantiles"}) {
    if (!description.contains(key)) continue;
    output[key] = description[key];
    description.erase(key);
  }
  for (const char* key : {"cell", "gru", "activation"}) description.erase(key);
  description["format"] = 2;
  description["output"] = std::move(output);
  return description;
}

}  // namespace

void BuildPlainStack(const ModelFile& model, ElementGraph* graph) {
  const ModelSpec& spec = model.spec;
  Value value = AddInput(model, graph);
  for (int64_t layer = 0; layer < spec.num_layers; ++layer) {
    value = AddLayer(spec, model.weights.layers[layer], layer, value, graph);
  }
  graph->SetOutput(AddDense(graph, "head", value,
                            ToArray(model.weights.head_weight, {spec.output_size(), spec.hidden_size}),
                            ToArray(model.weights.head_bias, {spec.output_size()})));
  graph->SetDescription(DescriptionOf(spec));
}

}  // namespace rondo::convert
