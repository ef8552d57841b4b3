#ifndef RONDO_BASE_MISSING_COLUMN_H_
#define RONDO_BASE_MISSING_COLUMN_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rondo {

// Says what a table has instead of the column `name`, which is not in its `header`: "; its columns are a, b; did you
// mean 'b'?". It names 20 columns at most. A first row of values is said to be no header.
std::string InsteadOfColumn(absl::string_view name, const std::vector<std::string>& header);

}  // namespace rondo

#endif  // RONDO_BASE_MISSING_COLUMN_H_
