#ifndef RONDO_MODEL_TRAIN_RIDGE_H_
#define RONDO_MODEL_TRAIN_RIDGE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace rondo::train {

// A linear layer: y = weight x + bias.
struct LinearLayer {
  std::vector<double> weight;  // [targets][features]
  std::vector<double> bias;    // [targets]
};

// Says what is added to the squared error: strength times the squared distance of each weight from where it is drawn
// to, where 1 stands for the mean square of all features and rows, or of the weight's own feature.
struct RidgePenalty {
  double strength = 0;
  bool by_feature = false;
  std::vector<int64_t> excluded;  // features whose weights are as good as 0
};

// Sums what ridge regression (Hoerl and Kennard 1970) needs of rows of features and targets, which come block by block
// and are not kept. Sums over blocks are in double, so that windows whose values resemble each other do no harm.
//
// Threads: one, after PrepareTrainingThread.
class RidgeSums {
 public:
  RidgeSums(int64_t features, int64_t targets);

  // x: [rows][features], y: [rows][targets]; every number is finite. `weight`: what a row's error counts, squared.
  void Add(absl::Span<const float> x, absl::Span<const float> y, int64_t rows, float weight = 1);
  void Add(const RidgeSums& other);

  // Returns the layer of least squared error and penalty for each of `drawn_to`: the weights, [targets][features], that
  // the penalty draws to; empty: zeros. Nothing: the features depend on each other and the penalty is too small.
  std::vector<LinearLayer> Solve(const RidgePenalty& penalty, absl::Span<const std::vector<double>> drawn_to) const;

  // Returns the mean squared error of a layer over all rows and targets.
  double MeanSquaredError(const LinearLayer& layer) const;

  // Returns the mean squared target.
  double MeanSquaredTarget() const;

  int64_t rows() const { return rows_; }

 private:
  // The place of a product of two features; the last one is the 1 that the bias goes with.
  double Product(int64_t i, int64_t j) const { return products_[i * (features_ + 1) + j]; }
  // Subtracts products_ times a matrix [features + 1][targets], most of whose rows are zeros.
  void SubtractProductsTimes(const std::vector<double>& matrix, std::vector<double>* from) const;

  const int64_t features_, targets_;
  int64_t rows_ = 0;
  std::vector<double> products_;         // [features + 1][features + 1]
  std::vector<double> target_products_;  // [features + 1][targets]
  double squared_targets_ = 0;
  std::vector<float> block_, with_one_;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_RIDGE_H_
