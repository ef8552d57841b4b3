#ifndef RONDO_MODEL_TRAIN_SEARCH_H_
#define RONDO_MODEL_TRAIN_SEARCH_H_

#include <functional>

#include "absl/status/status.h"
#include "model/train/options.h"

namespace rondo::train {

// Searches at random (Bergstra and Bengio 2012): trains with the settings given, then with --search random ones of
// cell, layers, hidden size, window, batch size, learning rate, weight decay and dropout, until the time is up or
// `stop`, and leaves those with the least validation loss in `options`, named in its texts. A setting that diverges, or
// is still under way when the time is up, loses. REQUIRES: the window is chosen. Prints a line for each to stderr.
absl::Status ChooseSettings(const Dataset& dataset, const std::function<bool()>& stop, TrainOptions* options);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_SEARCH_H_
