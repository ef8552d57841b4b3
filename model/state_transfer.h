#ifndef RONDO_MODEL_STATE_TRANSFER_H_
#define RONDO_MODEL_STATE_TRANSFER_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/model.h"

namespace rondo {

// Copies what the elements of one model keep in `state`, [from.spec().state_size()], to where the elements of the same
// names of another model keep theirs in `result`, [to.spec().state_size()]. `names`: the elements that are taken;
// empty: all of both models. INVALID_ARGUMENT: there are more names than `to` has elements, or a name comes twice.
// FAILED_PRECONDITION: one of them is missing on a side, or two of one name differ in type or in how many numbers they
// keep. On error *result is void.
absl::Status TransferState(const Model& from, absl::Span<const float> state, const Model& to,
                           absl::Span<const absl::string_view> names, absl::Span<float> result);

}  // namespace rondo

#endif  // RONDO_MODEL_STATE_TRANSFER_H_
