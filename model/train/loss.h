#ifndef RONDO_MODEL_TRAIN_LOSS_H_
#define RONDO_MODEL_TRAIN_LOSS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace rondo::train {

enum class LossKind { kMse, kMae, kQuantile, kGaussian, kCrossEntropy };

// Says what is minimised, and so how many numbers of the head stand for one target value.
//
// kMse, kMae      one number: the prediction; mean of (p - y)^2, of |p - y|
// kQuantile       one a quantile q; mean of max(q * (y - p), (q - 1) * (y - p)) (Koenker and Bassett 1978)
// kGaussian       mean, then s with std = softplus(s) + OutputHead::kMinGaussianStd (model/output_head.h);
//                 mean of log(std) + ((y - mean) / std)^2 / 2
// kCrossEntropy   one a class, the target is the class's number; mean of -log softmax(p)[y]
struct Loss {
  LossKind kind = LossKind::kMse;
  std::vector<double> quantiles;  // kQuantile: ascending, each in (0, 1)
  int64_t classes = 0;            // kCrossEntropy
  // kCrossEntropy: what a target of each class counts, in the sum and in what it is divided by; empty: all 1.
  std::vector<double> class_weights = {};

  int64_t values_per_target() const;
  // What a target counts.
  double WeightOf(double target) const {
    return class_weights.empty() ? 1 : class_weights[static_cast<size_t>(target)];
  }
};

// Returns the mean loss over the targets that are not NaN, of the rows whose mask is not 0 (0 if there are none), and
// writes its gradient with respect to `predictions` (0 elsewhere). Every argument is row-major: predictions and
// gradient [rows][targets of a row][values_per_target], targets [rows][targets of a row], mask [rows]. Sums are kept in
// double.
double MeanLoss(const Loss& loss, absl::Span<const float> predictions, absl::Span<const float> targets,
                absl::Span<const float> mask, absl::Span<float> gradient);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LOSS_H_
