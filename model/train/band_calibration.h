#ifndef RONDO_MODEL_TRAIN_BAND_CALIBRATION_H_
#define RONDO_MODEL_TRAIN_BAND_CALIBRATION_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "model/network.h"
#include "model/train/dataset.h"

namespace rondo::train {

// Finds ModelSpec::band_factors on the validation part, as a server samples: from many origins paths are sampled that
// feed their own values back, and the 80 % band between their quantiles is widened, for each step ahead, until 80 % of
// what came lies inside (split conformal prediction, Vovk et al. 2005). Far ahead, where the forecasts of that part
// overlap so much that they are few, all timesteps before the test part tell it. Inputs that are not fed back are those
// that the file has. Empty: the head is not gaussian, an output is not fed back, or the part is too short.
//
// Threads: prepares the calling thread for Network (PrepareComputeThread), so call it from a thread of its own.
absl::StatusOr<std::vector<double>> CalibrateBands(const Dataset& dataset, const Network& network, int64_t steps,
                                                   uint64_t seed);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_BAND_CALIBRATION_H_
