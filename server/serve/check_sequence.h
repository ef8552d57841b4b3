#ifndef RONDO_SERVER_SERVE_CHECK_SEQUENCE_H_
#define RONDO_SERVER_SERVE_CHECK_SEQUENCE_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "model/model.h"
#include "server/serve/exchange.h"
#include "server/serve/serve_context.h"

namespace rondo {

// Judges a sequence before it runs as a request of `model`: its values and times, the size of its reply, and what only
// a session may have. INVALID_ARGUMENT says what came and what was wanted.
absl::Status CheckSequence(const SequenceView& sequence, const Model& model, bool last_only, const ServeLimits& limits);

// FAILED_PRECONDITION: the model's network takes whole sequences; it has no session and no forecast.
absl::Status CheckSteps(const Model& model);

// Judges whether `values` and `times` are whole timesteps that `model` takes: at most `max_timesteps`, finite, and
// token ids where it wants those. INVALID_ARGUMENT says what came and what was wanted.
absl::Status CheckTimesteps(absl::Span<const float> values, absl::Span<const int64_t> times, const Model& model,
                            size_t max_timesteps);

// INVALID_ARGUMENT: one of them is not in the years that a time may be in.
absl::Status CheckYears(absl::Span<const int64_t> times);

// Judges whether the numbers of `values` are finite, and token ids where `model` wants those. A row may hold anything
// in the columns of `ignored`. INVALID_ARGUMENT as above.
absl::Status CheckValues(absl::Span<const float> values, const Model& model, absl::Span<const bool> ignored);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_CHECK_SEQUENCE_H_
