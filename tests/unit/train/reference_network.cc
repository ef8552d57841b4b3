#include "tests/unit/train/reference_network.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rondo::train {
namespace {

using Vector = std::vector<double>;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Reads the flat parameters tensor by tensor, in order.
class Reader {
 public:
  explicit Reader(const Vector& flat) : flat_(flat) {}
  const double* Take(size_t count) {
    const double* tensor = flat_.data() + position_;
    position_ += count;
    return tensor;
  }

 private:
  const Vector& flat_;
  size_t position_ = 0;
};

Vector Affine(const double* weight, const double* bias, const Vector& x, size_t rows) {
  Vector y(rows);
  for (size_t i = 0; i < rows; ++i) {
    y[i] = bias[i];
    for (size_t j = 0; j < x.size(); ++j) y[i] += weight[i * x.size() + j] * x[j];
  }
  return y;
}

struct LayerTensors {
  const double *weight_ih, *weight_hh, *bias_ih, *bias_hh;
};

void Step(const NetworkShape& shape, const LayerTensors& w, const Vector& x, Vector& h, Vector& c) {
  const size_t H = shape.hidden_size, rows = shape.gates() * H;
  const Vector a = Affine(w.weight_ih, w.bias_ih, x, rows), b = Affine(w.weight_hh, w.bias_hh, h, rows);
  const Vector before = h;
  if (shape.cell == Cell::kLstm) {
    for (size_t i = 0; i < H; ++i) {
      c[i] = Sigmoid(a[H + i] + b[H + i]) * c[i] + Sigmoid(a[i] + b[i]) * std::tanh(a[2 * H + i] + b[2 * H + i]);
      h[i] = Sigmoid(a[3 * H + i] + b[3 * H + i]) * std::tanh(c[i]);
    }
  } else if (shape.cell == Cell::kRnn) {
    for (size_t i = 0; i < H; ++i) {
      h[i] = shape.activation == Activation::kRelu ? std::max(0.0, a[i] + b[i]) : std::tanh(a[i] + b[i]);
    }
  } else {
    Vector reset(H);
    for (size_t i = 0; i < H; ++i) reset[i] = Sigmoid(a[i] + b[i]) * before[i];
    const Vector inside = Affine(w.weight_hh + 2 * H * H, w.bias_hh + 2 * H, reset, H);
    for (size_t i = 0; i < H; ++i) {
      const double r = Sigmoid(a[i] + b[i]), z = Sigmoid(a[H + i] + b[H + i]);
      const double n = std::tanh(a[2 * H + i] + (shape.gru_reset == GruReset::kAfter ? r * b[2 * H + i] : inside[i]));
      h[i] = shape.gru_update == GruUpdate::kKeep ? z * before[i] + (1 - z) * n : (1 - z) * before[i] + z * n;
    }
  }
}

double TargetLoss(const Loss& loss, const double* p, double y) {
  double sum = 0;
  switch (loss.kind) {
    case LossKind::kMse:
      return std::pow(p[0] - y, 2);
    case LossKind::kMae:
      return std::abs(p[0] - y);
    case LossKind::kQuantile:
      for (size_t i = 0; i < loss.quantiles.size(); ++i) {
        sum += y > p[i] ? loss.quantiles[i] * (y - p[i]) : (1 - loss.quantiles[i]) * (p[i] - y);
      }
      return sum / loss.quantiles.size();
    case LossKind::kGaussian: {
      const double std = std::log(1 + std::exp(p[1])) + 1e-3;
      return std::log(std) + std::pow((y - p[0]) / std, 2) / 2;
    }
    case LossKind::kCrossEntropy:
      for (int64_t c = 0; c < loss.classes; ++c) sum += std::exp(p[c]);
      return std::log(sum) - p[static_cast<int64_t>(y)];
  }
  return 0;
}

using Sequence = std::vector<Vector>;  // a vector a timestep

LayerTensors TakeLayer(const NetworkShape& shape, size_t width, Reader& reader) {
  const size_t H = shape.hidden_size, rows = shape.gates() * H;
  LayerTensors w{};
  w.weight_ih = reader.Take(rows * width);
  w.weight_hh = reader.Take(rows * H);
  w.bias_ih = reader.Take(rows);
  w.bias_hh = reader.Take(rows);
  return w;
}

// What a layer answers to a sequence that it reads from its begin or from its end.
Sequence RunLayer(const NetworkShape& shape, const LayerTensors& w, const Sequence& x, bool from_the_end) {
  Vector h(shape.hidden_size), c = h;
  Sequence y(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t t = from_the_end ? x.size() - 1 - i : i;
    Step(shape, w, x[t], h, c);
    y[t] = h;
  }
  return y;
}

Vector SideBySide(Vector left, const Vector& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// What the head sees in each timestep.
Sequence RunLayers(const NetworkShape& shape, Sequence x, Reader& reader) {
  for (int64_t k = 0; k < shape.num_layers; ++k) {
    const size_t width = x[0].size();
    Sequence forward = RunLayer(shape, TakeLayer(shape, width, reader), x, false);
    if (!shape.bidirectional) {
      x = forward;
      continue;
    }
    const Sequence backward = RunLayer(shape, TakeLayer(shape, width, reader), x, true);
    for (size_t t = 0; t < x.size(); ++t) x[t] = SideBySide(forward[t], backward[t]);
    if (shape.head_of_ends && k + 1 == shape.num_layers) x.back() = SideBySide(forward.back(), backward.front());
  }
  return x;
}

}  // namespace

double ReferenceLoss(const NetworkShape& shape, const Loss& loss, int64_t timesteps, int64_t batch_size,
                     const Batch& batch, const Vector& parameters) {
  const size_t I = shape.input_size, values = loss.values_per_target(), width = shape.head_size / values;
  double sum = 0, counted = 0;
  for (int64_t n = 0; n < batch_size; ++n) {
    const int64_t length = batch.lengths.empty() ? timesteps : batch.lengths[n];
    Reader reader(parameters);
    const double* embedding = reader.Take(shape.tokens * I);
    Sequence x(length, Vector(I));
    for (int64_t t = 0; t < length; ++t) {
      const size_t row = t * batch_size + n;
      for (size_t i = 0; i < I; ++i) {
        x[t][i] = shape.tokens > 0 ? embedding[batch.tokens[row] * I + i] : batch.features[row * I + i];
      }
    }
    x = RunLayers(shape, std::move(x), reader);
    const double* head_weight = reader.Take(shape.head_size * x[0].size());
    const double* head_bias = reader.Take(shape.head_size);
    for (int64_t t = 0; t < length; ++t) {
      const size_t row = t * batch_size + n;
      if (batch.mask[row] == 0) continue;
      ++counted;
      const Vector p = Affine(head_weight, head_bias, x[t], shape.head_size);
      for (size_t i = 0; i < width; ++i) sum += TargetLoss(loss, &p[i * values], batch.targets[row * width + i]);
    }
  }
  return sum / (counted * width);
}

}  // namespace rondo::train
