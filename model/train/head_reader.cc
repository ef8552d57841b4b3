#include "model/train/head_reader.h"

#include <algorithm>
#include <cmath>

namespace rondo::train {
namespace {

double StandardNormalQuantile(double p) {
  double low = -10, high = 10;  // bisection on erfc: exact enough, and only a few values are wanted
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

HeadReader::HeadReader(const ModelSpec& spec) : is_gaussian_(spec.head == Head::kGaussian) {
  if (is_gaussian_) quantiles_ = {0.1, 0.5, 0.9};
  for (const double quantile : quantiles_) normal_quantiles_.push_back(StandardNormalQuantile(quantile));
  if (spec.head != Head::kQuantile) return;
  quantiles_ = spec.quantiles;
  const auto farther = [](double a, double b) { return std::abs(a - 0.5) < std::abs(b - 0.5); };
  point_ = std::min_element(quantiles_.begin(), quantiles_.end(), farther) - quantiles_.begin();
}

}  // namespace rondo::train
