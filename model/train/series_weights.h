#ifndef RONDO_MODEL_TRAIN_SERIES_WEIGHTS_H_
#define RONDO_MODEL_TRAIN_SERIES_WEIGHTS_H_

#include <vector>

#include "model/train/dataset.h"

namespace rondo::train {

// Returns what an error of each series counts (Dataset::weight), so that their squares are 1 in the mean of the series
// that have a training part; none where there is one series alone, or tokens. REQUIRES: the dataset is split, and its
// outputs are described.
std::vector<double> SeriesWeights(const Dataset& dataset);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_SERIES_WEIGHTS_H_
