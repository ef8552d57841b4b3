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

// Adds factor times a row of a matrix to another one.
void AddRow(double factor, const double* from, int64_t width, double* to) {
  for (int64_t i = 0; i < width; ++i) to[i] += factor * from[i];
}

// Solves L L' X = B for the factor of Factorise, in place; X: [size][width].
void Substitute(int64_t size, const std::vector<double>& factor, int64_t width, double* x) {
  const auto divide = [&](int64_t i) {
    for (int64_t k = 0; k < width; ++k) x[i * width + k] /= factor[i * size + i];
  };
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t k = 0; k < i; ++k) AddRow(-factor[i * size + k], x + k * width, width, x + i * width);
    divide(i);
  }
  for (int64_t i = size; i-- > 0;) {
    divide(i);
    for (int64_t k = 0; k < i; ++k) AddRow(-factor[i * size + k], x + i * width, width, x + k * width);
  }
}

}  // namespace

RidgeSums::RidgeSums(int64_t features, int64_t targets)
    : features_(features),
      targets_(targets),
      products_((features + 1) * (features + 1)),
      target_products_((features + 1) * targets) {}

void RidgeSums::Add(absl::Span<const float> x, absl::Span<const float> y, int64_t rows, float weight) {
  if (rows == 0) return;  // oneDNN takes no product over nothing
  const int64_t width = features_ + 1;
  with_one_.assign(rows * width, 1.0f);
  for (int64_t row = 0; row < rows; ++row) std::copy_n(x.data() + row * features_, features_, &with_one_[row * width]);
  block_.resize(std::max(products_.size(), target_products_.size()));
  MultiplyMatrices(true, false, width, width, rows, with_one_.data(), with_one_.data(), /*beta=*/0, block_.data());
  const double square = static_cast<double>(weight) * weight;
  for (size_t i = 0; i < products_.size(); ++i) products_[i] += square * block_[i];
  MultiplyMatrices(true, false, width, targets_, rows, with_one_.data(), y.data(), /*beta=*/0, block_.data());
  for (size_t i = 0; i < target_products_.size(); ++i) target_products_[i] += square * block_[i];
  for (int64_t i = 0; i < rows * targets_; ++i) squared_targets_ += square * y[i] * y[i];
  rows_ += rows;
}

void RidgeSums::Add(const RidgeSums& other) {
  for (size_t i = 0; i < products_.size(); ++i) products_[i] += other.products_[i];
  for (size_t i = 0; i < target_products_.size(); ++i) target_products_[i] += other.target_products_[i];
  squared_targets_ += other.squared_targets_;
  rows_ += other.rows_;
}

std::vector<double> RidgeSums::ProductsTimes(const std::vector<double>& matrix) const {
  std::vector<double> result(matrix.size());
  for (int64_t i = 0; i <= features_; ++i) {
    for (int64_t j = 0; j <= features_; ++j) {
      AddRow(Product(i, j), matrix.data() + j * targets_, targets_, result.data() + i * targets_);
    }
  }
  return result;
}

std::vector<LinearLayer> RidgeSums::Solve(const RidgePenalty& penalty,
                                          absl::Span<const std::vector<double>> drawn_to) const {
  constexpr double kLeastPart = 1e-6;  // of the mean: a feature that is always 0 has a penalty too
  constexpr double kExcluding = 1e8;
  const int64_t size = features_ + 1;
  double mean_square = 0;
  for (int64_t i = 0; i < features_; ++i) mean_square += Product(i, i) / static_cast<double>(features_);
  std::vector<double> factor = products_;
  for (int64_t i = 0; i < features_; ++i) {  // the bias has no penalty
    const double square = penalty.by_feature ? std::max(Product(i, i), kLeastPart * mean_square) : mean_square;
    factor[i * size + i] += penalty.strength * square;
  }
  for (const int64_t i : penalty.excluded) factor[i * size + i] += kExcluding * (Product(i, i) + mean_square);
  if (!Factorise(size, &factor)) return {};
  std::vector<LinearLayer> layers;
  for (const std::vector<double>& weights : drawn_to) {
    // What is solved for is the distance from those weights, [features + 1][targets].
    std::vector<double> origin(size * targets_), solution = target_products_;
    for (size_t i = 0; i < weights.size(); ++i) {
      origin[static_cast<int64_t>(i) % features_ * targets_ + static_cast<int64_t>(i) / features_] = weights[i];
    }
    if (!weights.empty()) {
      const std::vector<double> known = ProductsTimes(origin);
      for (size_t i = 0; i < solution.size(); ++i) solution[i] -= known[i];
    }
    Substitute(size, factor, targets_, solution.data());
    LinearLayer& layer = layers.emplace_back();
    layer.weight.resize(targets_ * features_);
    for (int64_t i = 0; i < features_; ++i) {
      for (int64_t k = 0; k < targets_; ++k) {
        layer.weight[k * features_ + i] = solution[i * targets_ + k] + origin[i * targets_ + k];
      }
    }
    layer.bias.assign(solution.end() - targets_, solution.end());
  }
  return layers;
}

double RidgeSums::MeanSquaredTarget() const {
  return rows_ == 0 ? 0 : squared_targets_ / (static_cast<double>(rows_) * static_cast<double>(targets_));
}

double RidgeSums::MeanSquaredError(const LinearLayer& layer) const {
  std::vector<double> weights((features_ + 1) * targets_);
  for (int64_t i = 0; i < features_; ++i) {
    for (int64_t k = 0; k < targets_; ++k) weights[i * targets_ + k] = layer.weight[k * features_ + i];
  }
  std::copy(layer.bias.begin(), layer.bias.end(), weights.end() - targets_);
  const std::vector<double> products = ProductsTimes(weights);
  double sum = squared_targets_;
  for (size_t i = 0; i < weights.size(); ++i) sum += weights[i] * (products[i] - 2 * target_products_[i]);
  return rows_ == 0 ? 0 : std::max(sum, 0.0) / (static_cast<double>(rows_) * static_cast<double>(targets_));
}

}  // namespace rondo::train
