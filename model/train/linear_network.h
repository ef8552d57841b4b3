#ifndef RONDO_MODEL_TRAIN_LINEAR_NETWORK_H_
#define RONDO_MODEL_TRAIN_LINEAR_NETWORK_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "model/train/dataset.h"
#include "model/train/linear_rows.h"
#include "model/train/ridge.h"
#include "model/train/rolling_origin.h"

namespace rondo::train {

// A linear layer on windows of the last values, all standardised.
struct LinearNetwork {
  LinearKind kind = LinearKind::kOwnWindow;
  int64_t length = 0;    // timesteps of a window
  RidgePenalty penalty;  // of the longest window
  // Mean squared, of the standardised targets, before the refit; of a mean at most so much. With folds: the
  // error over all of them in parts of that of zeros (ErrorOverFolds), times that of zeros on the validation part.
  double validation_error = 0;
  LinearLayer layer;                 // of the training part
  std::vector<LinearLayer> earlier;  // of the training part of each of LinearOptions::folds; empty: it has too few rows
  LinearLayer refitted;              // of the training and the validation part; with LinearOptions::refit
};

struct LinearOptions {
  int64_t window_inputs = 0;   // 0: chosen
  int64_t longest = 0;         // of the windows that it is chosen among; 0: no other bound than that of all
  int64_t season = 0;          // timesteps; 0: none
  bool refit = true;           // fit again on the training and the validation part
  std::vector<Fold> folds;     // before the validation part; their errors count too
  std::function<bool()> stop;  // asked now and then; true ends the fit
};

// Fits by ridge regression in closed form. For each length, the penalty and what it draws to (the value now, the value
// one season before, or that and the change since then) are those that err least on the validation part and on those of
// the folds. The level of a series is read only where that errs clearly less: within a short time any level seems to
// come back to its mean. The mean of all lengths whose error is within 5 % of the least is returned; where the longest
// of them has many rows for each of its weights, of those at least half as long.
//
// Returns nothing if this dataset can have no network of this kind (CanBeLinear), or if the fit was stopped.
std::optional<LinearNetwork> FitLinear(const Dataset& dataset, LinearKind kind, const LinearOptions& options);

// Linear networks of one kind and length of window, one for each series.
struct SeriesLayers {
  LinearKind kind = LinearKind::kOwnWindow;
  int64_t length = 0;
  // One of each series, as LinearNetwork has them; of zeros where a series, or its part of a fold, is too short to be
  // fitted.
  std::vector<LinearLayer> layers, refitted;
  std::vector<std::vector<LinearLayer>> earlier;  // [folds][series]
};

// Fits each series by itself as FitLinear does. Nothing: none can be fitted, or the fit was stopped.
std::optional<SeriesLayers> FitEachSeries(const Dataset& dataset, LinearKind kind, const LinearOptions& options);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LINEAR_NETWORK_H_
