#ifndef RONDO_SERVER_TRACING_SPAN_SOURCE_H_
#define RONDO_SERVER_TRACING_SPAN_SOURCE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/tracing/message_trace.h"
#include "server/tracing/span.h"
#include "server/tracing/trace_parent.h"

namespace rondo {

// Decides which messages of one call are sampled, and begins their traces: all of them if the call brought a parent
// that is, else a share at random, each of which begins a trace of its own.
//
// Threads: one at a time.
class SpanSource {
 public:
  // `method`: PACKAGE.SERVICE/METHOD; static. `ratio`: for calls without a parent.
  SpanSource(SpanSink* sink, absl::string_view method, double ratio, std::optional<TraceParent> parent,
             absl::string_view trace_state)
      : sink_(sink), method_(method), ratio_(ratio), parent_(parent), trace_state_(trace_state) {}

  // Null: the message is not sampled, or there is no memory for its trace. `came`, `arrived`: see MessageTrace.
  std::unique_ptr<MessageTrace> Begin(absl::Time came, absl::Time arrived) const;

 private:
  // Throws std::bad_alloc.
  std::unique_ptr<MessageTrace> MakeTrace(absl::Time came, absl::Time arrived) const;

  SpanSink* sink_;
  absl::string_view method_;
  double ratio_;
  std::optional<TraceParent> parent_;  // one that is sampled
  std::string trace_state_;            // of the parent
};

// Makes the source of each call. Any thread.
class Tracer {
 public:
  // `ratio`: of the messages of calls that bring no parent, 0 to 1. Borrows `sink`.
  Tracer(double ratio, SpanSink* sink) : ratio_(ratio), sink_(sink) {}

  // `traceparent`, `tracestate`: as the call's metadata has them; empty, or not as they should be: it brings no parent.
  // Absent: none of the call's messages is sampled.
  std::optional<SpanSource> SourceFor(absl::string_view method, absl::string_view traceparent,
                                      absl::string_view tracestate) const;

 private:
  const double ratio_;
  SpanSink* const sink_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_TRACING_SPAN_SOURCE_H_
