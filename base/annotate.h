#ifndef RONDO_BASE_ANNOTATE_H_
#define RONDO_BASE_ANNOTATE_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rondo {

// Returns the error with "`where`: " before its message.
inline absl::Status Annotate(const absl::Status& error, absl::string_view where) {
  return absl::Status(error.code(), absl::StrCat(where, ": ", error.message()));
}

}  // namespace rondo

#endif  // RONDO_BASE_ANNOTATE_H_
