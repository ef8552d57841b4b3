#ifndef RONDO_SERVER_TRACING_SPAN_H_
#define RONDO_SERVER_TRACING_SPAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "server/tracing/trace_parent.h"

namespace rondo {

// A time that something took, as a collector is told of it.
struct Span {
  TraceId trace_id;
  SpanId span_id;
  std::optional<SpanId> parent;  // absent: the trace begins here
  std::string trace_state;       // may be empty
  std::string name;
  bool is_server = false;  // the answer to a caller, rather than a part of that
  bool failed = false;
  absl::Time start;  // Unix time
  absl::Time end;
  std::vector<std::pair<const char*, std::variant<std::string, int64_t>>> attributes;  // keys are literals
};

// Where spans go.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  // Takes the span, or drops and counts it. Any thread; never waits for whom the spans are for.
  virtual void Offer(Span span) = 0;
};

}  // namespace rondo

#endif  // RONDO_SERVER_TRACING_SPAN_H_
