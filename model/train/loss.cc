#include "model/train/loss.h"

#include <algorithm>
#include <cmath>

#include "model/output_head.h"

namespace rondo::train {
namespace {

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double GaussianStd(double s) { return (s > 30 ? s : std::log1p(std::exp(s))) + OutputHead::kMinGaussianStd; }

double Pinball(double quantile, double error) { return std::max(quantile * error, (quantile - 1) * error); }

// Returns the loss of one target value, and writes `scale` times its gradient with respect to the numbers that predict
// it.
double OneTarget(const Loss& loss, const float* p, double y, double scale, float* gradient) {
  switch (loss.kind) {
    case LossKind::kMse: {
      const double error = p[0] - y;
      gradient[0] = static_cast<float>(scale * 2 * error);
      return error * error;
    }
    case LossKind::kMae: {
      const double error = p[0] - y;
      gradient[0] = static_cast<float>(scale * ((error > 0) - (error < 0)));
      return std::abs(error);
    }
    case LossKind::kQuantile: {
      const size_t count = loss.quantiles.size();
      double sum = 0;
      for (size_t i = 0; i < count; ++i) {
        const double q = loss.quantiles[i], error = y - p[i];
        gradient[i] = static_cast<float>(scale / count * (error > 0 ? -q : error < 0 ? 1 - q : 0));
        sum += Pinball(q, error);
      }
      return sum / count;
    }
    case LossKind::kGaussian: {
      const double std = GaussianStd(p[1]), z = (y - p[0]) / std;
      gradient[0] = static_cast<float>(scale * -z / std);
      gradient[1] = static_cast<float>(scale * (1 - z * z) / std * Sigmoid(p[1]));
      return std::log(std) + z * z / 2;
    }
    case LossKind::kCrossEntropy: {
      const double top = *std::max_element(p, p + loss.classes);
      double sum = 0;
      for (int64_t c = 0; c < loss.classes; ++c) sum += std::exp(p[c] - top);
      const auto target = static_cast<int64_t>(y);
      for (int64_t c = 0; c < loss.classes; ++c) {
        gradient[c] = static_cast<float>(scale * (std::exp(p[c] - top) / sum - (c == target ? 1 : 0)));
      }
      return std::log(sum) + top - p[target];
    }
  }
  return 0;
}

}  // namespace

int64_t Loss::values_per_target() const {
  switch (kind) {
    case LossKind::kQuantile:
      return static_cast<int64_t>(quantiles.size());
    case LossKind::kGaussian:
      return 2;
    case LossKind::kCrossEntropy:
      return classes;
    case LossKind::kMse:
    case LossKind::kMae:
      break;
  }
  return 1;
}

double MeanLoss(const Loss& loss, absl::Span<const float> predictions, absl::Span<const float> targets,
                absl::Span<const float> mask, absl::Span<float> gradient) {
  const size_t rows = mask.size(), width = rows == 0 ? 0 : targets.size() / rows;
  const int64_t values = loss.values_per_target();
  double counted = 0;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t i = row * width; i < (row + 1) * width; ++i)
      counted += mask[row] != 0 && !std::isnan(targets[i]) ? loss.WeightOf(targets[i]) : 0;
  }
  std::fill(gradient.begin(), gradient.end(), 0.0f);
  if (counted == 0) return 0;
  const double scale = 1.0 / counted;
  double sum = 0;
  for (size_t row = 0; row < rows; ++row) {
    if (mask[row] == 0) continue;
    for (size_t i = row * width; i < (row + 1) * width; ++i) {
      if (std::isnan(targets[i])) continue;
      const double weight = loss.WeightOf(targets[i]);
      sum += weight *
             OneTarget(loss, predictions.data() + i * values, targets[i], weight * scale, gradient.data() + i * values);
    }
  }
  return sum * scale;
}

}  // namespace rondo::train
