#ifndef RONDO_CLIENT_LOAD_NATIVE_REPLY_H_
#define RONDO_CLIENT_LOAD_NATIVE_REPLY_H_

#include <cstdint>

#include "absl/types/span.h"
#include "client/load/exchange.h"
#include "rondo/v1/inference.pb.h"

namespace rondo::load {

// Judges the reply to a message of rondo.v1.Inference with one sequence for each of `positions`: where that sequence
// began, which becomes the session's next position, also as a refusal tells it. A message that was refused as a whole
// moves none.
Verdict JudgeNativeReply(const MessageShape& shape, const v1::PredictResponse& reply, absl::Span<int64_t> positions);

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_NATIVE_REPLY_H_
