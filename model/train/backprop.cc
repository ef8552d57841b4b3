#include "model/train/backprop.h"

#include <algorithm>
#include <utility>

#include "model/train/random.h"

namespace rondo::train {
namespace {

RecurrentLayer::Shape LayerShape(const NetworkShape& shape, const Backprop::Options& options, int64_t k) {
  RecurrentLayer::Shape layer;
  layer.cell = shape.cell;
  layer.gru_reset = shape.gru_reset;
  layer.gru_update = shape.gru_update;
  layer.activation = shape.activation;
  layer.timesteps = options.timesteps;
  layer.batch_size = options.batch_size;
  layer.input_size = k == 0 ? shape.input_size : shape.hidden_size;
  layer.hidden_size = shape.hidden_size;
  layer.input_gradient = k > 0 || shape.tokens > 0;
  return layer;
}

template <typename T>
RecurrentLayer::Tensors<T> LayerTensors(const ParameterLayout& layout, int64_t k, absl::Span<T> flat) {
  const ParameterLayout::Layer& layer = layout.layers()[k];
  return {Slice(flat, layer.weight_ih), Slice(flat, layer.weight_hh), Slice(flat, layer.bias_ih),
          Slice(flat, layer.bias_hh)};
}

}  // namespace

Backprop::Backprop(const NetworkShape& shape, const Options& options)
    : shape_(shape),
      options_(options),
      layout_(shape),
      dropout_masks_(shape.num_layers),
      predictions_(rows() * shape.head_size),
      prediction_gradient_(rows() * shape.head_size) {}

absl::StatusOr<std::unique_ptr<Backprop>> Backprop::Create(const NetworkShape& shape, const Options& options) {
  std::unique_ptr<Backprop> backprop(new Backprop(shape, options));
  for (int64_t k = 0; k < shape.num_layers; ++k) {
    auto layer = RecurrentLayer::Create(LayerShape(shape, options, k));
    if (!layer.ok()) return layer.status();
    backprop->layers_.push_back(*std::move(layer));
  }
  return backprop;
}

absl::StatusOr<double> Backprop::LossAndGradient(const Batch& batch, absl::Span<const float> parameters,
                                                 uint64_t dropout_seed, absl::Span<float> state,
                                                 absl::Span<float> gradient) {
  if (absl::Status status = Forward(batch, parameters, options_.dropout, dropout_seed, state); !status.ok()) {
    return status;
  }
  const double loss =
      MeanLoss(options_.loss, predictions_, batch.targets, batch.mask, absl::MakeSpan(prediction_gradient_));
  if (absl::Status status = Backward(batch, parameters, gradient); !status.ok()) return status;
  return loss;
}

absl::StatusOr<double> Backprop::LossOnly(const Batch& batch, absl::Span<const float> parameters,
                                          absl::Span<float> state) {
  if (absl::Status status = Forward(batch, parameters, /*dropout=*/0, 0, state); !status.ok()) return status;
  return MeanLoss(options_.loss, predictions_, batch.targets, batch.mask, absl::MakeSpan(prediction_gradient_));
}

absl::Status Backprop::Forward(const Batch& batch, absl::Span<const float> parameters, double dropout,
                               uint64_t dropout_seed, absl::Span<float> state) {
  for (int64_t k = 0; k < shape_.num_layers; ++k) {
    if (absl::Status status = layers_[k]->SetWeights(LayerTensors(layout_, k, parameters)); !status.ok()) return status;
    if (k == 0) {
      FeedInputs(batch, parameters);
    } else {
      FeedFromBelow(k, dropout, dropout_seed);
    }
    ExchangeState(k, /*before=*/true, state);
    if (absl::Status status = layers_[k]->Forward(); !status.ok()) return status;
    ExchangeState(k, /*before=*/false, state);
  }
  PredictFromTop(parameters);
  return absl::OkStatus();
}

void Backprop::FeedInputs(const Batch& batch, absl::Span<const float> parameters) {
  float* input = layers_[0]->input();
  if (shape_.tokens == 0) {
    std::copy(batch.features.begin(), batch.features.end(), input);
    return;
  }
  const absl::Span<const float> embedding = Slice(parameters, layout_.embedding());
  for (int64_t row = 0; row < rows(); ++row) {
    std::copy_n(embedding.data() + batch.tokens[row] * shape_.input_size, shape_.input_size,
                input + row * shape_.input_size);
  }
}

// Inverted dropout (Srivastava et al. 2014), as PyTorch's nn.LSTM(dropout=) between layers.
void Backprop::FeedFromBelow(int64_t k, double dropout, uint64_t dropout_seed) {
  const int64_t count = rows() * shape_.hidden_size;
  const float* below = layers_[k - 1]->output();
  float* input = layers_[k]->input();
  std::vector<float>& mask = dropout_masks_[k];
  mask.clear();
  if (dropout <= 0) {
    std::copy_n(below, count, input);
    return;
  }
  Random random(dropout_seed, k);
  const float kept = static_cast<float>(1 / (1 - dropout));
  mask.resize(count);
  for (int64_t i = 0; i < count; ++i) {
    mask[i] = random.Uniform() < dropout ? 0 : kept;
    input[i] = below[i] * mask[i];
  }
}

void Backprop::PredictFromTop(absl::Span<const float> parameters) {
  const absl::Span<const float> bias = Slice(parameters, layout_.head_bias());
  for (int64_t row = 0; row < rows(); ++row) {
    std::copy(bias.begin(), bias.end(), predictions_.begin() + row * shape_.head_size);
  }
  MultiplyMatrices(false, true, rows(), shape_.head_size, shape_.hidden_size, layers_.back()->output(),
                   Slice(parameters, layout_.head_weight()).data(), /*beta=*/1, predictions_.data());
}

void Backprop::BackwardHead(absl::Span<const float> parameters, absl::Span<float> gradient) {
  const int64_t head_size = shape_.head_size, hidden_size = shape_.hidden_size;
  RecurrentLayer& top = *layers_.back();
  MultiplyMatrices(true, false, head_size, hidden_size, rows(), prediction_gradient_.data(), top.output(), /*beta=*/0,
                   Slice(gradient, layout_.head_weight()).data());
  const absl::Span<float> bias = Slice(gradient, layout_.head_bias());
  for (int64_t row = 0; row < rows(); ++row) {
    for (int64_t i = 0; i < head_size; ++i) bias[i] += prediction_gradient_[row * head_size + i];
  }
  MultiplyMatrices(false, false, rows(), hidden_size, head_size, prediction_gradient_.data(),
                   Slice(parameters, layout_.head_weight()).data(), /*beta=*/0, top.output_gradient());
}

absl::Status Backprop::Backward(const Batch& batch, absl::Span<const float> parameters, absl::Span<float> gradient) {
  std::fill(gradient.begin(), gradient.end(), 0.0f);
  BackwardHead(parameters, gradient);
  for (int64_t k = shape_.num_layers - 1; k >= 0; --k) {
    if (absl::Status status = layers_[k]->Backward(); !status.ok()) return status;
    if (absl::Status status = layers_[k]->AddGradients(LayerTensors(layout_, k, gradient)); !status.ok()) return status;
    if (k == 0) break;
    const float* from = layers_[k]->input_gradient();
    float* to = layers_[k - 1]->output_gradient();
    const int64_t count = rows() * shape_.hidden_size;
    const std::vector<float>& mask = dropout_masks_[k];
    if (mask.empty()) {
      std::copy_n(from, count, to);
    } else {
      std::transform(from, from + count, mask.begin(), to, [](float value, float kept) { return value * kept; });
    }
  }
  if (shape_.tokens == 0) return absl::OkStatus();
  const absl::Span<float> embedding = Slice(gradient, layout_.embedding());
  const float* input_gradient = layers_[0]->input_gradient();
  for (int64_t row = 0; row < rows(); ++row) {
    float* to = embedding.data() + batch.tokens[row] * shape_.input_size;
    for (int64_t i = 0; i < shape_.input_size; ++i) to[i] += input_gradient[row * shape_.input_size + i];
  }
  return absl::OkStatus();
}

void Backprop::ExchangeState(int64_t k, bool before, absl::Span<float> state) {
  const int64_t block = options_.batch_size * shape_.hidden_size;
  const int64_t parts = shape_.cell == Cell::kLstm ? 2 : 1;
  for (int64_t part = 0; part < parts; ++part) {
    float* ours = state.data() + (k * parts + part) * block;
    if (before) {
      std::copy_n(ours, block, layers_[k]->state_in(part));
    } else {
      std::copy_n(layers_[k]->state_out(part), block, ours);
    }
  }
}

}  // namespace rondo::train
