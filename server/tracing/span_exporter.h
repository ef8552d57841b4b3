#ifndef RONDO_SERVER_TRACING_SPAN_EXPORTER_H_
#define RONDO_SERVER_TRACING_SPAN_EXPORTER_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "server/metrics/probes.h"
#include "server/tracing/span.h"

namespace rondo {

// Who collects spans, e.g. over the network. One thread, and one sending at a time.
class SpanCollector {
 public:
  struct Answer {
    absl::Status status;
    size_t refused = 0;     // of the spans of a sending that is OK
    bool may_retry = true;  // of one that is not
  };

  virtual ~SpanCollector() = default;
  // Begins to send the spans.
  virtual void Send(const std::vector<Span>& spans) = 0;
  // Absent: the sending is not over. Does not wait.
  virtual std::optional<Answer> Look() = 0;
  // Calls the sending off; nobody will look.
  virtual void CallOff() = 0;
};

// Sends spans to a collector in batches, from a thread of its own. Spans that the collector does not take in time wait
// in a queue, and those that find it full are dropped; so nobody ever waits for the collector. A sending that fails is
// tried again, later and later.
//
// Threads: any. The destructor gives what is queued one second to be sent.
class SpanExporter : public SpanSink {
 public:
  struct Options {
    size_t max_queued = 8192;                  // spans
    size_t max_batch = 512;                    // spans
    absl::Duration linger = absl::Seconds(1);  // for a batch to fill
    absl::Duration first_retry = absl::Seconds(1);
    absl::Duration longest_retry = absl::Seconds(30);
    absl::Duration goodbye = absl::Seconds(1);
  };

  // Borrows the probe.
  SpanExporter(const Options& options, std::unique_ptr<SpanCollector> collector, TracingProbe* probe);
  ~SpanExporter() override;

  void Offer(Span span) override;

 private:
  void Run();
  // Returns the next spans, once there are some. Empty: there are none left, and the exporter goes.
  std::vector<Span> AwaitBatch();
  // Sends until the spans are taken, refused, or given up.
  void Deliver(const std::vector<Span>& batch);
  // Absent: the exporter goes, and there is no time left.
  std::optional<SpanCollector::Answer> SendOnce(const std::vector<Span>& batch);
  // Waits so long, or until the exporter goes. False: it goes.
  bool WaitToRetry(absl::Duration delay);
  void Drop(SpanDrop why, size_t spans) { probe_->dropped[why].Add(spans); }

  const Options options_;
  const std::unique_ptr<SpanCollector> collector_;  // the thread's own
  TracingProbe* const probe_;

  Mutex mutex_;
  CondVar changed_;
  std::deque<Span> queue_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Time> goes_by_ ABSL_GUARDED_BY(mutex_);  // by SteadyNow; absent: it stays
  std::thread thread_;                                         // last: it uses everything above
};

}  // namespace rondo

#endif  // RONDO_SERVER_TRACING_SPAN_EXPORTER_H_
