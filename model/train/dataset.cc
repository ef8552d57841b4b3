#include "model/train/dataset.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/feature_encoder.h"
#include "model/train/fitting_calendar.h"
#include "model/train/moments.h"
#include "model/train/series_weights.h"
#include "model/train/split.h"

namespace rondo::train {
namespace {

constexpr size_t kNoColumn = static_cast<size_t>(-1);

// Tells whether a column does not vary; a spread that is only rounding error of the mean counts as none.
bool IsConstant(const Moments& moments) { return moments.std() <= 1e-7 * std::abs(moments.mean()); }

template <typename Feature>
typename std::vector<Feature>::const_iterator FindFeature(const std::vector<Feature>& features,
                                                          const std::string& name) {
  return std::find_if(features.begin(), features.end(), [&](const Feature& feature) { return feature.name == name; });
}

// Puts values between the columns of each row, before column `first`.
template <typename T>
std::vector<T> WithColumns(const std::vector<T>& rows, size_t width, size_t first, const std::vector<T>& values) {
  std::vector<T> wide;
  wide.reserve(rows.size() / width * (width + values.size()));
  for (auto row = rows.begin(); row != rows.end(); row += static_cast<int64_t>(width)) {
    wide.insert(wide.end(), row, row + static_cast<int64_t>(first));
    wide.insert(wide.end(), values.begin(), values.end());
    wide.insert(wide.end(), row + static_cast<int64_t>(first), row + static_cast<int64_t>(width));
  }
  return wide;
}

absl::Status ConstantColumn(absl::string_view what, const std::string& name, double value) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, " '", name, "' is always ", value,
                   " in the training part; there is nothing to learn from it: leave it out"));
}

}  // namespace

absl::StatusOr<Dataset> Dataset::Create(SeriesSet set, DatasetOptions options) {
  Dataset dataset;
  dataset.set_ = std::move(set);
  dataset.spec_.step_seconds = dataset.set_.format.step.seconds();
  dataset.spec_.table = dataset.set_.format;
  dataset.spec_.horizon = options.horizon;
  absl::StatusOr<Parts> parts = SplitSeries(options, &dataset.set_);
  if (!parts.ok()) return parts.status();
  dataset.segments_ = *std::move(parts);
  dataset.LeaveOutConstants(&options);
  for (const Series& series : dataset.set_.series) {
    for (const std::string& column : dataset.set_.columns) {
      dataset.units_.push_back(dataset.set_.format.UnitOf(column, series.name));
    }
  }
  if (!options.token_names.empty()) {
    dataset.DescribeTokens(options);
  } else {
    if (absl::Status status = dataset.DescribeInputs(options); !status.ok()) return status;
    if (absl::Status status = dataset.DescribeOutputs(options); !status.ok()) return status;
  }
  if (absl::Status status = dataset.Standardise(); !status.ok()) return status;
  dataset.weights_ = SeriesWeights(dataset);
  return dataset;
}

Dataset Dataset::WithParts(std::vector<Segment> training, std::vector<Segment> validation) const {
  Dataset copy = *this;
  copy.segments_[kTraining] = std::move(training);
  copy.segments_[kValidation] = std::move(validation);
  return copy;
}

Dataset Dataset::WithSeriesInputs() const {
  Dataset copy = *this;
  const size_t first = spec_.inputs.size(), count = set_.series.size(), columns = set_.columns.size();
  std::vector<std::string> names;
  for (const Series& series : set_.series) {
    names.push_back(absl::StrCat(set_.format.series_column, "=", series.name));
    copy.spec_.inputs.push_back({names.back(), 0, 1, {set_.format.series_column, series.name, 0, /*remembered=*/true}});
  }
  copy.set_.columns = WithColumns(set_.columns, columns, first, names);
  copy.units_.clear();
  for (size_t i = 0; i < count; ++i) {
    std::vector<float> own(count);
    own[i] = 1;
    Series& series = copy.set_.series[i];
    series.values = WithColumns(series.values, columns, first, own);
    series.present = WithColumns(series.present, columns, first, std::vector<uint8_t>(count, 1));
    copy.features_[i] = WithColumns(features_[i], spec_.feature_size(), first, own);
    for (const std::string& column : copy.set_.columns) {
      copy.units_.push_back(set_.format.UnitOf(column, series.name));
    }
  }
  for (std::vector<size_t>* places : {&copy.target_columns_, &copy.added_columns_}) {
    for (size_t& column : *places) column += column != kNoColumn && column >= first ? count : 0;
  }
  return copy;
}

// What never varies in the training part has nothing to tell. A constant target is left for DescribeOutputs to refuse.
void Dataset::LeaveOutConstants(DatasetOptions* options) {
  if (options->known.has_value()) return;
  std::vector<std::string>& inputs = options->inputs;
  for (size_t column = inputs.size(); column-- > 0;) {
    const bool is_target =
        std::find(options->targets.begin(), options->targets.end(), inputs[column]) != options->targets.end();
    Moments moments;
    for (const Segment& part : segments_[kTraining]) {
      for (int64_t t = part.begin; t < part.end; ++t) moments.Add(value(part.series, t, column));
    }
    const bool is_category = !options->sources.empty() && !options->sources[column].category.empty();
    if (is_target || is_category || inputs.size() == 1 || !IsConstant(moments)) continue;
    set_.notes.push_back(absl::StrCat("the input '", inputs[column], "' is always ", moments.mean(),
                                      " in the training part, and is left out"));
    const size_t width = set_.columns.size();
    const auto erase = [&](auto* values) {
      std::decay_t<decltype(*values)> kept;
      for (size_t i = 0; i < values->size(); ++i) {
        if (i % width != column) kept.push_back((*values)[i]);
      }
      *values = std::move(kept);
    };
    for (Series& series : set_.series) {
      erase(&series.values);
      erase(&series.present);
    }
    inputs.erase(inputs.begin() + column);
    if (!options->sources.empty()) options->sources.erase(options->sources.begin() + column);
    set_.columns.erase(set_.columns.begin() + column);
  }
}

void Dataset::DescribeTokens(const DatasetOptions& options) {
  spec_.tokens = static_cast<int64_t>(options.token_names.size());
  spec_.vocabulary = options.vocabulary;
  for (const std::string& name : options.token_names) spec_.outputs.push_back({name, 0, 1, ""});
  spec_.head = Head::kSoftmax;
  target_columns_ = {0};
  added_columns_ = {kNoColumn};
  targets_per_timestep_ = options.horizon;
}

absl::Status Dataset::DescribeInputs(const DatasetOptions& options) {
  for (size_t column = 0; column < options.inputs.size(); ++column) {
    Moments moments;
    for (const Segment& part : segments_[kTraining]) {
      for (int64_t t = part.begin; t < part.end; ++t) moments.Add(value(part.series, t, column));
    }
    if (options.known.has_value()) {
      spec_.inputs.push_back(*FindFeature(options.known->inputs, options.inputs[column]));
      continue;
    }
    const InputSource source = options.sources.empty() ? InputSource() : options.sources[column];
    if (!source.category.empty()) {
      spec_.inputs.push_back({options.inputs[column], 0, 1, source});  // a rare one would stand out by its deviation
      continue;
    }
    if (IsConstant(moments)) return ConstantColumn("the input", options.inputs[column], moments.mean());
    spec_.inputs.push_back({options.inputs[column], moments.mean(), moments.std(), source});
  }
  const bool timed = !set_.series[0].times.empty();
  spec_.calendar = options.calendar.value_or(timed ? FittingCalendar(*this, options.targets) : std::vector<Calendar>{});
  if (!spec_.calendar.empty() && !timed) {
    return absl::InvalidArgumentError("--calendar needs the times of the rows; name their column with --time");
  }
  return absl::OkStatus();
}

absl::Status Dataset::DescribeOutputs(const DatasetOptions& options) {
  for (const std::string& target : options.targets) {
    const size_t column = std::find(set_.columns.begin(), set_.columns.end(), target) - set_.columns.begin();
    const bool is_input = column < spec_.inputs.size();
    if (options.predict == Predict::kChange && !is_input) {
      return absl::InvalidArgumentError(
          absl::StrCat("--predict=change needs the target '", target, "' among --inputs; it is not"));
    }
    const bool change = is_input && options.predict != Predict::kValue;
    target_columns_.push_back(column);
    added_columns_.push_back(change ? column : kNoColumn);
    if (is_input && options.horizon == 1) spec_.feedback.push_back({target, target});
    if (options.known.has_value()) {
      spec_.outputs.push_back(*FindFeature(options.known->outputs, target));
      continue;
    }
    Moments moments;
    for (const Segment& part : segments_[kTraining]) {
      for (int64_t t = part.begin; t < part.end; ++t) {
        for (int64_t ahead = 1; ahead <= options.horizon; ++ahead) {
          const double distance = RawTarget(part.series, t, ahead, target_columns_.size() - 1);
          if (!std::isnan(distance)) moments.Add(distance);
        }
      }
    }
    if (IsConstant(moments)) return ConstantColumn(change ? "the change of" : "the target", target, moments.mean());
    spec_.outputs.push_back({target, moments.mean(), moments.std(), change ? target : ""});
  }
  targets_per_timestep_ = spec_.output_size();
  return absl::OkStatus();
}

double Dataset::RawTarget(size_t series, int64_t timestep, int64_t ahead, size_t output) const {
  const double target = value(series, timestep + ahead, target_columns_[output]);
  const size_t added = added_columns_[output];
  // What was filled in is neither a target nor what a target changes from.
  if (!present(series, timestep + ahead, target_columns_[output])) return std::nan("");
  if (added != kNoColumn && !present(series, timestep, added)) return std::nan("");
  return added == kNoColumn ? target : target - value(series, timestep, added);
}

absl::Status Dataset::Standardise() {
  const bool tokens = spec_.tokens > 0;
  const size_t columns = set_.columns.size();
  const FeatureEncoder encoder(spec_, {});
  const int64_t features = tokens ? 1 : spec_.feature_size(), outputs = target_columns_.size();
  for (size_t i = 0; i < set_.series.size(); ++i) {
    const Series& series = set_.series[i];
    std::vector<float> made(series.timesteps * features), targets(series.timesteps * targets_per_timestep_);
    for (int64_t t = 0; t < series.timesteps; ++t) {
      const float* raw = series.values.data() + t * columns;
      if (tokens) {
        made[t] = raw[0];
      } else {
        encoder.Encode(raw, series.times.empty() ? 0 : UnixSeconds(series.times[t]), made.data() + t * features);
      }
      for (int64_t ahead = 1; ahead <= spec_.horizon && t + ahead < series.timesteps; ++ahead) {
        for (int64_t k = 0; k < outputs; ++k) {
          const double mean = tokens ? 0 : spec_.outputs[k].mean, std = tokens ? 1 : spec_.outputs[k].std;
          targets[t * targets_per_timestep_ + (ahead - 1) * outputs + k] = (RawTarget(i, t, ahead, k) - mean) / std;
        }
      }
    }
    for (const float feature : made) {
      if (!std::isfinite(feature)) {
        return absl::InvalidArgumentError("a standardised input is not finite; its values are too far apart");
      }
    }
    features_.push_back(std::move(made));
    targets_.push_back(std::move(targets));
  }
  return absl::OkStatus();
}

int64_t Dataset::timesteps(Part part) const { return Timesteps(segments_[part]); }

int64_t Dataset::longest_segment(Part part) const {
  int64_t longest = 0;
  for (const Segment& segment : segments_[part]) longest = std::max(longest, segment.timesteps());
  return longest;
}

void Dataset::Fill(absl::Span<const Window> windows, int64_t timesteps, Batch* batch) const {
  const int64_t lanes = windows.size(), rows = timesteps * lanes;
  const bool tokens = spec_.tokens > 0;
  const int64_t features = tokens ? 1 : spec_.feature_size(), targets = targets_per_timestep_;
  batch->features.assign(tokens ? 0 : rows * features, 0.0f);
  batch->tokens.assign(tokens ? rows : 0, 0);
  batch->targets.assign(rows * targets, 0.0f);
  batch->mask.assign(rows, 0.0f);
  for (int64_t n = 0; n < lanes; ++n) {
    const Window& window = windows[n];
    for (int64_t t = window.begin; t < window.end; ++t) {
      const int64_t row = (t - window.begin) * lanes + n;
      const float* from = features_[window.series].data() + t * features;
      if (tokens) {
        batch->tokens[row] = static_cast<int32_t>(*from);
      } else {
        std::copy_n(from, features, batch->features.data() + row * features);
      }
      const float* its = targets_[window.series].data() + t * targets;
      std::copy_n(its, targets, batch->targets.data() + row * targets);
      const bool has_target = std::any_of(its, its + targets, [](float target) { return !std::isnan(target); });
      batch->mask[row] = t >= window.scored_begin && has_target ? 1.0f : 0.0f;
    }
  }
}

}  // namespace rondo::train
