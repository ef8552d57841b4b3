#ifndef RONDO_MODEL_TRAIN_ROLLING_ORIGIN_H_
#define RONDO_MODEL_TRAIN_ROLLING_ORIGIN_H_

#include <vector>

#include "model/train/dataset.h"

namespace rondo::train {

// A stretch of each series that is forecast, and what is learned from: timesteps on either side of it (what a linear
// layer on past values learns there is as good as what it learns before it, Bergmeir, Hyndman and Koo 2018), or those
// before it alone.
struct Fold {
  std::vector<Segment> validation, around, before;
};

// Cuts the training part of a short dataset into stretches as long as the validation part, and returns the last of
// them, in order of time: together with the validation part they tell more of a network than that part alone. What is
// around a stretch is as long as the training part. None: the dataset is long enough to do without, or too short.
std::vector<Fold> EarlierFolds(const Dataset& dataset);

double Sum(const std::vector<double>& errors);

// Returns the mean of a network's errors over folds in parts of those of another forecast, the last fold counting as
// much as all before it. A fold that the other forecast errs little on counts less, so that it does not decide alone.
double ErrorOverFolds(const std::vector<double>& errors, const std::vector<double>& of_other);

// Returns the ratio of two squared errors below which the smaller one is clearly so, for a network that reads the level
// of a series. Within a short time any level seems to come back to its mean: ordinary regression explains about this
// part of the squared changes of a random walk by its level (Dickey and Fuller 1979).
double ClearlyLess(const Dataset& dataset);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_ROLLING_ORIGIN_H_
