#ifndef RONDO_MODEL_TRAIN_TIME_COLUMN_H_
#define RONDO_MODEL_TRAIN_TIME_COLUMN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace rondo::train {

// Unix seconds (UTC unless the text has an offset) of each row. `format` is absl::ParseTime's; empty: what the first
// row fits of unix seconds, RFC 3339 and "YYYY-MM-DD[ HH:MM[:SS]]" with "-" or "/", "T" or a space, and "Mon D YYYY".
// INVALID_ARGUMENT: the first row that does not fit, and the format.
absl::StatusOr<std::vector<int64_t>> ParseTimes(const std::vector<std::string>& texts, const std::string& format);

// A time as RFC 3339 in UTC, for messages.
std::string TimeText(int64_t unix_seconds);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_TIME_COLUMN_H_
