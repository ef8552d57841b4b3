#include "model/train/evaluation.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "model/compute_thread.h"
#include "model/train/moments.h"

namespace rondo::train {
namespace {

// Says which of the numbers that stand for an output is its point forecast: the value, the mean, or the middle
// quantile.
size_t PointIndex(const ModelSpec& spec) {
  if (spec.head != Head::kQuantile) return 0;
  const auto farther = [](double a, double b) { return std::abs(a - 0.5) < std::abs(b - 0.5); };
  return std::min_element(spec.quantiles.begin(), spec.quantiles.end(), farther) - spec.quantiles.begin();
}

double StandardNormalQuantile(double p) {
  double low = -10, high = 10;  // bisection on erfc: exact enough, and only a few values are wanted
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

constexpr double kHour = 3600, kDay = 86400;

// Lists the seasons that data of a step may have, in timesteps.
std::vector<int64_t> SeasonsOf(const CalendarStep& step) {
  if (step.unit == CalendarStep::Unit::kMonth || step.unit == CalendarStep::Unit::kMonthEnd) {
    return step.count < 12 && 12 % step.count == 0 ? std::vector<int64_t>{12 / step.count} : std::vector<int64_t>{};
  }
  if (step.unit == CalendarStep::Unit::kBusinessDay)
    return step.count == 1 ? std::vector<int64_t>{5} : std::vector<int64_t>{};
  const double seconds = step.seconds();
  if (seconds <= 0) return {};
  std::vector<int64_t> seasons;
  // A season is a whole number of steps, or nearly: a year of days or weeks.
  for (const double period : {kHour, kDay, 7 * kDay, 365.25 * kDay}) {
    const double steps = period / seconds;
    const bool fits = period == 365.25 * kDay ? seconds >= kDay : std::abs(steps - std::round(steps)) < 1e-9;
    if (fits && steps >= 4 && steps <= 1e6) seasons.push_back(std::llround(std::floor(steps)));
  }
  return seasons;
}

// Scores the answers of one network, timestep by timestep.
class Scorer {
 public:
  Scorer(const Dataset& dataset, const ModelSpec& spec, int64_t season)
      : dataset_(dataset), spec_(spec), point_(PointIndex(spec)) {
    result_.season = season;
    for (size_t i = 0; i < spec.outputs.size() && spec.tokens == 0; ++i) {
      OutputScores scores;
      scores.name = spec.outputs[i].name;
      scores.level_std = LevelStd(i);
      for (const Series& series : dataset.set().series) {
        scores.by_series.push_back({series.name, {}, {}, {}, NaiveStep(scores.by_series.size(), i, season)});
      }
      for (auto* by_horizon : {&scores.model_by_horizon, &scores.persistence_by_horizon, &scores.seasonal_by_horizon}) {
        by_horizon->resize(spec.horizon);
      }
      result_.outputs.push_back(std::move(scores));
    }
    if (spec.head == Head::kQuantile) asked_quantiles_ = spec.quantiles;
    if (spec.head == Head::kGaussian) asked_quantiles_ = {0.1, 0.5, 0.9};
    has_band_ = asked_quantiles_.size() > 1;
    for (const double quantile : asked_quantiles_) normal_quantiles_.push_back(StandardNormalQuantile(quantile));
    inside_.resize(spec.outputs.size() * spec.horizon);
  }

  void Score(size_t series, int64_t t, const float* output) {
    ++result_.timesteps;
    if (spec_.tokens > 0) {
      ScoreToken(series, t, output);
      return;
    }
    for (int64_t ahead = 1; ahead <= spec_.horizon; ++ahead) {
      for (size_t i = 0; i < result_.outputs.size(); ++i, output += spec_.values_per_output()) {
        ScoreValue(series, t, ahead, i, output);
      }
    }
  }

  Evaluation Finish() && {
    const double count = std::max<int64_t>(1, result_.timesteps);
    for (OutputScores& scores : result_.outputs) {
      for (auto& [quantile, part] : scores.coverage) part /= std::max<int64_t>(1, scores.model.count);
      const size_t i = &scores - result_.outputs.data();
      for (int64_t lead = 0; lead < spec_.horizon && has_band_; ++lead) {
        const double scored = std::max<int64_t>(1, scores.model_by_horizon[lead].count);
        scores.band_coverage.push_back(inside_[i * spec_.horizon + lead] / scored);
      }
      auto& all = scores.by_series;
      all.erase(std::remove_if(all.begin(), all.end(), [](const auto& one) { return one.model.count == 0; }),
                all.end());
    }
    result_.losses.model /= std::max(1.0, losses_);
    result_.losses.persistence /= std::max(1.0, losses_);
    result_.losses.seasonal /= std::max(1.0, seasonal_losses_);
    result_.cross_entropy /= count;
    result_.accuracy /= count;
    result_.frequent_accuracy /= count;
    return std::move(result_);
  }

 private:
  // What a float stands for, in the file's units.
  double Raw(size_t series, size_t column, double sent) const {
    const ColumnUnit& unit = dataset_.unit(series, column);
    return unit.offset + unit.scale * sent;
  }

  double LevelStd(size_t output) const {
    const size_t column = dataset_.target_column(output);
    Moments moments;
    for (const Segment& part : dataset_.segments(Dataset::kTraining)) {
      for (int64_t t = part.begin; t < part.end; ++t) {
        if (dataset_.present(part.series, t, column))
          moments.Add(Raw(part.series, column, dataset_.value(part.series, t, column)));
      }
    }
    return moments.std() > 0 ? moments.std() : 1;
  }

  // Returns the mean change over a season in the training part of a series, as MASE wants it.
  double NaiveStep(size_t series, size_t output, int64_t season) const {
    const size_t column = dataset_.target_column(output);
    const int64_t lag = std::max<int64_t>(1, season);
    Errors changes;
    for (const Segment& part : dataset_.segments(Dataset::kTraining)) {
      if (part.series != series) continue;
      for (int64_t t = part.begin + lag; t < part.end; ++t) {
        const double change = dataset_.value(series, t, column) - dataset_.value(series, t - lag, column);
        changes.Add(change * dataset_.unit(series, column).scale);
      }
    }
    return changes.mae();
  }

  void ScoreValue(size_t series, int64_t t, int64_t ahead, size_t i, const float* values) {
    OutputScores& scores = result_.outputs[i];
    const size_t column = dataset_.target_column(i);
    // What was filled in is not scored, nor is a change from it.
    if (!dataset_.present(series, t + ahead, column) || !dataset_.present(series, t, column)) return;
    const double actual = dataset_.value(series, t + ahead, column), now = dataset_.value(series, t, column);
    const double scale = dataset_.unit(series, column).scale;
    SeriesScores& own = scores.by_series[series];
    const auto loss = [std = dataset_.spec().outputs[i].std](double error) { return error * error / (std * std); };
    ++losses_;
    result_.losses.model += loss(values[point_] - actual);
    result_.losses.persistence += loss(now - actual);
    const auto add = [&](double error, std::initializer_list<Errors*> all) {
      for (Errors* errors : all) errors->Add(error * scale);
    };
    add(values[point_] - actual, {&scores.model, &scores.model_by_horizon[ahead - 1], &own.model});
    add(now - actual, {&scores.persistence, &scores.persistence_by_horizon[ahead - 1], &own.persistence});
    if (result_.season > 0) {
      const int64_t seasons = (ahead + result_.season - 1) / result_.season;
      const int64_t before = t + ahead - seasons * result_.season;
      if (before >= 0) {
        const double seasonal = dataset_.value(series, before, column);
        ++seasonal_losses_;
        result_.losses.seasonal += loss(seasonal - actual);
        add(seasonal - actual, {&scores.seasonal, &scores.seasonal_by_horizon[ahead - 1], &own.seasonal});
      }
    }
    for (size_t k = 0; k < asked_quantiles_.size(); ++k) {
      scores.coverage[asked_quantiles_[k]] += actual <= QuantileOf(values, k) ? 1 : 0;
    }
    if (has_band_ && actual >= QuantileOf(values, 0) && actual <= QuantileOf(values, asked_quantiles_.size() - 1)) {
      ++inside_[i * spec_.horizon + ahead - 1];
    }
    if (i == 0 && ahead == 1) AddToLine(series, t, values);
  }

  double QuantileOf(const float* values, size_t k) const {
    if (spec_.head == Head::kQuantile) return values[k];
    return values[0] + values[1] * normal_quantiles_[k];
  }

  void AddToLine(size_t series, int64_t t, const float* values) {
    ForecastLine& line = result_.line;
    if (line.actual.empty()) {
      line_series_ = series;
      line.name = result_.outputs[0].name;
    }
    if (series != line_series_) return;
    const size_t column = dataset_.target_column(0);
    const Series& source = dataset_.set().series[series];
    if (!source.times.empty()) line.times.push_back(source.times[t + 1]);
    line.actual.push_back(Raw(series, column, dataset_.value(series, t + 1, column)));
    line.forecast.push_back(Raw(series, column, values[point_]));
    if (!has_band_) return;
    line.lower.push_back(Raw(series, column, QuantileOf(values, 0)));
    line.upper.push_back(Raw(series, column, QuantileOf(values, asked_quantiles_.size() - 1)));
  }

  void ScoreToken(size_t series, int64_t t, const float* probabilities) {
    const auto next = static_cast<size_t>(dataset_.value(series, t + 1, 0));
    result_.cross_entropy -= std::log(std::max(probabilities[next], 1e-30f));
    const size_t guess = std::max_element(probabilities, probabilities + spec_.outputs.size()) - probabilities;
    result_.accuracy += guess == next ? 1 : 0;
    result_.frequent_accuracy += next == 0 ? 1 : 0;  // ids are in order of frequency
  }

  const Dataset& dataset_;
  const ModelSpec& spec_;
  const size_t point_;
  std::vector<double> asked_quantiles_;
  std::vector<double> normal_quantiles_;  // of the standard normal distribution, one of each asked
  bool has_band_ = false;
  std::vector<double> inside_;  // [outputs][horizon]: values inside the band
  size_t line_series_ = 0;
  double losses_ = 0, seasonal_losses_ = 0;  // how many
  Evaluation result_;
};

// Steps the test parts of one block of series side by side.
absl::Status ScoreBlock(const Dataset& dataset, const Network& network, absl::Span<const Segment> parts,
                        Scorer& scorer) {
  const ModelSpec& spec = network.spec();
  std::vector<std::vector<float>> states(parts.size(), std::vector<float>(spec.state_size()));
  for (std::vector<float>& state : states) {
    if (!network.initial_state().empty()) state = network.initial_state();
  }
  std::vector<std::vector<float>> outputs(parts.size(), std::vector<float>(spec.output_size()));
  std::vector<StepRow> rows;
  int64_t end = 0;
  for (const Segment& part : parts) end = std::max(end, part.end);
  for (int64_t t = 0; t < end; ++t) {
    rows.clear();
    for (size_t i = 0; i < parts.size(); ++i) {
      if (t >= parts[i].end) continue;
      const Series& series = dataset.set().series[parts[i].series];
      StepRow row;
      row.input = &series.values[t * dataset.set().columns.size()];
      row.time = series.times.empty() ? 0 : UnixSeconds(series.times[t]);
      row.state_in = row.state_out = states[i].data();
      row.output = t >= parts[i].begin ? outputs[i].data() : nullptr;
      rows.push_back(row);
    }
    network.Step(absl::MakeSpan(rows));
    for (const StepRow& row : rows) {
      if (!row.finite)
        return absl::InternalError(absl::StrCat("the network's result at timestep ", t, " is not finite"));
    }
    for (size_t i = 0; i < parts.size(); ++i) {
      if (t >= parts[i].begin && t < parts[i].end) scorer.Score(parts[i].series, t, outputs[i].data());
    }
  }
  return absl::OkStatus();
}

}  // namespace

void Errors::Add(double error) {
  absolute += std::abs(error);
  squared += error * error;
  ++count;
}

double Errors::rmse() const { return std::sqrt(mse()); }

OutputScores::Headline OutputScores::headline(bool squared) const {
  const auto error = [squared](const Errors& errors) { return squared ? errors.mse() : errors.mae(); };
  const bool by_season = seasonal.count > 0 && error(seasonal) < error(persistence);
  return {by_season, 1 - error(model) / error(by_season ? seasonal : persistence)};
}

double OutputScores::median_mase() const {
  std::vector<double> all;
  for (const SeriesScores& one : by_series) all.push_back(one.mase());
  if (all.empty()) return 0;
  std::nth_element(all.begin(), all.begin() + all.size() / 2, all.end());
  return all[all.size() / 2];
}

int64_t FindSeason(const Dataset& dataset) {
  const int64_t horizon = dataset.spec().horizon;
  int64_t best = 0;
  double least = HUGE_VAL;
  for (const int64_t season : SeasonsOf(dataset.set().format.step)) {
    double sum = 0, count = 0;
    bool reaches_back = true;
    for (const Segment& part : dataset.segments(Dataset::kValidation)) {
      for (int64_t t = part.begin; t < part.end; ++t) {
        for (int64_t ahead = 1; ahead <= horizon; ++ahead) {
          const int64_t before = t + ahead - (ahead + season - 1) / season * season;
          if (before < 0) {
            reaches_back = false;
            continue;
          }
          const size_t column = dataset.target_column(0);
          sum += std::abs(dataset.value(part.series, before, column) - dataset.value(part.series, t + ahead, column));
          ++count;
        }
      }
    }
    if (!reaches_back || count == 0 || sum / count >= least) continue;
    least = sum / count;
    best = season;
  }
  return best;
}

absl::StatusOr<Evaluation> Evaluate(const Dataset& dataset, const Network& network, int64_t season,
                                    Dataset::Part part) {
  PrepareComputeThread();
  Scorer scorer(dataset, network.spec(), season);
  const absl::Span<const Segment> parts = dataset.segments(part);
  const size_t block = network.max_batch_size();
  for (size_t first = 0; first < parts.size(); first += block) {
    if (absl::Status status = ScoreBlock(dataset, network, parts.subspan(first, block), scorer); !status.ok()) {
      return status;
    }
  }
  return std::move(scorer).Finish();
}

}  // namespace rondo::train
