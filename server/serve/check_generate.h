#ifndef RONDO_SERVER_SERVE_CHECK_GENERATE_H_
#define RONDO_SERVER_SERVE_CHECK_GENERATE_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/model.h"
#include "server/serve/generate_view.h"
#include "server/serve/request_limits.h"

namespace rondo {

// Judges what a request for tokens says of itself. INVALID_ARGUMENT: what came and what was wanted.
absl::Status CheckGenerate(const GenerateView& request, const ServeLimits& limits);

// Judges a request by its model, and makes tokens of its texts. FAILED_PRECONDITION: the model does not answer the
// probabilities of its tokens, or has no texts of them. INVALID_ARGUMENT: what came and what was wanted. REQUIRES:
// CheckGenerate is OK. Throws std::bad_alloc.
absl::StatusOr<RequestTokens> TokensFor(const Model& model, const GenerateView& request, const ServeLimits& limits);

// Bytes that the last message to a beam search may have: all its sequences, and the last tokens of the best one.
size_t ReplyBytesOf(const GenerateView& request, const ModelSpec& spec);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_CHECK_GENERATE_H_
