#ifndef RONDO_MODEL_TRAIN_DATASET_H_
#define RONDO_MODEL_TRAIN_DATASET_H_

#include <array>
#include <cstdint>
#include <memory>
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
  std::vector<InputSource> sources;  // of the inputs: one each, or empty where each is its own column's number
  std::optional<std::vector<Calendar>> calendar;  // absent: what fits the length of a step; needs times
  Predict predict = Predict::kAuto;
  int64_t horizon = 1;                           // timesteps ahead, each predicted directly
  double validation = 0.15;                      // fraction of each series, before the test part
  double test = 0.25;                            // fraction of each series, its end
  std::vector<std::string> token_names;          // token text only; inputs and targets are then empty
  std::shared_ptr<const Vocabulary> vocabulary;  // of its tokens; null: it has none
  // Takes the statistics of this model's inputs and outputs, by name, instead of those of the data.
  std::optional<ModelSpec> known;
  bool one_part = false;  // every part is the whole of each series: to score a model that has been trained elsewhere
};

// Holds series that are ready to learn from: split by time, and standardised by statistics of the training part alone.
//
// Timestep t sees the inputs up to t and has the targets of t+1 .. t+horizon. It belongs to the part of the series that
// all those targets lie in, so that no part knows of a later one. A token text of many lines is split by lines instead.
// Immutable; any thread.
class Dataset {
 public:
  enum Part { kTraining, kValidation, kTest, kTrainingAndValidation };

  // Splits and standardises; leaves inputs out that never vary, and says so in the set's notes. INVALID_ARGUMENT: there
  // are too few rows, a target or every input is constant, or the calendar lacks times.
  static absl::StatusOr<Dataset> Create(SeriesSet set, DatasetOptions options);

  // Returns what the data says of a model: inputs, calendar, outputs, horizon, feedback and step. Cell, sizes and head
  // are not set.
  const ModelSpec& spec() const { return spec_; }
  const SeriesSet& set() const { return set_; }
  // Returns a copy whose training and validation part are other segments; statistics and the other parts stay.
  Dataset WithParts(std::vector<Segment> training, std::vector<Segment> validation) const;
  // Returns a copy with one more input for each series, behind the others: 1 in that series, else 0. REQUIRES: the
  // file names its series, and its timesteps are no tokens.
  Dataset WithSeriesInputs() const;
  // Returns the timesteps of a part, per series in order. Empty ranges are left out.
  const std::vector<Segment>& segments(Part part) const { return segments_[part]; }
  int64_t timesteps(Part part) const;
  int64_t longest_segment(Part part) const;
  int64_t targets_per_timestep() const { return targets_per_timestep_; }

  // Returns a column of SeriesSet at a timestep, as it is sent.
  float value(size_t series, int64_t timestep, size_t column) const {
    return set_.series[series].values[timestep * set_.columns.size() + column];
  }
  // Tells whether the file has a value there.
  bool present(size_t series, int64_t timestep, size_t column) const {
    const std::vector<uint8_t>& present = set_.series[series].present;
    return present.empty() || present[timestep * set_.columns.size() + column] != 0;
  }
  // Returns the unit that a column of a series is sent in.
  const ColumnUnit& unit(size_t series, size_t column) const { return units_[series * set_.columns.size() + column]; }
  // Returns what an error of a series counts beside those of the others: with several series, one over the error of the
  // best naive rule on its training part, so that those that can be told well are told well.
  double weight(size_t series) const { return weights_.empty() ? 1 : weights_[series]; }
  // Returns the column of an output.
  size_t target_column(size_t output) const { return target_columns_[output]; }

  // Returns what the first layer sees of a series: [timesteps][feature_size], the inputs first, then the calendar.
  absl::Span<const float> features(size_t series) const { return features_[series]; }
  // Returns an output's target as it is sent: the value `ahead` timesteps later, or its change from the value at
  // `timestep`. NaN: the file has no value for it.
  double RawTarget(size_t series, int64_t timestep, int64_t ahead, size_t output) const;

  // Puts the windows side by side: [timesteps][windows.size()]. Timesteps that a window lacks are 0 and masked; so are
  // those without any target, and a target that the file has no value for is NaN.
  void Fill(absl::Span<const Window> windows, int64_t timesteps, Batch* batch) const;

 private:
  absl::Status DescribeInputs(const DatasetOptions& options);
  absl::Status DescribeOutputs(const DatasetOptions& options);
  void DescribeTokens(const DatasetOptions& options);
  void LeaveOutConstants(DatasetOptions* options);
  absl::Status Standardise();

  SeriesSet set_;
  std::vector<ColumnUnit> units_;  // [series][columns]
  ModelSpec spec_;
  std::vector<size_t> target_columns_, added_columns_;  // one an output; kNoColumn: nothing is added
  int64_t targets_per_timestep_ = 1;
  std::array<std::vector<Segment>, 4> segments_;
  std::vector<double> weights_;                         // per series; none: 1
  std::vector<std::vector<float>> features_, targets_;  // per series: [timesteps][feature_size], [timesteps][targets]
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_DATASET_H_
