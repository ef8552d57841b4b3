#include "server/tracing/span_exporter.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/steady_time.h"
#include "base/thread_name.h"

namespace rondo {
namespace {

// How often an answer is looked for. Nobody waits for it, and whoever waited would take the events of the serving loops
// away from them: see OpenOtlpExporter.
constexpr absl::Duration kLook = absl::Milliseconds(10);

void LogFailure(const absl::Status& status, size_t spans, absl::string_view then) {
  int64_t skipped = 0;
  if (!ShouldLogRefusal("spans_not_taken", &skipped)) return;
  LogEvent(LogLevel::kWarning, "spans_not_taken",
           {{"spans", absl::StrCat(spans)},
            {"code", absl::StatusCodeToString(status.code())},
            {"message", std::string(status.message())},
            {"then", std::string(then)},
            {"skipped", absl::StrCat(skipped)}});
}

}  // namespace

SpanExporter::SpanExporter(const Options& options, std::unique_ptr<SpanCollector> collector, TracingProbe* probe)
    : options_(options), collector_(std::move(collector)), probe_(probe), thread_([this] { Run(); }) {}

SpanExporter::~SpanExporter() {
  {
    const MutexLock lock(&mutex_);
    goes_by_ = SteadyNow() + options_.goodbye;
    changed_.SignalAll();
  }
  thread_.join();
}

void SpanExporter::Offer(Span span) {
  const MutexLock lock(&mutex_);
  if (queue_.size() >= options_.max_queued) return Drop(SpanDrop::kQueueFull, 1);
  queue_.push_back(std::move(span));
  if (queue_.size() == options_.max_batch) changed_.SignalAll();
}

void SpanExporter::Run() {
  NameThisThread("rondo-traces");
  while (true) {
    const std::vector<Span> batch = AwaitBatch();
    if (batch.empty()) return;
    Deliver(batch);
  }
}

std::vector<Span> SpanExporter::AwaitBatch() {
  const MutexLock lock(&mutex_);
  absl::Time until = SteadyNow() + options_.linger;
  while (!goes_by_ && queue_.size() < options_.max_batch) {
    const absl::Time now = SteadyNow();
    if (now >= until && !queue_.empty()) break;
    if (now >= until) until = now + options_.linger;
    changed_.WaitFor(&mutex_, until - now);
  }
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), options_.max_batch));
  std::vector<Span> batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return batch;
}

void SpanExporter::Deliver(const std::vector<Span>& batch) {
  absl::Duration delay = options_.first_retry;
  while (true) {
    const std::optional<SpanCollector::Answer> answer = SendOnce(batch);
    if (!answer) return Drop(SpanDrop::kStopped, batch.size());
    if (answer->status.ok()) {
      const size_t refused = std::min(answer->refused, batch.size());
      probe_->exported.Add(batch.size() - refused);
      return Drop(SpanDrop::kRefused, refused);
    }
    LogFailure(answer->status, batch.size(), answer->may_retry ? "tried again" : "dropped");
    if (!answer->may_retry) return Drop(SpanDrop::kRefused, batch.size());
    if (!WaitToRetry(delay)) return Drop(SpanDrop::kStopped, batch.size());
    delay = std::min(2 * delay, options_.longest_retry);
  }
}

std::optional<SpanCollector::Answer> SpanExporter::SendOnce(const std::vector<Span>& batch) {
  collector_->Send(batch);
  while (true) {
    std::optional<SpanCollector::Answer> answer = collector_->Look();
    if (answer) return answer;
    const MutexLock lock(&mutex_);
    if (goes_by_ && SteadyNow() >= *goes_by_) break;
    changed_.WaitFor(&mutex_, kLook);
  }
  collector_->CallOff();
  return std::nullopt;
}

bool SpanExporter::WaitToRetry(absl::Duration delay) {
  const absl::Time until = SteadyNow() + delay;
  const MutexLock lock(&mutex_);
  for (absl::Time now = SteadyNow(); !goes_by_ && now < until; now = SteadyNow()) {
    changed_.WaitFor(&mutex_, until - now);
  }
  return !goes_by_;
}

}  // namespace rondo
