#ifndef RONDO_MODEL_TRAIN_EVALUATION_H_
#define RONDO_MODEL_TRAIN_EVALUATION_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/network.h"
#include "model/train/dataset.h"

namespace rondo::train {

// Sums the errors of one forecaster, in the file's units.
struct Errors {
  double absolute = 0, squared = 0;
  int64_t count = 0;

  void Add(double error);
  double mae() const { return count == 0 ? 0 : absolute / count; }
  double mse() const { return count == 0 ? 0 : squared / count; }
  double rmse() const;
};

// Says how well one output of one series is forecast. `naive`: the better of the two rules.
struct SeriesScores {
  std::string series;
  Errors model, persistence, seasonal;
  double naive_step = 0;  // mean |change| over one season (one timestep without) in the training part: MASE's unit

  const Errors& naive() const {
    return seasonal.count > 0 && seasonal.mae() < persistence.mae() ? seasonal : persistence;
  }
  double skill() const { return 1 - model.mae() / naive().mae(); }
  double mase() const { return model.mae() / naive_step; }  // Hyndman and Koehler 2006
};

// Says how well one output is forecast over the test part, and how well by rules that need no learning. All series
// count together; `by_series` tells them apart.
struct OutputScores {
  std::string name;
  double level_std = 1;  // of the target itself in the training part: the unit of the standardised scores
  Errors model, persistence, seasonal;  // persistence: the value now; seasonal: the value one season before
  std::vector<SeriesScores> by_series;  // of those that have a test part
  std::vector<double> band_coverage;    // by horizon: part of the values inside the head's 80% band; empty: it has none
  std::vector<Errors> model_by_horizon, persistence_by_horizon, seasonal_by_horizon;
  std::map<double, double> coverage;  // quantile -> part of the test values at or below it

  // Returns 1 - MAE / MAE of the rule: above 0 the model is better than the rule.
  double skill() const { return 1 - model.mae() / persistence.mae(); }
  double seasonal_skill() const { return 1 - model.mae() / seasonal.mae(); }
  // Says how the model compares with the better of the two rules, in the metric of the loss.
  struct Headline {
    bool seasonal;  // the seasonal rule is the better one
    double skill;   // 1 - error / error of that rule
  };
  Headline headline(bool squared) const;
  // The median of MASE over the series.
  double median_mase() const;
};

// Holds what a chart shows: the first output one timestep ahead, over the test part of the first series that has one.
struct ForecastLine {
  std::string name;
  std::vector<int64_t> times;                          // of the forecast value, unix microseconds; empty if unknown
  std::vector<double> actual, forecast, lower, upper;  // lower and upper: the widest band, if the head has one
};

// Holds mean squared errors: each target in standard deviations of what is learned, times Dataset::weight.
struct Losses {
  double model = 0, persistence = 0, seasonal = 0;
};

// Sums the losses of all that was forecast from one timestep of one series.
struct OriginLosses {
  size_t series = 0;
  double model = 0, persistence = 0, seasonal = 0;
};

struct Evaluation {
  int64_t timesteps = 0;
  int64_t season = 0;    // 0: no seasonal rule
  bool squared = false;  // the headline compares squared errors, as the loss does; else absolute ones
  std::vector<OutputScores> outputs;
  Losses losses;
  std::vector<OriginLosses> origins;  // in order of time; none without targets
  ForecastLine line;
  // Only token models have these: the mean -log p of the next token in nats, the part guessed right, and the part that
  // guessing the most frequent token gets right.
  double cross_entropy = 0, accuracy = 0, frequent_accuracy = 0;
};

// Steps `network` through every series from its first timestep, as a session of the server would, and scores what it
// says over a part. `season` in timesteps; 0: none. INTERNAL: the network's result is not finite.
//
// Threads: prepares the calling thread for Network (PrepareComputeThread), so call it from a thread of its own.
absl::StatusOr<Evaluation> Evaluate(const Dataset& dataset, const Network& network, int64_t season,
                                    Dataset::Part part = Dataset::kTest);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_EVALUATION_H_
