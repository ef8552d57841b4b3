#ifndef RONDO_MODEL_CONVERT_CHECK_H_
#define RONDO_MODEL_CONVERT_CHECK_H_

#include <string>

#include "absl/status/statusor.h"
#include "model/model.h"

namespace rondo::convert {

// The largest difference that --check lets pass.
constexpr double kCheckTolerance = 1e-5;

// Runs the model over X [timesteps][inputs] of a numpy.savez file and compares its answers with Y, which has a row for
// each timestep, or one for the last. Returns a sentence for people. INVALID_ARGUMENT: the arrays do not fit the model,
// or an answer differs by more than kCheckTolerance; which.
absl::StatusOr<std::string> CheckModel(const Model& model, const std::string& path);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_CHECK_H_
