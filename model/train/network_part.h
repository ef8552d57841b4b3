#ifndef RONDO_MODEL_TRAIN_NETWORK_PART_H_
#define RONDO_MODEL_TRAIN_NETWORK_PART_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace rondo::train {

// The squared errors of three forecasts, of each timestep of one stretch of time: a network, a naive rule, and the mean
// of both.
struct StretchLosses {
  std::vector<double> network, rule, half;
};

// Says how forecasts overlap: one reaches over the next `leads` timesteps, and each of `series` has one a timestep.
struct Overlap {
  int64_t leads = 1, series = 1, outputs = 1;
};

// Returns the part, from 0 to 1, that a network has in its weighted mean with a naive rule: that of least squares over
// the stretches, drawn to `before` by a normal prior as strong as some forecasts that differ by as much as the better
// of both errs. The part is thus near `before` where there are few timesteps, or where both say nearly the same. A
// stretch that one of the three forecasts lacks does not count; a stretch that the rule errs little on counts less.
double NetworkPart(absl::Span<const StretchLosses> stretches, const Overlap& overlap, double before);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_NETWORK_PART_H_
