#ifndef RONDO_MODEL_TRAIN_LADDER_H_
#define RONDO_MODEL_TRAIN_LADDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "model/model_file.h"
#include "model/train/dataset.h"
#include "model/train/each_series.h"
#include "model/train/linear_graph.h"
#include "model/train/linear_network.h"
#include "model/train/options.h"
#include "model/train/rolling_origin.h"

namespace rondo::train {

// One network that was tried: the simplest stand first.
struct Rung {
  std::string name;
  double validation_error = 0;  // mean squared, in the unit of the trainer's loss
  bool chosen = false;
};

// Networks from the simplest to the largest, each judged on the validation part: repeating the value now, repeating the
// season before, linear layers on each target's own window, of values and of logarithms, one on all windows, a
// recurrent network, the mean of those that are about as good, and between the best of them and a naive rule as far as
// the validation part is too short to tell them apart.
//
// Ownership: borrows the dataset.
// Threads:   one, after PrepareTrainingThread.
class Ladder {
 public:
  Ladder(const Dataset& dataset, int64_t season);

  // Fits and judges the linear networks; there may be none for this dataset. Errors as EvaluateModel.
  absl::Status AddLinear(const TrainOptions& options, const std::function<bool()>& stop);
  // Adds a recurrent network whose error is known; beside other networks it is judged as they are. `before_refit` are
  // its weights when it was judged. Errors as EvaluateModel.
  absl::Status AddRecurrent(std::string name, double validation_error, const Weights& before_refit, ModelFile model);
  // Adds the mean of the linear and recurrent networks whose error is near the least one, and of the linear ones among
  // them. Errors as EvaluateModel.
  absl::Status AddMeans();
  // Adds the mean of the network that would be chosen and the best naive rule, in the parts that NetworkPart says, or
  // decides for one of both. Errors as EvaluateModel.
  absl::Status AddDrawn();

  // Of several series, adds the mean that weighs networks for each of them, some of which are fitted to that series
  // alone; it is chosen if it is better than what all would share. Errors as EvaluateModel.
  absl::Status AddOfEachSeries(const TrainOptions& options, const std::function<bool()>& stop);

  bool empty() const { return rungs_.empty(); }
  int64_t season() const { return season_; }
  // Marks the network of AddDrawn or AddOfEachSeries; without one the simplest network whose error is within 1 % of the
  // least one, or instead of one that learned their mean if it is within 3 %. Returns its model. REQUIRES: !empty().
  const ModelFile& Choose();
  const std::vector<Rung>& rungs() const { return rungs_; }
  // Tells whether what Choose has returned has the inputs of Dataset::WithSeriesInputs.
  bool knows_series() const;

 private:
  // What a rung is besides what the report shows of it.
  struct Network {
    ModelFile model;
    // One list for each fold and, last, one for the validation part, with a loss for each timestep in order of time.
    // The list of a part that it was not judged on is empty.
    std::vector<std::vector<double>> losses;
    std::vector<LadderPart> parts;  // whose mean it is; none: it cannot be part of a mean
    bool is_rule = false;
    double recurrent_part = 0;          // of what it answers, how much comes from a recurrent network
    std::vector<size_t> rungs = {};     // of each part; none: it is its own
    std::vector<double> weights = {1};  // of each part
    bool knows_series = false;          // its inputs are those of Dataset::WithSeriesInputs
  };

  LinearOptions OptionsOfLinear(const TrainOptions& options, const std::function<bool()>& stop) const;
  absl::Status AddNaive();
  absl::Status AddLinearOf(LinearKind kind, const LinearOptions& options);
  // Judges and adds the weighted mean of some networks; nothing is added if it would be too large.
  absl::Status AddWeighted(std::string name, std::vector<size_t> rungs, const std::vector<double>& weights);
  // Judges the weighted mean of some networks on every fold and on the validation part; on a fold that of those that
  // were fitted there, and nothing where none was. Stops where that mean would be too large. Weights sum to 1.
  absl::StatusOr<std::vector<std::vector<double>>> JudgeAll(const std::vector<LadderPart>& parts,
                                                            const std::vector<double>& weights) const;
  // Returns a network's squared error on the validation part; with folds, that of the value now there times the
  // network's part of it over all (ErrorOverFolds). Of one that was not fitted to the folds, that of the best network
  // so far times the ratio of both on the validation part.
  double ErrorOf(const Network& network) const;
  void Add(std::string name, double validation_error, Network network);
  // Adds the mean of some networks in equal parts, if there are two or more.
  absl::Status AddMeanOf(const char* what, std::vector<size_t> rungs);
  // Returns the error by which a network is chosen: one that is recurrent, or a mean as far as it is, must be clearly
  // better.
  double ErrorToChooseBy(size_t network) const;
  size_t Best() const;
  size_t BestRule() const;
  // Returns the part of a network in its mean with a rule; `half`: as the mean of both in equal parts was judged.
  double PartOf(size_t best, size_t rule, const std::vector<std::vector<double>>& half) const;

  const Dataset& dataset_;
  const int64_t season_;
  const std::vector<Fold> folds_;
  std::vector<Dataset> earlier_;  // of each fold
  std::vector<Rung> rungs_;
  std::vector<Network> networks_;  // one a rung
  std::vector<size_t> means_;      // the rungs of AddMeans, the one of most networks last
  std::optional<size_t> drawn_;    // what AddDrawn or AddOfEachSeries says is to be chosen
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LADDER_H_
