#ifndef RONDO_MODEL_TRAIN_DATASET_H_
#define RONDO_MODEL_TRAIN_DATASET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/model_spec.h"
#include "model/train/backprop.h"
#include "model/train/loss.h"
#include "model/train/series.h"
#include "model/train/windows.h"

namespace rondo::train {

// Says whether a target is predicted as a change from its own value now or as it is. kAuto takes the change where the
// target is also an input.
enum class Predict { kAuto, kChange, kValue };

struct DatasetOptions {
  std::vector<std::string> inputs;
  std::vector<std::string> targets;
  std::optional<std::vector<Calendar>> calendar;  // absent: what fits the length of a step; needs times
  Predict predict = Predict::kAuto;
  int64_t horizon = 1;                   // timesteps ahead, each predicted directly
  double validation = 0.15;              // fraction of each series, before the test part
  double test = 0.25;                    // fraction of each series, its end
  std::vector<std::string> token_names;  // token text only; inputs and targets are then empty
};

// Holds series that are ready to learn from: split by time, and standardised by statistics of the training part alone.
//
// Timestep t sees the inputs up to t and has the targets of t+1 .. t+horizon. It belongs to the part of the series that
// all those targets lie in, so that no part knows of a later one. A token text of many lines is split by lines instead.
// Immutable; any thread.
class Dataset {
 public:
  enum Part { kTraining, kValidation, kTest, kTrainingAndValidation };

  // Splits and standardises. INVALID_ARGUMENT: a part has no timestep, a column is constant, or the calendar lacks
  // times.
  static absl::StatusOr<Dataset> Create(SeriesSet set, const DatasetOptions& options);

  // Returns what the data says of a model: inputs, calendar, outputs, horizon, feedback and step. Cell, sizes and head
  // are not set.
  const ModelSpec& spec() const { return spec_; }
  const SeriesSet& set() const { return set_; }
  // Returns the timesteps of a part, per series in order. Empty ranges are left out.
  const std::vector<Segment>& segments(Part part) const { return segments_[part]; }
  int64_t timesteps(Part part) const;
  int64_t longest_segment(Part part) const;
  int64_t targets_per_timestep() const { return targets_per_timestep_; }

  // Returns a column of SeriesSet at a timestep, in raw units.
  float value(size_t series, int64_t timestep, size_t column) const {
    return set_.series[series].values[timestep * set_.columns.size() + column];
  }
  // Returns the column of an output.
  size_t target_column(size_t output) const { return target_columns_[output]; }

  // Puts the windows side by side: [timesteps][windows.size()]. Timesteps that a window lacks are
  // 0 and masked.
  void Fill(absl::Span<const Window> windows, int64_t timesteps, Batch* batch) const;

 private:
  absl::Status DescribeInputs(const DatasetOptions& options);
  absl::Status DescribeOutputs(const DatasetOptions& options);
  void DescribeTokens(const DatasetOptions& options);
  absl::Status Split(const DatasetOptions& options);
  void SplitLines(const DatasetOptions& options);
  absl::Status Standardise();
  double RawTarget(size_t series, int64_t timestep, int64_t ahead, size_t output) const;

  SeriesSet set_;
  ModelSpec spec_;
  std::vector<size_t> target_columns_, added_columns_;  // one an output; kNoColumn: nothing is added
  int64_t targets_per_timestep_ = 1;
  std::vector<Segment> segments_[4];
  std::vector<std::vector<float>> features_, targets_;  // per series: [timesteps][feature_size], [timesteps][targets]
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_DATASET_H_
