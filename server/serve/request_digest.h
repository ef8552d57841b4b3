#ifndef RONDO_SERVER_SERVE_REQUEST_DIGEST_H_
#define RONDO_SERVER_SERVE_REQUEST_DIGEST_H_

#include <cstdint>

#include "absl/types/span.h"

namespace rondo {

// A digest of all that decides a sequence's reply: two requests with equal digests are taken for one request that came
// twice. It is stored with the session, so it is stable between processes.
uint64_t RequestDigest(absl::Span<const float> values, absl::Span<const int64_t> times, bool last_only);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_REQUEST_DIGEST_H_
