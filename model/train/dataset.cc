#include "model/train/dataset.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/feature_encoder.h"
#include "model/train/moments.h"
#include "model/train/season.h"

namespace rondo::train {
namespace {

constexpr size_t kNoColumn = static_cast<size_t>(-1);
constexpr int64_t kMinLinesToSplit = 20;
constexpr double kSecondsPerDay = 86400, kDaysPerYear = 365;
constexpr int64_t kLeastTimesteps[] = {10, 4, 2};  // of the training, the validation and the test part

// Tells whether a column does not vary; a spread that is only rounding error of the mean counts as none.
bool IsConstant(const Moments& moments) { return moments.std() <= 1e-7 * std::abs(moments.mean()); }

template <typename Feature>
typename std::vector<Feature>::const_iterator FindFeature(const std::vector<Feature>& features,
                                                          const std::string& name) {
  return std::find_if(features.begin(), features.end(), [&](const Feature& feature) { return feature.name == name; });
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
  if (absl::Status status = dataset.Split(options); !status.ok()) return status;
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
  dataset.WeighSeries();
  return dataset;
}

absl::Status Dataset::Split(const DatasetOptions& options) {
  if (!options.token_names.empty() && static_cast<int64_t>(set_.series.size()) >= kMinLinesToSplit) {
    SplitLines(options);
  } else if (options.one_part) {
    for (size_t i = 0; i < set_.series.size(); ++i) {
      const int64_t end = set_.series[i].timesteps - options.horizon;
      for (std::vector<Segment>& part : segments_) {
        if (end > 0) part.push_back({i, 0, 0, end});
      }
    }
  } else {
    SplitByTime(options, 0);
    if (timesteps(kValidation) < kLeastTimesteps[kValidation]) {
      SplitByTime(options, kLeastTimesteps[kValidation] + options.horizon - 1);
      set_.notes.push_back(absl::StrCat("the validation part begins earlier than --validation=", options.validation,
                                        " says: it would have too few rows"));
    }
  }
  return CheckEnough(options);
}

void Dataset::SplitByTime(const DatasetOptions& options, int64_t least_validation_rows) {
  for (std::vector<Segment>& part : segments_) part.clear();
  for (size_t i = 0; i < set_.series.size(); ++i) {
    const int64_t n = set_.series[i].timesteps;
    const auto test = static_cast<int64_t>(std::llround(n * (1 - options.test)));
    const auto asked = static_cast<int64_t>(std::llround(n * (1 - options.test - options.validation)));
    const int64_t validation = std::max<int64_t>(1, std::min(asked, test - least_validation_rows));
    const int64_t bounds[] = {1, validation, test, n};
    for (int part = kTraining; part <= kTest; ++part) {
      // The targets t+1 .. t+horizon of a timestep t lie within the part.
      const int64_t begin = std::max<int64_t>(0, bounds[part] - 1), end = bounds[part + 1] - options.horizon;
      if (begin < end) segments_[part].push_back({i, begin, begin, end});
    }
    if (test > options.horizon) segments_[kTrainingAndValidation].push_back({i, 0, 0, test - options.horizon});
  }
}

Dataset Dataset::WithParts(std::vector<Segment> training, std::vector<Segment> validation) const {
  Dataset copy = *this;
  copy.segments_[kTraining] = std::move(training);
  copy.segments_[kValidation] = std::move(validation);
  return copy;
}

// A score of one timestep is none, and early stopping needs some too.
absl::Status Dataset::CheckEnough(const DatasetOptions& options) {
  const char* names[] = {"training", "validation", "test"};
  std::string too_short;
  int64_t longest = 0;
  for (const Series& series : set_.series) {
    longest = std::max(longest, series.timesteps);
    const int64_t test = series.timesteps - std::llround(static_cast<double>(series.timesteps) * (1 - options.test));
    if (set_.series.size() > 1 && test < options.horizon) {
      absl::StrAppend(&too_short, too_short.empty() ? "" : ", ", "'", series.name, "' (", series.timesteps, ")");
    }
  }
  if (!too_short.empty() && options.token_names.empty()) {
    set_.notes.push_back(absl::StrCat("series that are too short for a test part, with their rows: ", too_short));
  }
  for (int part = kTraining; part <= kTest; ++part) {
    if (timesteps(static_cast<Part>(part)) >= kLeastTimesteps[part]) continue;
    const auto horizon = static_cast<double>(options.horizon);
    const double needed = std::ceil(
        std::max((kLeastTimesteps[kTest] + horizon) / options.test,
                 (kLeastTimesteps[kTraining] + kLeastTimesteps[kValidation] + 2 * horizon) / (1 - options.test)));
    return absl::InvalidArgumentError(
        absl::StrCat("the ", names[part], " part has ", timesteps(static_cast<Part>(part)), " timesteps with their ",
                     options.horizon, " target(s), and needs ", kLeastTimesteps[part], "; the longest series has ",
                     longest, " rows, split by --validation=", options.validation, " and --test=", options.test,
                     "; a series of ", needed, " rows is enough"));
  }
  return absl::OkStatus();
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

// Tells whether the change from one row to the next depends on the weekday, by more than chance (an F test at 0.1%).
bool Dataset::WeekdayMatters(size_t column) const {
  constexpr double kCritical = 22.5;  // of chi squared with 6 degrees of freedom
  Moments all, of_weekday[7];
  for (const Segment& part : segments_[kTraining]) {
    const std::vector<int64_t>& times = set_.series[part.series].times;
    for (int64_t t = part.begin; t + 1 < part.end; ++t) {
      const double change = value(part.series, t + 1, column) - value(part.series, t, column);
      all.Add(change);
      of_weekday[static_cast<int>(7 * CalendarFraction(Calendar::kWeekday, UnixSeconds(times[t])))].Add(change);
    }
  }
  double within = 0, between = 0;
  for (const Moments& day : of_weekday) {
    within += day.count() * day.std() * day.std();
    between += day.count() * (day.mean() - all.mean()) * (day.mean() - all.mean());
  }
  return between * std::max(all.count() - 7, 0.0) > kCritical * within;
}

std::vector<Calendar> Dataset::FittingCalendar(const std::vector<std::string>& targets) const {
  const double seconds = set_.format.step.seconds();
  if (seconds <= 0 || seconds > 100 * kSecondsPerDay) return {};
  // What is seen of less than two of its periods is told apart from a trend by nothing.
  double longest = 0;
  for (const Segment& part : segments_[kTrainingAndValidation]) {
    longest = std::max(longest, static_cast<double>(part.end) * seconds);
  }
  const auto seen_twice = [longest](double days) { return longest >= 2 * days * kSecondsPerDay; };
  std::vector<Calendar> calendar;
  if (seconds < kSecondsPerDay) {
    if (seen_twice(1)) calendar.push_back(Calendar::kHour);
    if (seen_twice(7)) calendar.push_back(Calendar::kWeekday);
    if (seen_twice(kDaysPerYear)) calendar.push_back(Calendar::kDayOfYear);
    return calendar;
  }
  const bool daily = seconds < 2 * kSecondsPerDay;
  const bool weekday =
      daily && std::any_of(targets.begin(), targets.end(), [this](const std::string& target) {
        return WeekdayMatters(std::find(set_.columns.begin(), set_.columns.end(), target) - set_.columns.begin());
      });
  if (weekday && seen_twice(7)) calendar.push_back(Calendar::kWeekday);
  if (seen_twice(kDaysPerYear)) calendar.push_back(Calendar::kDayOfYear);
  return calendar;
}

void Dataset::SplitLines(const DatasetOptions& options) {
  const double lines = static_cast<double>(set_.series.size());
  for (size_t i = 0; i < set_.series.size(); ++i) {
    const double place = (i + 0.5) / lines;
    const Part part = place < 1 - options.test - options.validation ? kTraining
                      : place < 1 - options.test                    ? kValidation
                                                                    : kTest;
    if (set_.series[i].timesteps > options.horizon) {
      const Segment line = {i, 0, 0, set_.series[i].timesteps - options.horizon};
      segments_[part].push_back(line);
      if (part != kTest) segments_[kTrainingAndValidation].push_back(line);
    }
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
  spec_.calendar = options.calendar.value_or(timed ? FittingCalendar(options.targets) : std::vector<Calendar>{});
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

void Dataset::WeighSeries() {
  constexpr double kMostDistant = 100;  // a series that is told nearly without error does not count for all others
  if (set_.series.size() < 2 || spec_.tokens > 0) return;
  std::vector<int64_t> seasons = SeasonsOf(set_.format.step);
  seasons.push_back(0);
  weights_.assign(set_.series.size(), 0);
  double largest = 0, squares = 0, count = 0;
  for (const Segment& part : segments_[kTraining]) {
    double least = HUGE_VAL;
    for (const int64_t season : seasons) least = std::min(least, NaiveError(part, season));
    largest = std::max(largest, weights_[part.series] = std::isfinite(least) ? std::sqrt(least) : 0);
  }
  for (double& weight : weights_)
    weight = largest > 0 ? 1 / std::max(weight > 0 ? weight : largest, largest / kMostDistant) : 1;
  for (const Segment& part : segments_[kTraining]) {
    squares += weights_[part.series] * weights_[part.series];
    ++count;
  }
  for (double& weight : weights_) weight /= std::sqrt(squares / std::max(1.0, count));
}

double Dataset::NaiveError(const Segment& part, int64_t season) const {
  double sum = 0, count = 0;
  for (int64_t t = part.begin; t < part.end; ++t) {
    for (size_t output = 0; output < target_columns_.size(); ++output) {
      const size_t column = target_columns_[output];
      for (const int64_t ahead : {int64_t{1}, spec_.horizon}) {
        const int64_t before = season == 0 ? t : t + ahead - (ahead + season - 1) / season * season;
        if (before < part.begin || !present(part.series, t + ahead, column)) continue;
        const double error =
            (value(part.series, t + ahead, column) - value(part.series, before, column)) / spec_.outputs[output].std;
        sum += error * error;
        ++count;
      }
    }
  }
  return count > 0 ? sum / count : HUGE_VAL;
}

int64_t Dataset::timesteps(Part part) const {
  int64_t total = 0;
  for (const Segment& segment : segments_[part]) total += segment.timesteps();
  return total;
}

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
