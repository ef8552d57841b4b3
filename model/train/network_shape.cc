#include "model/train/network_shape.h"

#include <algorithm>
#include <cmath>

#include "model/train/random.h"

namespace rondo::train {
namespace {

std::vector<float> Copy(absl::Span<const float> flat, const ParameterLayout::Range& range) {
  const absl::Span<const float> slice = Slice(flat, range);
  return {slice.begin(), slice.end()};
}

void Paste(const std::vector<float>& tensor, const ParameterLayout::Range& range, std::vector<float>& flat) {
  std::copy_n(tensor.begin(), range.size, flat.begin() + range.offset);
}

}  // namespace

int64_t NetworkShape::gates() const { return GateCount(cell); }

ParameterLayout::ParameterLayout(const NetworkShape& shape) {
  const size_t hidden = shape.hidden_size, rows = shape.gates() * hidden;
  embedding_ = Take(shape.tokens * shape.input_size);
  for (int64_t k = 0; k < shape.num_layers * shape.directions(); ++k) {
    const size_t width = k < shape.directions() ? shape.input_size : shape.layer_width();
    Layer layer;
    layer.weight_ih = Take(rows * width);
    layer.weight_hh = Take(rows * hidden);
    layer.bias_ih = Take(rows);
    layer.bias_hh = Take(rows);
    layers_.push_back(layer);
  }
  head_weight_ = Take(shape.head_size * shape.layer_width());
  head_bias_ = Take(shape.head_size);
}

ParameterLayout::Range ParameterLayout::Take(size_t size) {
  const Range range{size_, size};
  size_ += size;
  return range;
}

std::vector<ParameterLayout::Range> ParameterLayout::Matrices() const {
  std::vector<Range> matrices;
  for (const Layer& layer : layers_) {
    matrices.push_back(layer.weight_ih);
    matrices.push_back(layer.weight_hh);
  }
  matrices.push_back(head_weight_);
  return matrices;
}

Weights WeightsFromParameters(const NetworkShape& shape, absl::Span<const float> parameters) {
  const ParameterLayout layout(shape);
  Weights weights;
  weights.embedding = Copy(parameters, layout.embedding());
  for (const ParameterLayout::Layer& layer : layout.layers()) {
    weights.layers.push_back({Copy(parameters, layer.weight_ih), Copy(parameters, layer.weight_hh),
                              Copy(parameters, layer.bias_ih), Copy(parameters, layer.bias_hh)});
  }
  weights.head_weight = Copy(parameters, layout.head_weight());
  weights.head_bias = Copy(parameters, layout.head_bias());
  return weights;
}

std::vector<float> ParametersFromWeights(const NetworkShape& shape, const Weights& weights) {
  const ParameterLayout layout(shape);
  std::vector<float> parameters(layout.size());
  Paste(weights.embedding, layout.embedding(), parameters);
  for (size_t k = 0; k < layout.layers().size(); ++k) {
    const ParameterLayout::Layer& layer = layout.layers()[k];
    Paste(weights.layers[k].weight_ih, layer.weight_ih, parameters);
    Paste(weights.layers[k].weight_hh, layer.weight_hh, parameters);
    Paste(weights.layers[k].bias_ih, layer.bias_ih, parameters);
    Paste(weights.layers[k].bias_hh, layer.bias_hh, parameters);
  }
  Paste(weights.head_weight, layout.head_weight(), parameters);
  Paste(weights.head_bias, layout.head_bias(), parameters);
  return parameters;
}

std::vector<float> InitialParameters(const NetworkShape& shape, uint64_t seed) {
  const ParameterLayout layout(shape);
  std::vector<float> parameters(layout.size());
  Random random(seed, /*stream=*/0x1417);
  const double bound = 1 / std::sqrt(static_cast<double>(shape.hidden_size));
  for (float& parameter : parameters) parameter = static_cast<float>(random.Uniform(-bound, bound));
  for (float& parameter : Slice(absl::MakeSpan(parameters), layout.embedding())) {
    parameter = static_cast<float>(random.Normal());
  }
  if (shape.cell == Cell::kLstm) {
    for (const ParameterLayout::Layer& layer : layout.layers()) {
      const size_t forget = layer.bias_ih.offset + shape.hidden_size;
      std::fill_n(parameters.begin() + forget, shape.hidden_size, 1.0f);
    }
  }
  return parameters;
}

}  // namespace rondo::train
