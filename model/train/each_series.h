#ifndef RONDO_MODEL_TRAIN_EACH_SERIES_H_
#define RONDO_MODEL_TRAIN_EACH_SERIES_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "model/model_file.h"
#include "model/train/dataset.h"
#include "model/train/ladder_part.h"

namespace rondo::train {

// What of several networks is best for each series.
struct SeriesMean {
  ModelFile model;  // of Dataset::WithSeriesInputs
  // One list for each fold and, last, one for the validation part, with a loss for each timestep. The list of a fold
  // that the network of some series lacks is empty.
  std::vector<std::vector<double>> losses;
  size_t networks = 0;  // how many there are in it
};

// Chooses the mean of networks that each series is told by as the ladder does for all: one that is the best by far, or
// the mean of those that are about as good, drawn to what the series would have without a choice of its own: the
// network that all share, or a naive rule where that errs less. A series that is not known has the network that all
// share.
//
// Ownership: borrows the dataset, and those whose validation part is an earlier fold.
class EachSeries {
 public:
  // `shared`: what each part counts for in the network that all series share. The first part is the value now. `stop`:
  // asked now and then; true ends the choice.
  EachSeries(const Dataset& dataset, const std::vector<Dataset>& earlier, std::vector<LadderPart> parts,
             std::vector<double> shared, std::function<bool()> stop);

  // Nothing: no series is better off, the mean would be too large, or the choice was stopped. Errors as EvaluateModel.
  absl::StatusOr<std::optional<SeriesMean>> Choose();

 private:
  using Shares = std::vector<std::vector<double>>;                     // [series][parts]
  using SeriesLosses = std::vector<std::vector<std::vector<double>>>;  // [folds, then validation][series][timesteps]

  Shares Single(size_t part) const;
  // Judges the mean of each series. Without a series' losses on a fold that its networks were not fitted to; empty: the
  // mean would be too large, an input cannot have the name of a series, an answer is not finite, or it was stopped.
  absl::StatusOr<SeriesLosses> Judge(const Shares& shares) const;
  // Returns the shares of a series among the networks that were fitted to a stretch; none if there is none.
  std::vector<double> FittedShares(const std::vector<double>& shares, size_t stretch) const;
  const NetworkGraph* Fitted(size_t part, size_t stretch) const;
  // Returns the error of a series in parts of that of the value now; of a network that was not fitted to each fold,
  // that of the best that was, times the ratio of both on the validation part.
  double Error(const SeriesLosses& losses, size_t series) const;
  absl::Status JudgeAll();
  void ChooseMeans();
  std::vector<const SeriesLosses*> TakeSimpler();
  absl::Status DrawToBase();
  absl::StatusOr<std::optional<SeriesMean>> Write() const;

  const Dataset& dataset_;
  std::vector<Dataset> stretches_;  // with the inputs of the series
  const std::vector<LadderPart> parts_;
  const std::vector<double> shared_;
  const std::function<bool()> stop_;
  std::vector<SeriesLosses> singles_;  // of each part
  SeriesLosses of_shared_, of_means_;
  Shares means_, chosen_, bases_;
  std::vector<size_t> base_rules_;  // of each series; the number of parts: the network that all share
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_EACH_SERIES_H_
