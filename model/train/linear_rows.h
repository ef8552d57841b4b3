#ifndef RONDO_MODEL_TRAIN_LINEAR_ROWS_H_
#define RONDO_MODEL_TRAIN_LINEAR_ROWS_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "model/train/dataset.h"
#include "model/train/ridge.h"

namespace rondo::train {

// What a linear network reads of the past.
//
// kOwnWindow     each target reads its own last values, each minus the newest; one layer for all targets (as NLinear,
//                Zeng et al. 2023)
// kOwnLogWindow  as kOwnWindow, of the logarithms: what grows by parts of itself
// kAllWindows    each target reads the last values of every input, and the calendar. If targets are changes, the values
//                minus the newest, and the newest itself
enum class LinearKind { kOwnWindow, kOwnLogWindow, kAllWindows };

// Returns how many inputs, the first ones, have windows: all but categories and what is known of later timesteps than
// the next, whose windows the next one's would repeat.
int64_t NumWindowed(const ModelSpec& spec);

// Tells whether this kind can be had of a dataset.
bool CanBeLinear(const Dataset& dataset, LinearKind kind);

// Makes the rows of features and targets of one kind of network and length of window.
//
// Ownership: borrows the dataset.
class LinearRows {
 public:
  // REQUIRES: CanBeLinear(dataset, kind).
  LinearRows(const Dataset& dataset, LinearKind kind, int64_t length);

  LinearKind kind() const { return kind_; }
  int64_t length() const { return length_; }
  bool own() const { return kind_ != LinearKind::kAllWindows; }
  // Tells whether values in a window are differences to the newest.
  bool minus_newest() const { return own() || !spec_.outputs[0].added_to.empty(); }
  int64_t num_windows() const { return num_windows_; }
  int64_t num_outputs() const { return static_cast<int64_t>(spec_.outputs.size()); }
  // Returns how many features stand behind the windows: the calendar, the inputs without a window, and with
  // minus_newest the newest value of each other one.
  int64_t num_others() const;
  // Returns which features are the newest values of targets, as they are: those that a series' own level shows in.
  std::vector<int64_t> Levels() const;
  int64_t features() const { return own() ? length_ : num_windows_ * length_ + num_others(); }
  int64_t targets() const { return own() ? spec_.horizon : spec_.horizon * num_outputs(); }
  int64_t input_of_target(int64_t output) const { return inputs_of_targets_[output]; }
  // Returns what a target is standardised by.
  double mean(int64_t output) const { return means_[output]; }
  double std(int64_t output) const { return stds_[output]; }

  // Returns the weights, [targets][features], that say the value one season before, or with `change` that value and the
  // change since then. Nothing: the window is too short, or windows are not minus_newest.
  std::vector<double> SeasonalWeights(int64_t season, bool change) const;

  // Sums the rows of every `stride`th timestep of some segments; with `complete` those alone whose window lies in the
  // series. False: stopped.
  bool Add(absl::Span<const Segment> segments, int64_t stride, bool complete, const std::function<bool()>& stop,
           RidgeSums* sums) const;

 private:
  // Adds nothing if a target is missing.
  void AddRow(size_t series, int64_t t, int64_t output, std::vector<float>* x, std::vector<float>* y) const;
  bool AddTargets(size_t series, int64_t t, int64_t output, std::vector<float>* y) const;

  const Dataset& dataset_;
  const ModelSpec& spec_;
  const LinearKind kind_;
  const int64_t length_, num_windows_;
  std::vector<int64_t> inputs_of_targets_;
  std::vector<double> means_, stds_;  // of the targets
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LINEAR_ROWS_H_
