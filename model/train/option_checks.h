#ifndef RONDO_MODEL_TRAIN_OPTION_CHECKS_H_
#define RONDO_MODEL_TRAIN_OPTION_CHECKS_H_

#include "absl/status/status.h"
#include "base/option_table.h"
#include "model/train/options.h"

namespace rondo::train {

// Completes options that have been read: what some say of others. INVALID_ARGUMENT: one is missing, or some do not go
// together.
absl::Status CompleteOptions(const OptionTable& table, TrainOptions* options);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_OPTION_CHECKS_H_
