#include "model/train/ridge.h"

#include <algorithm>
#include <cmath>

#include "model/train/training_kernel.h"

namespace rondo::train {
namespace {

// Replaces the lower triangle of a symmetric matrix by its Cholesky factor. False: it is not positive definite.
bool Factorise(int64_t size, std::vector<double>* matrix) {
  for (int64_t i = 0; i < size; ++i) {
    double* row = matrix->data() + i * size;
    for (int64_t j = 0; j <= i; ++j) {
      const double* other = matrix->data() + j * size;
      double sum = row[j];
      for (int64_t k = 0; k < j; ++k) sum -= row[k] * other[k];
      if (i == j && !(sum > 0)) return false;
      row[j] = i == j ? std::sqrt(sum) : sum / other[j];
    }
  }
  return true;
}

// Solves L L' x = b for the factor of Factorise, in place.
void Substitute(int64_t size, const std::vector<double>& factor, double* x) {
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t k = 0; k < i; ++k) x[i] -= factor[i * size + k] * x[k];
    x[i] /= factor[i * size + i];
  }
  for (int64_t i = size; i-- > 0;) {
    x[i] /= factor[i * size + i];
    for (int64_t k = 0; k < i; ++k) x[k] -= factor[i * size + k] * x[i];
  }
}

}  // namespace

RidgeSums::RidgeSums(int64_t features, int64_t targets)
    : features_(features),
      targets_(targets),
      products_((features + 1) * (features + 1)),
      target_products_((features + 1) * targets) {}

void RidgeSums::Add(absl::Span<const float> x, absl::Span<const float> y, int64_t rows) {
  const int64_t width = features_ + 1;
  with_one_.assign(rows * width, 1.0f);
  for (int64_t row = 0; row < rows; ++row) std::copy_n(x.data() + row * features_, features_, &with_one_[row * width]);
  block_.resize(std::max(products_.size(), target_products_.size()));
  MultiplyMatrices(true, false, width, width, rows, with_one_.data(), with_one_.data(), /*beta=*/0, block_.data());
  for (size_t i = 0; i < products_.size(); ++i) products_[i] += block_[i];
  MultiplyMatrices(true, false, width, targets_, rows, with_one_.data(), y.data(), /*beta=*/0, block_.data());
  for (size_t i = 0; i < target_products_.size(); ++i) target_products_[i] += block_[i];
  for (int64_t i = 0; i < rows * targets_; ++i) squared_targets_ += static_cast<double>(y[i]) * y[i];
  rows_ += rows;
}

void RidgeSums::Add(const RidgeSums& other) {
  for (size_t i = 0; i < products_.size(); ++i) products_[i] += other.products_[i];
  for (size_t i = 0; i < target_products_.size(); ++i) target_products_[i] += other.target_products_[i];
  squared_targets_ += other.squared_targets_;
  rows_ += other.rows_;
}

std::optional<LinearLayer> RidgeSums::Solve(double penalty, absl::Span<const int64_t> features) const {
  std::vector<int64_t> used(features.begin(), features.end());
  double squares = 0;
  for (const int64_t i : used) squares += Product(i, i) / std::max<double>(1, static_cast<double>(used.size()));
  used.push_back(features_);  // the bias, which has no penalty
  const auto size = static_cast<int64_t>(used.size());
  std::vector<double> factor(size * size);
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j <= i; ++j) factor[i * size + j] = Product(used[i], used[j]);
    if (i + 1 < size) factor[i * size + i] += penalty * squares;
  }
  if (!Factorise(size, &factor)) return std::nullopt;
  LinearLayer layer;
  layer.weight.resize(targets_ * features_);
  layer.bias.resize(targets_);
  std::vector<double> solution(size);
  for (int64_t target = 0; target < targets_; ++target) {
    for (int64_t i = 0; i < size; ++i) solution[i] = target_products_[used[i] * targets_ + target];
    Substitute(size, factor, solution.data());
    for (int64_t i = 0; i + 1 < size; ++i) layer.weight[target * features_ + used[i]] = solution[i];
    layer.bias[target] = solution.back();
  }
  return layer;
}

double RidgeSums::MeanSquaredError(const LinearLayer& layer) const {
  double sum = squared_targets_;
  std::vector<double> weights(features_ + 1);
  for (int64_t target = 0; target < targets_; ++target) {
    std::copy_n(layer.weight.data() + target * features_, features_, weights.begin());
    weights[features_] = layer.bias[target];
    for (int64_t i = 0; i <= features_; ++i) {
      if (weights[i] == 0) continue;
      double product = 0;
      for (int64_t j = 0; j <= features_; ++j) product += Product(i, j) * weights[j];
      sum += weights[i] * (product - 2 * target_products_[i * targets_ + target]);
    }
  }
  return rows_ == 0 ? 0 : std::max(sum, 0.0) / (static_cast<double>(rows_) * static_cast<double>(targets_));
}

}  // namespace rondo::train
