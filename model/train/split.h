#ifndef RONDO_MODEL_TRAIN_SPLIT_H_
#define RONDO_MODEL_TRAIN_SPLIT_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "model/train/dataset.h"

namespace rondo::train {

using Parts = std::array<std::vector<Segment>, 4>;  // by Dataset::Part

int64_t Timesteps(const std::vector<Segment>& part);

// Parts each series by time, or a token text of many lines by its lines. What of it is other than asked for is added to
// the notes. INVALID_ARGUMENT: a part has too few timesteps; the message says how many rows are enough.
absl::StatusOr<Parts> SplitSeries(const DatasetOptions& options, SeriesSet* set);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_SPLIT_H_
