#include "model/train/model_assembly.h"

#include <utility>

#include "model/network/graph.h"

namespace rondo::train {

ModelSpec SpecOf(const Dataset& dataset, const NetworkShape& network, const Loss& loss) {
  ModelSpec spec = dataset.spec();
  spec.cell = network.cell;
  spec.gru_reset = network.gru_reset;
  spec.gru_update = network.gru_update;
  spec.activation = network.activation;
  spec.num_layers = network.num_layers;
  spec.hidden_size = network.hidden_size;
  if (spec.tokens > 0) spec.embedding_size = network.input_size;
  if (loss.kind == LossKind::kGaussian) spec.head = Head::kGaussian;
  if (loss.kind == LossKind::kQuantile) spec.head = Head::kQuantile;
  spec.quantiles = loss.quantiles;
  return spec;
}

NetworkShape ShapeOf(const ModelSpec& spec) {
  NetworkShape shape;
  shape.cell = spec.cell;
  shape.gru_reset = spec.gru_reset;
  shape.gru_update = spec.gru_update;
  shape.activation = spec.activation;
  shape.num_layers = spec.num_layers;
  shape.hidden_size = spec.hidden_size;
  shape.input_size = spec.feature_size();
  shape.tokens = spec.tokens;
  shape.head_size = spec.output_size();
  return shape;
}

absl::StatusOr<ModelFile> ModelOf(ModelSpec spec, const NetworkGraph& network) {
  const int64_t width = spec.tokens > 0 ? 1 : spec.feature_size();
  auto graph = Graph::Read(network.elements, {width, spec.tokens}, network.output);
  if (!graph.ok()) return graph.status();
  ModelFile model;
  model.spec = std::move(spec);
  model.spec.graph = *std::move(graph);
  model.spec.outputs = network.outputs;
  for (const auto& [name, values] : network.tensors) model.weights.tensors.push_back(values);
  return model;
}

}  // namespace rondo::train
