#include "tests/unit/train/reference_network.h"

#include <algorithm>
#include <cmath>

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

}  // namespace

double ReferenceLoss(const NetworkShape& shape, const Loss& loss, int64_t timesteps, int64_t batch_size,
                     const Batch& batch, const Vector& parameters) {
  const size_t I = shape.input_size, H = shape.hidden_size, rows = shape.gates() * H, values = loss.values_per_target();
  const size_t width = shape.head_size / values;
  double sum = 0, counted = 0;
  for (int64_t n = 0; n < batch_size; ++n) {
    std::vector<Vector> h(shape.num_layers, Vector(H)), c = h;
    for (int64_t t = 0; t < timesteps; ++t) {
      const size_t row = t * batch_size + n;
      Reader reader(parameters);
      const double* embedding = reader.Take(shape.tokens * I);
      Vector x(I);
      for (size_t i = 0; i < I; ++i) {
        x[i] = shape.tokens > 0 ? embedding[batch.tokens[row] * I + i] : batch.features[row * I + i];
      }
      for (int64_t k = 0; k < shape.num_layers; ++k) {
        LayerTensors w{};
        w.weight_ih = reader.Take(rows * x.size());
        w.weight_hh = reader.Take(rows * H);
        w.bias_ih = reader.Take(rows);
        w.bias_hh = reader.Take(rows);
        Step(shape, w, x, h[k], c[k]);
        x = h[k];
      }
      const double* head_weight = reader.Take(shape.head_size * H);
      const Vector p = Affine(head_weight, reader.Take(shape.head_size), x, shape.head_size);
      if (batch.mask[row] == 0) continue;
      ++counted;
      for (size_t i = 0; i < width; ++i) sum += TargetLoss(loss, &p[i * values], batch.targets[row * width + i]);
    }
  }
  return sum / (counted * width);
}

}  // namespace rondo::train
