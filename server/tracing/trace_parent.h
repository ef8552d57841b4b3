#ifndef RONDO_SERVER_TRACING_TRACE_PARENT_H_
#define RONDO_SERVER_TRACING_TRACE_PARENT_H_

#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace rondo {

using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

// The span of a caller, to which spans of ours belong.
struct TraceParent {
  TraceId trace_id;
  SpanId span_id;
  bool sampled = false;  // the caller records its span, and wants ours
};

// Reads a `traceparent` (W3C Trace Context): "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01". Of versions
// newer than 00 it reads what they have in common with that. Absent: the text is none, and is to be ignored.
std::optional<TraceParent> ParseTraceParent(absl::string_view text);

// Tells whether a `tracestate` may be passed on: printable ASCII of 1 to 512 bytes. Its members are not looked at.
bool IsTraceState(absl::string_view text);

}  // namespace rondo

#endif  // RONDO_SERVER_TRACING_TRACE_PARENT_H_
