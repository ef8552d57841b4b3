#include "server/tracing/message_trace.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/steady_time.h"
#include "server/tracing/random_id.h"

namespace rondo {
namespace {

// Offers parts of one message.
class Parts {
 public:
  // `ahead`: of the wall clock over SteadyNow.
  Parts(const MessageTrace& trace, absl::Duration ahead) : trace_(trace), ahead_(ahead) {}

  void Offer(const char* name, absl::Time start, absl::Time end) const {
    if (start == absl::InfiniteFuture() || start == absl::InfinitePast() || end <= start) return;
    Span span;
    span.trace_id = trace_.span.trace_id;
    span.span_id = RandomId<SpanId>();
    span.parent = trace_.span.span_id;
    span.trace_state = trace_.span.trace_state;
    span.name = name;
    span.start = start + ahead_;
    span.end = end + ahead_;
    trace_.sink->Offer(std::move(span));
  }

 private:
  const MessageTrace& trace_;
  const absl::Duration ahead_;
};

void Describe(MessageTrace* trace) {
  Span& span = trace->span;
  const size_t slash = trace->method.rfind('/');
  span.name = std::string(trace->method);
  span.is_server = true;
  span.failed = trace->code != absl::StatusCode::kOk;
  span.attributes.emplace_back("rpc.system", "grpc");
  span.attributes.emplace_back("rpc.service", std::string(trace->method.substr(0, slash)));
  span.attributes.emplace_back("rpc.method", std::string(trace->method.substr(slash + 1)));
  span.attributes.emplace_back("rpc.grpc.status_code", static_cast<int64_t>(trace->code));
  if (!trace->model.empty()) span.attributes.emplace_back("rondo.model", std::move(trace->model));
  if (trace->sequences > 0) span.attributes.emplace_back("rondo.sequences", static_cast<int64_t>(trace->sequences));
  if (trace->timesteps > 0) span.attributes.emplace_back("rondo.timesteps", static_cast<int64_t>(trace->timesteps));
}

void OfferAll(MessageTrace trace) {
  const absl::Duration ahead = absl::Now() - SteadyNow();
  const Parts parts(trace, ahead);
  parts.Offer("read", trace.came, trace.arrived);
  parts.Offer("session", trace.arrived, trace.session_ready);
  if (trace.first_step != absl::InfiniteFuture()) {
    // Of several sequences one may have run while another waited for its session.
    const bool waited = trace.session_ready < trace.first_step;
    parts.Offer("queue", waited ? std::max(trace.arrived, trace.session_ready) : trace.arrived, trace.first_step);
  }
  parts.Offer("compute", trace.first_step, trace.computed);
  parts.Offer("store", trace.computed, trace.stored);
  Describe(&trace);
  trace.span.start = trace.came + ahead;
  trace.span.end = std::max(trace.came, trace.ended) + ahead;
  trace.sink->Offer(std::move(trace.span));
}

}  // namespace

void OfferSpans(MessageTrace trace) {
  try {
    OfferAll(std::move(trace));
  } catch (const std::bad_alloc&) {
    // Requests are answered with or without a trace.
  }
}

}  // namespace rondo
