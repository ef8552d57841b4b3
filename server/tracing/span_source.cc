#include "server/tracing/span_source.h"

#include <new>
#include <random>

#include "server/tracing/random_id.h"

namespace rondo {

std::unique_ptr<MessageTrace> SpanSource::Begin(absl::Time came, absl::Time arrived) const {
  if (!parent_ && std::uniform_real_distribution<double>(0, 1)(TracingDice()) >= ratio_) return nullptr;
  try {
    return MakeTrace(came, arrived);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

std::unique_ptr<MessageTrace> SpanSource::MakeTrace(absl::Time came, absl::Time arrived) const {
  auto trace = std::make_unique<MessageTrace>();
  trace->came = came;
  trace->arrived = arrived;
  trace->method = method_;
  trace->sink = sink_;
  trace->span.trace_id = parent_ ? parent_->trace_id : RandomId<TraceId>();
  trace->span.span_id = RandomId<SpanId>();
  if (parent_) trace->span.parent = parent_->span_id;
  trace->span.trace_state = trace_state_;
  return trace;
}

std::optional<SpanSource> Tracer::SourceFor(absl::string_view method, absl::string_view traceparent,
                                            absl::string_view tracestate) const {
  const std::optional<TraceParent> parent = ParseTraceParent(traceparent);
  if (parent ? !parent->sampled : ratio_ <= 0) return std::nullopt;
  return SpanSource(sink_, method, ratio_, parent, parent && IsTraceState(tracestate) ? tracestate : "");
}

}  // namespace rondo
