#ifndef RONDO_MODEL_TRAIN_TIME_COLUMN_H_
#define RONDO_MODEL_TRAIN_TIME_COLUMN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/table_format.h"

namespace rondo::train {

// Returns the unix microseconds of each row. The texts are read by ReadTime, and all of a column are written in one
// form, so that no row is of another unit than the rest. `series` names each row's series, so that an hour that comes
// twice is told from the rows of that series; null: there is one.
// INVALID_ARGUMENT: the first row that cannot be read or has another form; the column may as well be YYYYMMDDHH; or
// there is no such time zone.
absl::StatusOr<std::vector<int64_t>> ParseTimes(const std::vector<std::string>& texts, const TableFormat& format,
                                                const std::vector<std::string>* series = nullptr);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_TIME_COLUMN_H_
