#include "model/train/linear_rows.h"

#include <algorithm>
#include <cmath>

namespace rondo::train {
namespace {

constexpr int64_t kMostTargets = 160;  // a model file has at most 512 elements, three a target
constexpr int64_t kMostInputs = 512;
constexpr int64_t kBlockRows = 1024;

bool AllPositive(const Dataset& dataset) {
  for (size_t series = 0; series < dataset.set().series.size(); ++series) {
    for (size_t output = 0; output < dataset.spec().outputs.size(); ++output) {
      const size_t column = dataset.target_column(output);
      if (dataset.unit(series, column).offset != 0) return false;
      for (int64_t t = 0; t < dataset.set().series[series].timesteps; ++t) {
        if (!(dataset.value(series, t, column) > 0)) return false;
      }
    }
  }
  return true;
}

}  // namespace

int64_t NumWindowed(const ModelSpec& spec) {
  const auto is_other = [](const InputFeature& input) {
    return input.source.ahead > 1 || !input.source.category.empty();
  };
  return std::find_if(spec.inputs.begin(), spec.inputs.end(), is_other) - spec.inputs.begin();
}

bool CanBeLinear(const Dataset& dataset, LinearKind kind) {
  const ModelSpec& spec = dataset.spec();
  if (spec.tokens > 0 || static_cast<int64_t>(spec.outputs.size()) > kMostTargets) return false;
  if (kind == LinearKind::kAllWindows) {
    return 3 * NumWindowed(spec) < kMostTargets && static_cast<int64_t>(spec.inputs.size()) < kMostInputs;
  }
  const bool changes = std::none_of(spec.outputs.begin(), spec.outputs.end(),
                                    [](const auto& output) { return output.added_to.empty(); });
  if (kind == LinearKind::kOwnWindow) return changes;
  return changes && 2 * spec.outputs.size() < kMostTargets && AllPositive(dataset);
}

LinearRows::LinearRows(const Dataset& dataset, LinearKind kind, int64_t length)
    : dataset_(dataset), spec_(dataset.spec()), kind_(kind), length_(length), num_windows_(NumWindowed(spec_)) {
  for (const OutputFeature& output : spec_.outputs) {
    const auto input = std::find_if(spec_.inputs.begin(), spec_.inputs.end(),
                                    [&](const auto& feature) { return feature.name == output.added_to; });
    inputs_of_targets_.push_back(input - spec_.inputs.begin());
    const bool added = input != spec_.inputs.end();
    means_.push_back(added ? 0 : output.mean);
    stds_.push_back(kind == LinearKind::kOwnLogWindow ? 1 : added ? input->std : output.std);
  }
}

int64_t LinearRows::num_others() const { return spec_.feature_size() - (minus_newest() ? 0 : num_windows_); }

std::vector<int64_t> LinearRows::Levels() const {
  if (own() || !minus_newest()) return {};
  std::vector<int64_t> levels;
  for (const int64_t input : inputs_of_targets_) levels.push_back(num_windows_ * length_ + input);
  return levels;
}

std::vector<double> LinearRows::SeasonalWeights(int64_t season, bool change) const {
  if (season <= 0 || !minus_newest()) return {};
  std::vector<double> weights(targets() * features());
  for (int64_t target = 0; target < targets(); ++target) {
    const int64_t ahead = own() ? target + 1 : target / num_outputs() + 1;
    const int64_t seasons = (ahead + season - 1) / season, input = own() ? 0 : input_of_target(target % num_outputs());
    const int64_t lag = seasons * season - ahead;
    if ((change ? seasons * season : lag) >= length_) return {};
    double* newest = &weights[target * features() + input * length_ + length_ - 1];
    newest[-lag] += 1;
    if (change) newest[-seasons * season] -= 1;
  }
  return weights;
}

bool LinearRows::Add(absl::Span<const Segment> segments, int64_t stride, bool complete,
                     const std::function<bool()>& stop, RidgeSums* sums) const {
  std::vector<float> x, y;
  const auto flush = [&](size_t series) {
    sums->Add(x, y, static_cast<int64_t>(y.size()) / targets(), static_cast<float>(dataset_.weight(series)));
    x.clear();
    y.clear();
    return !stop || !stop();
  };
  for (const Segment& segment : segments) {
    for (int64_t t = std::max(segment.begin, complete ? length_ - 1 : 0); t < segment.end; t += stride) {
      for (int64_t output = 0; output < (own() ? num_outputs() : 1); ++output) {
        AddRow(segment.series, t, output, &x, &y);
      }
      if (static_cast<int64_t>(y.size()) >= kBlockRows * targets() && !flush(segment.series)) return false;
    }
    if (!flush(segment.series)) return false;
  }
  return true;
}

bool LinearRows::AddTargets(size_t series, int64_t t, int64_t output, std::vector<float>* y) const {
  const size_t before = y->size();
  for (int64_t ahead = 1; ahead <= spec_.horizon; ++ahead) {
    for (int64_t i = own() ? output : 0; i < (own() ? output + 1 : num_outputs()); ++i) {
      double target = dataset_.RawTarget(series, t, ahead, i);
      if (std::isnan(target)) {
        y->resize(before);
        return false;
      }
      if (kind_ == LinearKind::kOwnLogWindow) {
        const size_t column = dataset_.target_column(i);
        target = std::log(dataset_.value(series, t + ahead, column) / dataset_.value(series, t, column));
      }
      y->push_back(static_cast<float>((target - means_[i]) / stds_[i]));
    }
  }
  return true;
}

void LinearRows::AddRow(size_t series, int64_t t, int64_t output, std::vector<float>* x, std::vector<float>* y) const {
  if (!AddTargets(series, t, output, y)) return;
  if (kind_ == LinearKind::kOwnLogWindow) {
    const size_t column = dataset_.target_column(output);
    for (int64_t at = t - length_ + 1; at <= t; ++at) {
      x->push_back(
          std::log(dataset_.value(series, std::max<int64_t>(at, 0), column) / dataset_.value(series, t, column)));
    }
    return;
  }
  const absl::Span<const float> features = dataset_.features(series);
  const int64_t width = spec_.feature_size();
  const int64_t first = own() ? input_of_target(output) : 0, end = own() ? first + 1 : num_windows_;
  for (int64_t input = first; input < end; ++input) {
    const float newest = features[t * width + input];
    for (int64_t at = t - length_ + 1; at <= t; ++at) {
      const float value = features[std::max<int64_t>(at, 0) * width + input];
      x->push_back(minus_newest() ? value - newest : at < 0 ? 0 : value);
    }
  }
  for (int64_t i = width - num_others(); i < width && !own(); ++i) x->push_back(features[t * width + i]);
}

}  // namespace rondo::train
