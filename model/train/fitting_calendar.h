#ifndef RONDO_MODEL_TRAIN_FITTING_CALENDAR_H_
#define RONDO_MODEL_TRAIN_FITTING_CALENDAR_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "model/model_spec.h"
#include "model/train/dataset.h"

namespace rondo::train {

// Returns what of the calendar tells something of the targets: what rows of such a step can tell apart and the rows
// before the test part hold twice; of days the weekday only where a target's changes depend on it. REQUIRES: the
// dataset is split and has times.
std::vector<Calendar> FittingCalendar(const Dataset& dataset, absl::Span<const std::string> targets);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_FITTING_CALENDAR_H_
