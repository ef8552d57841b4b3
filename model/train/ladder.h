#ifndef RONDO_MODEL_TRAIN_LADDER_H_
#define RONDO_MODEL_TRAIN_LADDER_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/model_file.h"
#include "model/train/dataset.h"
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
// season before, a linear layer on each target's own window, one on all windows, and a trained network.
//
// Ownership: borrows the dataset.
// Threads:   one, after PrepareTrainingThread.
class Ladder {
 public:
  Ladder(const Dataset& dataset, int64_t season) : dataset_(dataset), season_(season) {}

  // Fits and judges the linear networks; there may be none for this dataset. Errors as EvaluateModel.
  absl::Status AddLinear(const TrainOptions& options, const std::function<bool()>& stop);
  // Adds a network whose error is known, above the others.
  void Add(std::string name, double validation_error, ModelFile model);

  bool empty() const { return rungs_.empty(); }
  int64_t season() const { return season_; }
  // Marks the simplest network whose error is within 1 % of the least one, and returns its model. REQUIRES: !empty().
  const ModelFile& Choose();
  const std::vector<Rung>& rungs() const { return rungs_; }

 private:
  absl::Status AddLinearOf(LinearKind kind, const LinearOptions& options);

  const Dataset& dataset_;
  const int64_t season_;
  std::vector<Rung> rungs_;
  std::vector<ModelFile> models_;  // one a rung
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LADDER_H_
