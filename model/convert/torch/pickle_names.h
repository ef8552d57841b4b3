#ifndef RONDO_MODEL_CONVERT_TORCH_PICKLE_NAMES_H_
#define RONDO_MODEL_CONVERT_TORCH_PICKLE_NAMES_H_

#include "absl/strings/string_view.h"

namespace rondo::convert {

// True for the names that a file of weights may use: torch's tensors and storages, ordered dictionaries, plain values.
// None of them is called.
bool IsAllowedInPickles(absl::string_view module, absl::string_view name);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_TORCH_PICKLE_NAMES_H_
