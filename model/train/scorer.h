#ifndef RONDO_MODEL_TRAIN_SCORER_H_
#define RONDO_MODEL_TRAIN_SCORER_H_

#include <cstdint>
#include <vector>

#include "model/model_spec.h"
#include "model/train/dataset.h"
#include "model/train/evaluation.h"
#include "model/train/head_reader.h"

namespace rondo::train {

// Scores the answers of one network, timestep by timestep.
//
// Ownership: borrows the dataset and the spec.
class Scorer {
 public:
  // `season` in timesteps; 0: none.
  Scorer(const Dataset& dataset, const ModelSpec& spec, int64_t season);

  // Takes what the network answered to a timestep, [horizon][outputs][values of an output].
  void Score(size_t series, int64_t t, const float* output);

  Evaluation Finish() &&;

 private:
  // What a float stands for, in the file's units.
  double Raw(size_t series, size_t column, double sent) const;
  double LevelStd(size_t output) const;
  // Returns the mean change over a season in the training part of a series, as MASE wants it.
  double NaiveStep(size_t series, size_t output) const;

  void ScoreValue(size_t series, int64_t t, int64_t ahead, size_t i, const float* values, OriginLosses* origin);
  void ScoreBand(double actual, int64_t ahead, size_t i, const float* values);
  void AddToLine(size_t series, int64_t t, const float* values);
  void ScoreToken(size_t series, int64_t t, const float* probabilities);

  const Dataset& dataset_;
  const ModelSpec& spec_;
  const HeadReader head_;
  std::vector<double> inside_;  // [outputs][horizon]: values inside the band
  size_t line_series_ = 0;
  double losses_ = 0, seasonal_losses_ = 0;  // how many
  Evaluation result_;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_SCORER_H_
