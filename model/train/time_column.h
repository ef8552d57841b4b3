#ifndef RONDO_MODEL_TRAIN_TIME_COLUMN_H_
#define RONDO_MODEL_TRAIN_TIME_COLUMN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace rondo::train {

// Returns the unix seconds of each row. The texts are read by ParseTimeText, and all of a column are written in one
// form, so that no row is of another unit than the rest; or by ParseTimeAs with `format`, if it is not empty.
// INVALID_ARGUMENT: the first row that cannot be read or has another form; or the column may as well be YYYYMMDDHH.
absl::StatusOr<std::vector<int64_t>> ParseTimes(const std::vector<std::string>& texts, const std::string& format);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_TIME_COLUMN_H_
