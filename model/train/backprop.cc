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
  layer.input_size = k == 0 ? shape.input_size : shape.layer_width();
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
      top_(shape.bidirectional ? rows() * shape.layer_width() : 0),
      top_gradient_(top_.size()),
      dropout_masks_(shape.num_layers),
      predictions_(rows() * shape.head_size),
      prediction_gradient_(rows() * shape.head_size) {}

size_t Backprop::BufferBytes(const NetworkShape& shape, const Options& options) {
  int64_t floats = 2 * shape.head_size + (shape.bidirectional ? 2 * shape.layer_width() : 0);
  for (int64_t k = 0; k < shape.num_layers; ++k) {
    // Of each direction: what it reads and answers with their gradients, its gates, and what else leads back through
    // them.
    const RecurrentLayer::Shape layer = LayerShape(shape, options, k);
    floats += shape.directions() * (2 * layer.input_size + (shape.gates() + 4) * layer.hidden_size);
  }
  return static_cast<size_t>(options.timesteps * options.batch_size * floats) * sizeof(float);
}

absl::StatusOr<std::unique_ptr<Backprop>> Backprop::Create(const NetworkShape& shape, const Options& options) {
  std::unique_ptr<Backprop> backprop(new Backprop(shape, options));
  for (int64_t k = 0; k < shape.num_layers * shape.directions(); ++k) {
    auto layer = RecurrentLayer::Create(LayerShape(shape, options, k / shape.directions()));
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
  if (shape_.bidirectional) FindRowsFromTheEnd(batch.lengths);
  for (int64_t k = 0; k < shape_.num_layers; ++k) {
    if (k == 0) {
      FeedInputs(batch, parameters);
    } else {
      FeedFromBelow(k, dropout, dropout_seed);
    }
    if (shape_.bidirectional) FeedBackward(k);
    for (int64_t direction = 0; direction < shape_.directions(); ++direction) {
      const int64_t layer = k * shape_.directions() + direction;
      if (absl::Status status = RunLayer(layer, parameters, state); !status.ok()) return status;
    }
  }
  PredictFromTop(parameters);
  return absl::OkStatus();
}

absl::Status Backprop::RunLayer(int64_t k, absl::Span<const float> parameters, absl::Span<float> state) {
  if (absl::Status status = layers_[k]->SetWeights(LayerTensors(layout_, k, parameters)); !status.ok()) return status;
  ExchangeState(k, /*before=*/true, state);
  if (absl::Status status = layers_[k]->Forward(); !status.ok()) return status;
  ExchangeState(k, /*before=*/false, state);
  return absl::OkStatus();
}

void Backprop::FindRowsFromTheEnd(absl::Span<const int64_t> lengths) {
  from_the_end_.resize(rows());
  for (int64_t row = 0; row < rows(); ++row) {
    const int64_t timestep = row / options_.batch_size, lane = row % options_.batch_size, length = lengths[lane];
    from_the_end_[row] = timestep < length ? (length - 1 - timestep) * options_.batch_size + lane : row;
  }
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
  float* input = At(k, 0).input();
  CopyAnswers(k - 1, Order::kFromTheEnd, input);
  std::vector<float>& mask = dropout_masks_[k];
  mask.clear();
  if (dropout <= 0) return;
  Random random(dropout_seed, k);
  const float kept = static_cast<float>(1 / (1 - dropout));
  mask.resize(rows() * shape_.layer_width());
  for (size_t i = 0; i < mask.size(); ++i) {
    mask[i] = random.Uniform() < dropout ? 0 : kept;
    input[i] *= mask[i];
  }
}

void Backprop::FeedBackward(int64_t k) {
  const int64_t width = k == 0 ? shape_.input_size : shape_.layer_width();
  const float* from = At(k, 0).input();
  float* to = At(k, 1).input();
  for (int64_t row = 0; row < rows(); ++row) std::copy_n(from + from_the_end_[row] * width, width, to + row * width);
}

void Backprop::CopyAnswers(int64_t k, Order of_backward, float* to) const {
  const int64_t hidden = shape_.hidden_size;
  const float* forward = At(k, 0).output();
  if (!shape_.bidirectional) {
    std::copy_n(forward, rows() * hidden, to);
    return;
  }
  const float* backward = At(k, 1).output();
  for (int64_t row = 0; row < rows(); ++row) {
    const int64_t other = of_backward == Order::kOfTime ? row : from_the_end_[row];
    to = std::copy_n(forward + row * hidden, hidden, to);
    to = std::copy_n(backward + other * hidden, hidden, to);
  }
}

void Backprop::CopyGradients(int64_t k, Order of_backward, const float* from) {
  const int64_t hidden = shape_.hidden_size;
  float* forward = At(k, 0).output_gradient();
  if (!shape_.bidirectional) {
    std::copy_n(from, rows() * hidden, forward);
    return;
  }
  float* backward = At(k, 1).output_gradient();
  for (int64_t row = 0; row < rows(); ++row, from += 2 * hidden) {
    const int64_t other = of_backward == Order::kOfTime ? row : from_the_end_[row];
    std::copy_n(from, hidden, forward + row * hidden);
    std::copy_n(from + hidden, hidden, backward + other * hidden);
  }
}

float* Backprop::InputGradient(int64_t k) {
  float* gradient = At(k, 0).input_gradient();
  if (!shape_.bidirectional) return gradient;
  const int64_t width = k == 0 ? shape_.input_size : shape_.layer_width();
  const float* of_backward = At(k, 1).input_gradient();
  for (int64_t row = 0; row < rows(); ++row) {
    const float* from = of_backward + from_the_end_[row] * width;
    for (int64_t i = 0; i < width; ++i) gradient[row * width + i] += from[i];
  }
  return gradient;
}

void Backprop::PredictFromTop(absl::Span<const float> parameters) {
  const absl::Span<const float> bias = Slice(parameters, layout_.head_bias());
  for (int64_t row = 0; row < rows(); ++row) {
    std::copy(bias.begin(), bias.end(), predictions_.begin() + row * shape_.head_size);
  }
  if (shape_.bidirectional) CopyAnswers(shape_.num_layers - 1, TopOrder(), top_.data());
  const float* top = shape_.bidirectional ? top_.data() : layers_.back()->output();
  MultiplyMatrices(false, true, rows(), shape_.head_size, shape_.layer_width(), top,
                   Slice(parameters, layout_.head_weight()).data(), /*beta=*/1, predictions_.data());
}

void Backprop::BackwardHead(absl::Span<const float> parameters, absl::Span<float> gradient) {
  const int64_t head_size = shape_.head_size, width = shape_.layer_width();
  const float* top = shape_.bidirectional ? top_.data() : layers_.back()->output();
  float* top_gradient = shape_.bidirectional ? top_gradient_.data() : layers_.back()->output_gradient();
  MultiplyMatrices(true, false, head_size, width, rows(), prediction_gradient_.data(), top, /*beta=*/0,
                   Slice(gradient, layout_.head_weight()).data());
  const absl::Span<float> bias = Slice(gradient, layout_.head_bias());
  for (int64_t row = 0; row < rows(); ++row) {
    for (int64_t i = 0; i < head_size; ++i) bias[i] += prediction_gradient_[row * head_size + i];
  }
  MultiplyMatrices(false, false, rows(), width, head_size, prediction_gradient_.data(),
                   Slice(parameters, layout_.head_weight()).data(), /*beta=*/0, top_gradient);
  if (shape_.bidirectional) CopyGradients(shape_.num_layers - 1, TopOrder(), top_gradient);
}

absl::Status Backprop::Backward(const Batch& batch, absl::Span<const float> parameters, absl::Span<float> gradient) {
  std::fill(gradient.begin(), gradient.end(), 0.0f);
  BackwardHead(parameters, gradient);
  for (int64_t k = shape_.num_layers - 1; k >= 0; --k) {
    for (int64_t layer = k * shape_.directions(); layer < (k + 1) * shape_.directions(); ++layer) {
      if (absl::Status status = layers_[layer]->Backward(); !status.ok()) return status;
      if (absl::Status status = layers_[layer]->AddGradients(LayerTensors(layout_, layer, gradient)); !status.ok()) {
        return status;
      }
    }
    if (k == 0) break;
    float* from = InputGradient(k);
    const std::vector<float>& mask = dropout_masks_[k];
    for (size_t i = 0; i < mask.size(); ++i) from[i] *= mask[i];
    CopyGradients(k - 1, Order::kFromTheEnd, from);
  }
  if (shape_.tokens > 0) AddEmbeddingGradient(batch, gradient);
  return absl::OkStatus();
}

void Backprop::AddEmbeddingGradient(const Batch& batch, absl::Span<float> gradient) {
  const absl::Span<float> embedding = Slice(gradient, layout_.embedding());
  const float* input_gradient = InputGradient(0);
  for (int64_t row = 0; row < rows(); ++row) {
    float* to = embedding.data() + batch.tokens[row] * shape_.input_size;
    for (int64_t i = 0; i < shape_.input_size; ++i) to[i] += input_gradient[row * shape_.input_size + i];
  }
}

void Backprop::ExchangeState(int64_t k, bool before, absl::Span<float> state) {
  const int64_t block = options_.batch_size * shape_.hidden_size;
  const int64_t parts = StateCount(shape_.cell);
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
