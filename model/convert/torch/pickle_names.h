#ifndef RONDO_MODEL_CONVERT_TORCH_PICKLE_NAMES_H_
#define RONDO_MODEL_CONVERT_TORCH_PICKLE_NAMES_H_

#include "absl/strings/string_view.h"

namespace rondo::convert {

// True for the names that a file of weights may use: torch's tensors and storages, ordered dictionaries, plain values.
// None of them is called.
bool IsAllowedInPickles(absl::string_view module, absl::string_view name);

// True for the classes of other programs, which a checkpoint may hold beside its weights: an object of one is passed
// by. False for what runs something when it is called: a file that names it was not made to be read.
bool IsForeignInPickles(absl::string_view module);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_TORCH_PICKLE_NAMES_H_
