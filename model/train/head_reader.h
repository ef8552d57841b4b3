#ifndef RONDO_MODEL_TRAIN_HEAD_READER_H_
#define RONDO_MODEL_TRAIN_HEAD_READER_H_

#include <cstddef>
#include <vector>

#include "model/model_spec.h"

namespace rondo::train {

// Reads the numbers that a head answers for one output, ModelSpec::values_per_output() many. Immutable; any thread.
class HeadReader {
 public:
  // A gaussian head's quantiles are 0.1, 0.5 and 0.9.
  explicit HeadReader(const ModelSpec& spec);

  // Returns the point forecast: the value, the mean, or the middle quantile.
  double Point(const float* values) const { return values[point_]; }

  // Lists the quantiles that can be read; none: the head says a value alone.
  const std::vector<double>& quantiles() const { return quantiles_; }
  double QuantileOf(const float* values, size_t k) const {
    return is_gaussian_ ? values[0] + values[1] * normal_quantiles_[k] : values[k];
  }

  // The widest band is that between the first and the last quantile.
  bool has_band() const { return quantiles_.size() > 1; }
  double Low(const float* values) const { return QuantileOf(values, 0); }
  double High(const float* values) const { return QuantileOf(values, quantiles_.size() - 1); }

 private:
  bool is_gaussian_;
  size_t point_ = 0;
  std::vector<double> quantiles_, normal_quantiles_;  // normal: of the standard normal distribution
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_HEAD_READER_H_
