#include "model/train/ridge.h"

#include <algorithm>
#include <cmath>

#include "model/train/training_kernel.h"

namespace rondo::train {
namespace {

// Row after row of a matrix.
struct Rows {
  const double* first;
  int64_t stride;  // from a row to the next one
};

// Subtracts `count` rows, each times its factor, from `to`; factors lie `step` numbers apart. Rows go four at a time,
// for `to` is then read and written once for all four.
void SubtractRows(const double* factors, int64_t step, Rows rows, int64_t count, int64_t width, double* to) {
  int64_t k = 0;
  for (; k + 4 <= count; k += 4) {
    const double f0 = factors[k * step], f1 = factors[(k + 1) * step];
    const double f2 = factors[(k + 2) * step], f3 = factors[(k + 3) * step];
    const double* r0 = rows.first + k * rows.stride;
    const double *r1 = r0 + rows.stride, *r2 = r1 + rows.stride, *r3 = r2 + rows.stride;
    for (int64_t i = 0; i < width; ++i) to[i] -= f0 * r0[i] + f1 * r1[i] + (f2 * r2[i] + f3 * r3[i]);
  }
  for (; k < count; ++k) {
    for (int64_t i = 0; i < width; ++i) to[i] -= factors[k * step] * rows.first[k * rows.stride + i];
  }
}

// Replaces the upper triangle of a symmetric matrix by U with U' U = matrix (Cholesky). False: it is not positive
// definite.
bool Factorise(int64_t size, std::vector<double>* matrix) {
  double* u = matrix->data();
  for (int64_t i = 0; i < size; ++i) {
    double* row = u + i * size;
    SubtractRows(u + i, size, {u + i, size}, i, size - i, row + i);
    if (!(row[i] > 0)) return false;
    const double root = std::sqrt(row[i]);
    for (int64_t j = i; j < size; ++j) row[j] /= root;
  }
  return true;
}

// Solves U' U X = B for the factor of Factorise, in place; X: [size][width].
void Substitute(int64_t size, const std::vector<double>& factor, int64_t width, double* x) {
  const double* u = factor.data();
  const auto divide = [&](int64_t i) {
    for (int64_t k = 0; k < width; ++k) x[i * width + k] /= u[i * size + i];
  };
  for (int64_t i = 0; i < size; ++i) {
    SubtractRows(u + i, size, {x, width}, i, width, x + i * width);
    divide(i);
  }
  for (int64_t i = size; i-- > 0;) {
    SubtractRows(u + i * size + i + 1, 1, {x + (i + 1) * width, width}, size - i - 1, width, x + i * width);
    divide(i);
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

void RidgeSums::SubtractProductsTimes(const std::vector<double>& matrix, std::vector<double>* from) const {
  for (int64_t j = 0; j <= features_; ++j) {
    const double* row = matrix.data() + j * targets_;
    if (std::all_of(row, row + targets_, [](double value) { return value == 0; })) continue;
    for (int64_t i = 0; i <= features_; ++i) {
      SubtractRows(&products_[i * (features_ + 1) + j], 1, {row, targets_}, 1, targets_, from->data() + i * targets_);
    }
  }
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
    SubtractProductsTimes(origin, &solution);
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
  double sum = squared_targets_;
  std::vector<double> above(targets_);  // minus the products with the weights of the features before
  for (int64_t i = 0; i <= features_; ++i) {
    const double* row = &weights[i * targets_];
    std::fill(above.begin(), above.end(), 0.0);
    SubtractRows(&products_[i * (features_ + 1)], 1, {weights.data(), targets_}, i, targets_, above.data());
    for (int64_t k = 0; k < targets_; ++k) {
      sum += row[k] * (Product(i, i) * row[k] - 2 * above[k] - 2 * target_products_[i * targets_ + k]);
    }
  }
  return rows_ == 0 ? 0 : std::max(sum, 0.0) / (static_cast<double>(rows_) * static_cast<double>(targets_));
}

}  // namespace rondo::train
