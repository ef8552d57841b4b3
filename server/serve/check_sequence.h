#ifndef RONDO_SERVER_SERVE_CHECK_SEQUENCE_H_
#define RONDO_SERVER_SERVE_CHECK_SEQUENCE_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/model.h"

namespace rondo {

// Whether `values` and `times` are whole timesteps that `model` takes, at most `max_timesteps`, finite, and token ids
// where it wants those. INVALID_ARGUMENT says what came and what was wanted.
absl::Status CheckTimesteps(absl::Span<const float> values, absl::Span<const int64_t> times, const Model& model,
                            size_t max_timesteps);

// The same without the limit on their number, for rows that may hold anything in the columns of `ignored`.
absl::Status CheckValues(absl::Span<const float> values, const Model& model, absl::Span<const bool> ignored);

// Of all that decides the reply: two requests with the same one are taken for the same. Stable between processes.
uint64_t FingerprintOf(absl::Span<const float> values, absl::Span<const int64_t> times, bool last_only);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_CHECK_SEQUENCE_H_
