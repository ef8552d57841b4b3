#ifndef RONDO_CLIENT_CLI_TIME_TEXT_H_
#define RONDO_CLIENT_CLI_TIME_TEXT_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

// Unix seconds of a text: an ISO 8601 date (2015-01-31), a date and time with 'T' or a space between (seconds, a
// fraction and an offset or 'Z' may be left out; UTC without an offset), or unix seconds. A fraction is cut off.
//
// INVALID_ARGUMENT: anything else; years before 1 or after 9999, which unix milliseconds come to; and eight digits that
// can be read as a date, as 20150131: as seconds they would be a day in 1970, which nobody means.
absl::StatusOr<int64_t> ParseTimeText(absl::string_view text);

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_TIME_TEXT_H_
