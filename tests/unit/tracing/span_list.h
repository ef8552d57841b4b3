#ifndef RONDO_TESTS_UNIT_TRACING_SPAN_LIST_H_
#define RONDO_TESTS_UNIT_TRACING_SPAN_LIST_H_

#include <utility>
#include <vector>

#include "server/tracing/span.h"

namespace rondo {

// Keeps what it is offered.
class SpanList : public SpanSink {
 public:
  void Offer(Span span) override { spans.push_back(std::move(span)); }

  std::vector<Span> spans;
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_TRACING_SPAN_LIST_H_
