#ifndef RONDO_BASE_INVALID_H_
#define RONDO_BASE_INVALID_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace rondo {

// INVALID_ARGUMENT with a message of `parts`, which say what came and what was wanted.
template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

}  // namespace rondo

#endif  // RONDO_BASE_INVALID_H_
