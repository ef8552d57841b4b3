#include "model/train/scorer.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "model/train/moments.h"

namespace rondo::train {

Scorer::Scorer(const Dataset& dataset, const ModelSpec& spec, int64_t season)
    : dataset_(dataset), spec_(spec), head_(spec), inside_(spec.outputs.size() * spec.horizon) {
  result_.season = season;
  for (size_t i = 0; i < spec.outputs.size() && spec.tokens == 0; ++i) {
    OutputScores scores;
    scores.name = spec.outputs[i].name;
    scores.level_std = LevelStd(i);
    for (const Series& series : dataset.set().series) {
      scores.by_series.push_back({series.name, {}, {}, {}, NaiveStep(scores.by_series.size(), i)});
    }
    for (auto* by_horizon : {&scores.model_by_horizon, &scores.persistence_by_horizon, &scores.seasonal_by_horizon}) {
      by_horizon->resize(spec.horizon);
    }
    result_.outputs.push_back(std::move(scores));
  }
}

void Scorer::Score(size_t series, int64_t t, const float* output) {
  ++result_.timesteps;
  if (spec_.tokens > 0) {
    ScoreToken(series, t, output);
    return;
  }
  OriginLosses origin;
  origin.series = series;
  const double before = losses_;
  for (int64_t ahead = 1; ahead <= spec_.horizon; ++ahead) {
    for (size_t i = 0; i < result_.outputs.size(); ++i, output += spec_.values_per_output()) {
      ScoreValue(series, t, ahead, i, output, &origin);
    }
  }
  if (losses_ > before) result_.origins.push_back(origin);
}

Evaluation Scorer::Finish() && {
  const double count = std::max<int64_t>(1, result_.timesteps);
  for (OutputScores& scores : result_.outputs) {
    for (auto& [quantile, part] : scores.coverage) part /= std::max<int64_t>(1, scores.model.count);
    const size_t i = &scores - result_.outputs.data();
    for (int64_t lead = 0; lead < spec_.horizon && head_.has_band(); ++lead) {
      const double scored = std::max<int64_t>(1, scores.model_by_horizon[lead].count);
      scores.band_coverage.push_back(inside_[i * spec_.horizon + lead] / scored);
    }
    auto& all = scores.by_series;
    all.erase(std::remove_if(all.begin(), all.end(), [](const auto& one) { return one.model.count == 0; }), all.end());
  }
  for (const OriginLosses& origin : result_.origins) {
    result_.losses.model += origin.model;
    result_.losses.persistence += origin.persistence;
    result_.losses.seasonal += origin.seasonal;
  }
  result_.losses.model /= std::max(1.0, losses_);
  result_.losses.persistence /= std::max(1.0, losses_);
  result_.losses.seasonal /= std::max(1.0, seasonal_losses_);
  result_.cross_entropy /= count;
  result_.accuracy /= count;
  result_.frequent_accuracy /= count;
  return std::move(result_);
}

double Scorer::Raw(size_t series, size_t column, double sent) const {
  const ColumnUnit& unit = dataset_.unit(series, column);
  return unit.offset + unit.scale * sent;
}

double Scorer::LevelStd(size_t output) const {
  const size_t column = dataset_.target_column(output);
  Moments moments;
  for (const Segment& part : dataset_.segments(Dataset::kTraining)) {
    for (int64_t t = part.begin; t < part.end; ++t) {
      if (dataset_.present(part.series, t, column)) {
        moments.Add(Raw(part.series, column, dataset_.value(part.series, t, column)));
      }
    }
  }
  return moments.std() > 0 ? moments.std() : 1;
}

double Scorer::NaiveStep(size_t series, size_t output) const {
  const size_t column = dataset_.target_column(output);
  const int64_t lag = std::max<int64_t>(1, result_.season);
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

void Scorer::ScoreValue(size_t series, int64_t t, int64_t ahead, size_t i, const float* values, OriginLosses* origin) {
  OutputScores& scores = result_.outputs[i];
  const size_t column = dataset_.target_column(i);
  // What was filled in is not scored, nor is a change from it.
  if (!dataset_.present(series, t + ahead, column) || !dataset_.present(series, t, column)) return;
  const double actual = dataset_.value(series, t + ahead, column), now = dataset_.value(series, t, column);
  const double scale = dataset_.unit(series, column).scale, point = head_.Point(values);
  SeriesScores& own = scores.by_series[series];
  const double unit = dataset_.spec().outputs[i].std / dataset_.weight(series);
  const auto loss = [unit](double error) { return error * error / (unit * unit); };
  ++losses_;
  origin->model += loss(point - actual);
  origin->persistence += loss(now - actual);
  const auto add = [&](double error, std::initializer_list<Errors*> all) {
    for (Errors* errors : all) errors->Add(error * scale);
  };
  add(point - actual, {&scores.model, &scores.model_by_horizon[ahead - 1], &own.model});
  add(now - actual, {&scores.persistence, &scores.persistence_by_horizon[ahead - 1], &own.persistence});
  const int64_t season = result_.season;
  const int64_t before = season > 0 ? t + ahead - (ahead + season - 1) / season * season : -1;
  if (before >= 0) {
    const double seasonal = dataset_.value(series, before, column);
    ++seasonal_losses_;
    origin->seasonal += loss(seasonal - actual);
    add(seasonal - actual, {&scores.seasonal, &scores.seasonal_by_horizon[ahead - 1], &own.seasonal});
  }
  ScoreBand(actual, ahead, i, values);
  if (i == 0 && ahead == 1) AddToLine(series, t, values);
}

void Scorer::ScoreBand(double actual, int64_t ahead, size_t i, const float* values) {
  for (size_t k = 0; k < head_.quantiles().size(); ++k) {
    result_.outputs[i].coverage[head_.quantiles()[k]] += actual <= head_.QuantileOf(values, k) ? 1 : 0;
  }
  if (head_.has_band() && actual >= head_.Low(values) && actual <= head_.High(values)) {
    ++inside_[i * spec_.horizon + ahead - 1];
  }
}

void Scorer::AddToLine(size_t series, int64_t t, const float* values) {
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
  line.forecast.push_back(Raw(series, column, head_.Point(values)));
  if (!head_.has_band()) return;
  line.lower.push_back(Raw(series, column, head_.Low(values)));
  line.upper.push_back(Raw(series, column, head_.High(values)));
}

void Scorer::ScoreToken(size_t series, int64_t t, const float* probabilities) {
  const auto next = static_cast<size_t>(dataset_.value(series, t + 1, 0));
  result_.cross_entropy -= std::log(std::max(probabilities[next], 1e-30f));
  const size_t guess = std::max_element(probabilities, probabilities + spec_.outputs.size()) - probabilities;
  result_.accuracy += guess == next ? 1 : 0;
  result_.frequent_accuracy += next == 0 ? 1 : 0;  // ids are in order of frequency
}

}  // namespace rondo::train
