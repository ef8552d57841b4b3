#include "model/train/evaluation.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "model/compute_thread.h"

namespace rondo::train {
namespace {

constexpr double kBandQuantile = 1.2815515655446004;  // of the standard normal at 0.9: a gaussian head's 80% band

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
      for (auto* by_horizon : {&scores.model_by_horizon, &scores.persistence_by_horizon, &scores.seasonal_by_horizon}) {
        by_horizon->resize(spec.horizon);
      }
      result_.outputs.push_back(std::move(scores));
    }
    if (spec.head == Head::kQuantile) asked_quantiles_ = spec.quantiles;
    if (spec.head == Head::kGaussian) asked_quantiles_ = {0.1, 0.5, 0.9};
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
      for (auto& [quantile, part] : scores.coverage) part /= scores.model.count;
    }
    result_.cross_entropy /= count;
    result_.accuracy /= count;
    result_.frequent_accuracy /= count;
    return std::move(result_);
  }

 private:
  double LevelStd(size_t output) const {
    const size_t column = dataset_.target_column(output);
    double count = 0, sum = 0, squares = 0;
    for (const Segment& part : dataset_.segments(Dataset::kTraining)) {
      for (int64_t t = part.begin; t < part.end; ++t, ++count) sum += dataset_.value(part.series, t, column);
    }
    for (const Segment& part : dataset_.segments(Dataset::kTraining)) {
      for (int64_t t = part.begin; t < part.end; ++t) {
        squares += std::pow(dataset_.value(part.series, t, column) - sum / count, 2);
      }
    }
    return squares == 0 ? 1 : std::sqrt(squares / count);
  }

  void ScoreValue(size_t series, int64_t t, int64_t ahead, size_t i, const float* values) {
    OutputScores& scores = result_.outputs[i];
    const size_t column = dataset_.target_column(i);
    const double actual = dataset_.value(series, t + ahead, column), now = dataset_.value(series, t, column);
    scores.model.Add(values[point_] - actual);
    scores.model_by_horizon[ahead - 1].Add(values[point_] - actual);
    scores.persistence.Add(now - actual);
    scores.persistence_by_horizon[ahead - 1].Add(now - actual);
    if (result_.season > 0) {
      const int64_t seasons = (ahead + result_.season - 1) / result_.season;
      const int64_t before = t + ahead - seasons * result_.season;
      if (before >= 0) {
        const double seasonal = dataset_.value(series, before, column);
        scores.seasonal.Add(seasonal - actual);
        scores.seasonal_by_horizon[ahead - 1].Add(seasonal - actual);
      }
    }
    for (size_t k = 0; k < asked_quantiles_.size(); ++k) {
      const double limit = spec_.head == Head::kQuantile
                               ? values[k]
                               : values[0] + values[1] * StandardNormalQuantile(asked_quantiles_[k]);
      scores.coverage[asked_quantiles_[k]] += actual <= limit ? 1 : 0;
    }
    if (i == 0 && ahead == 1) AddToLine(series, t, actual, values);
  }

  void AddToLine(size_t series, int64_t t, double actual, const float* values) {
    ForecastLine& line = result_.line;
    if (line.actual.empty()) {
      line_series_ = series;
      line.name = result_.outputs[0].name;
    }
    if (series != line_series_) return;
    const Series& source = dataset_.set().series[series];
    if (!source.times.empty()) line.times.push_back(source.times[t + 1]);
    line.actual.push_back(actual);
    line.forecast.push_back(values[point_]);
    if (spec_.head == Head::kGaussian) {
      line.lower.push_back(values[0] - kBandQuantile * values[1]);
      line.upper.push_back(values[0] + kBandQuantile * values[1]);
    } else if (spec_.head == Head::kQuantile && spec_.quantiles.size() > 1) {
      line.lower.push_back(values[0]);
      line.upper.push_back(values[spec_.quantiles.size() - 1]);
    }
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
  size_t line_series_ = 0;
  Evaluation result_;
};

// Steps the test parts of one block of series side by side.
absl::Status ScoreBlock(const Dataset& dataset, const Network& network, absl::Span<const Segment> parts,
                        Scorer& scorer) {
  const ModelSpec& spec = network.spec();
  std::vector<std::vector<float>> states(parts.size(), std::vector<float>(spec.state_size()));
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
      row.time = series.times.empty() ? 0 : series.times[t];
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

absl::StatusOr<Evaluation> Evaluate(const Dataset& dataset, const Network& network, int64_t season) {
  PrepareComputeThread();
  Scorer scorer(dataset, network.spec(), season);
  const absl::Span<const Segment> parts = dataset.segments(Dataset::kTest);
  const size_t block = network.max_batch_size();
  for (size_t first = 0; first < parts.size(); first += block) {
    if (absl::Status status = ScoreBlock(dataset, network, parts.subspan(first, block), scorer); !status.ok()) {
      return status;
    }
  }
  return std::move(scorer).Finish();
}

}  // namespace rondo::train
