#ifndef RONDO_MODEL_TRAIN_LINEAR_NETWORK_H_
#define RONDO_MODEL_TRAIN_LINEAR_NETWORK_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/train/dataset.h"
#include "model/train/ridge.h"
#include "nlohmann/json.hpp"

namespace rondo::train {

// What a linear network reads of the past.
//
// kOwnWindow   each target reads its own last values, each minus the newest; one layer for all targets (as NLinear,
//              Zeng et al. 2023)
// kAllWindows  each target reads the last values of every input, and the calendar
enum class LinearKind { kOwnWindow, kAllWindows };

// A linear layer on windows of the last values, all standardised.
struct LinearNetwork {
  LinearKind kind = LinearKind::kOwnWindow;
  int64_t length = 0;           // timesteps of a window
  double penalty = 0;           // of the ridge regression
  double validation_error = 0;  // mean squared, of the standardised targets, before the refit
  LinearLayer layer;            // of the training part
  LinearLayer refitted;         // of the training and the validation part; with LinearOptions::refit
};

struct LinearOptions {
  int64_t window_inputs = 0;   // 0: chosen on the validation part
  bool refit = true;           // fit again on the training and the validation part
  std::function<bool()> stop;  // asked now and then; true ends the fit
};

// Tells whether this kind can be had of a dataset.
bool CanBeLinear(const Dataset& dataset, LinearKind kind);

// Fits by ridge regression in closed form; length and penalty are those with the least error on the validation part.
// Nothing: this kind cannot be had of this dataset (targets that are not inputs, or more of them than a model takes),
// or it was stopped.
std::optional<LinearNetwork> FitLinear(const Dataset& dataset, LinearKind kind, const LinearOptions& options);

// Says what a network is in a model file of format 2.
struct LinearGraph {  // NOLINT(bugprone-exception-escape): moving a Json value only asserts
  nlohmann::ordered_json elements;
  std::string output;                                               // the name of the element that answers
  std::vector<std::pair<std::string, std::vector<float>>> tensors;  // "ELEMENT.slot" and its values
  std::vector<OutputFeature> outputs;
};
LinearGraph GraphOf(const Dataset& dataset, const LinearNetwork& network);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LINEAR_NETWORK_H_
