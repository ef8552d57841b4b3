#ifndef RONDO_SERVER_METRICS_MODEL_COUNTS_H_
#define RONDO_SERVER_METRICS_MODEL_COUNTS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "prometheus/metric_family.h"
#include "server/metrics/metric_cells.h"
#include "server/metrics/metrics.h"

namespace rondo {

// The families with a label `model`, filled by each model in turn.
struct ModelFamilies {
  ModelFamilies();
  void MoveTo(std::vector<prometheus::MetricFamily>* families);

  prometheus::MetricFamily requests, queue, step, batch_size, steps, sessions, session_events, load;
};

// What one model name has counted.
//
// Threads: every method may be called from any thread.
class ModelCounts : public ModelMetrics {
 public:
  ModelCounts();
  ~ModelCounts() override;

  void ObserveRequest(Method method, absl::StatusCode code, absl::Duration duration) override;
  void ObserveQueue(absl::Duration duration, size_t sequences) override;
  void ObserveStep(absl::Duration duration, size_t batch_size) override;
  void CountSessionEvent(SessionEvent event) override;
  Gauge& sessions() override { return sessions_; }
  ModelTotals Totals() const override;
  void ObserveLoad(absl::Duration duration);

  void AppendTo(const std::string& model, ModelFamilies* families) const;

 private:
  static constexpr size_t kNumCodes = 17;  // of gRPC, 0..16

  Histogram& Requests(size_t method, size_t code);

  std::array<std::array<std::atomic<Histogram*>, kNumCodes>, kNumMethods> requests_{};  // owned; made when first seen
  Histogram queue_;
  Histogram step_;
  Histogram batch_size_;  // its sum is steps_total
  Histogram load_;
  std::array<Counter, kNumSessionEvents> session_events_;
  Gauge sessions_;
  Counter row_nanoseconds_;  // of each batch, as many times as it had rows
  Gauge last_batch_ms_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_MODEL_COUNTS_H_
