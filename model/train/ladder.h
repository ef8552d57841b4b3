#ifndef RONDO_MODEL_TRAIN_LADDER_H_
#define RONDO_MODEL_TRAIN_LADDER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "model/model_file.h"
#include "model/train/dataset.h"
#include "model/train/linear_graph.h"
#include "model/train/linear_network.h"
#include "model/train/options.h"

namespace rondo::train {

// One network that was tried: the simplest stand first.
struct Rung {
  std::string name;
  double validation_error = 0;  // mean squared, in the unit of the trainer's loss
  bool chosen = false;
};

// Networks from the simplest to the largest, each judged on the validation part: repeating the value now, repeating the
// season before, linear layers on each target's own window, of values and of logarithms, one on all windows, a
// recurrent network, and the mean of those that are about as good.
//
// Ownership: borrows the dataset.
// Threads:   one, after PrepareTrainingThread.
class Ladder {
 public:
  Ladder(const Dataset& dataset, int64_t season) : dataset_(dataset), season_(season) {}

  // Fits and judges the linear networks; there may be none for this dataset. Errors as EvaluateModel.
  absl::Status AddLinear(const TrainOptions& options, const std::function<bool()>& stop);
  // Adds a recurrent network whose error is known. `before_refit` are its weights when it was judged.
  void AddRecurrent(std::string name, double validation_error, const Weights& before_refit, ModelFile model);
  // Adds the mean of the linear and recurrent networks whose error is near the least one. Errors as EvaluateModel.
  absl::Status AddMean();

  bool empty() const { return rungs_.empty(); }
  int64_t season() const { return season_; }
  // Marks the simplest network whose error is within 1 % of the least one, or instead of one that learned their mean if
  // it is within 3 %, and returns its model. REQUIRES: !empty().
  const ModelFile& Choose();
  const std::vector<Rung>& rungs() const { return rungs_; }

 private:
  // A network that a mean can be made of: as it was judged, and as it would be written.
  struct Part {
    std::string name;
    double validation_error;
    NetworkGraph judged, written;
  };

  absl::Status AddLinearOf(LinearKind kind, const LinearOptions& options);
  void Add(std::string name, double validation_error, ModelFile model);

  const Dataset& dataset_;
  const int64_t season_;
  std::vector<Rung> rungs_;
  std::vector<ModelFile> models_;  // one a rung
  std::vector<Part> parts_;
  bool has_mean_ = false;  // the last rung is one
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LADDER_H_
