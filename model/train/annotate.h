#ifndef RONDO_MODEL_TRAIN_ANNOTATE_H_
#define RONDO_MODEL_TRAIN_ANNOTATE_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rondo::train {

// Returns the error with "`what`: " before its message.
inline absl::Status Annotate(const absl::Status& status, absl::string_view what) {
  return absl::Status(status.code(), absl::StrCat(what, ": ", status.message()));
}

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_ANNOTATE_H_
