#ifndef RONDO_SERVER_TRACING_MESSAGE_TRACE_H_
#define RONDO_SERVER_TRACING_MESSAGE_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/tracing/span.h"

namespace rondo {

// What one sampled message, or one sampled call without messages, tells of itself on its way: when its parts began and
// ended, by SteadyNow. A part that there was not keeps its infinite time. A message of many sequences has each part
// from the first sequence's to the last one's.
struct MessageTrace {
  absl::Time came;                                  // no later than it arrived: it may have waited to be read
  absl::Time arrived;                               // read
  absl::Time session_ready = absl::InfinitePast();  // the session that it had to wait for, or to load, was there
  absl::Time first_step = absl::InfiniteFuture();   // the first kernel call began
  absl::Time computed = absl::InfinitePast();       // the last kernel call had ended, or the call had done its own
  absl::Time stored = absl::InfinitePast();         // the store had what it had to wait for
  absl::Time ended;                                 // answered

  absl::string_view method;  // PACKAGE.SERVICE/METHOD; static
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string model;     // one that is served; empty: none
  size_t sequences = 0;  // 0 of these two: not to be shown
  uint64_t timesteps = 0;

  // Of the server's span, which SpanSource gives.
  Span span;
  SpanSink* sink = nullptr;
};

// Offers the span of the answer to the trace's sink, and one within it for each part that there was: read, session,
// queue, compute, store. Those for which there is no memory are left out.
void OfferSpans(MessageTrace trace);

}  // namespace rondo

#endif  // RONDO_SERVER_TRACING_MESSAGE_TRACE_H_
