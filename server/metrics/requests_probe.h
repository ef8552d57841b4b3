#ifndef RONDO_SERVER_METRICS_REQUESTS_PROBE_H_
#define RONDO_SERVER_METRICS_REQUESTS_PROBE_H_

#include <array>
#include <atomic>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/metrics/durations.h"
#include "server/metrics/label_values.h"
#include "server/metrics/metric_cells.h"
#include "server/metrics/probe.h"
#include "server/refusal/refusal.h"

namespace rondo {

// The calls whose latency is measured.
enum class Method { kPredict, kStreamPredict, kForecast, kModelInfer, kModelStreamInfer };

constexpr absl::string_view LabelOf(Method method) {
  switch (method) {
    case Method::kPredict:
      return "Predict";
    case Method::kStreamPredict:
      return "StreamPredict";
    case Method::kForecast:
      return "Forecast";
    case Method::kModelInfer:
      return "ModelInfer";
    case Method::kModelStreamInfer:
      return "ModelStreamInfer";
  }
  return {};
}

// The durations of requests by method and by the code of their answer. A histogram is made when its code is first seen.
//
// Threads: every method may be called from any thread.
class RequestDurations {
 public:
  RequestDurations();
  ~RequestDurations();

  // Takes no lock; allocates when the method ends with a code that it has not ended with before.
  void Observe(Method method, absl::StatusCode code, absl::Duration duration);
  // Adds what `method` has counted to one of these, by whether it succeeded.
  void AddTo(Method method, CountAndTime* succeeded, CountAndTime* failed) const;

  template <typename Show>
  void ForEach(Show show) const {
    for (size_t method = 0; method < kNumMethods; ++method) {
      for (size_t code = 0; code < kNumCodes; ++code) {
        const Histogram* const cell = cells_[method][code].load(std::memory_order_acquire);
        if (cell == nullptr) continue;
        show({LabelOf(static_cast<Method>(method)), absl::StatusCodeToString(static_cast<absl::StatusCode>(code))},
             *cell);
      }
    }
  }

 private:
  static constexpr size_t kNumMethods = CountOf<Method>();
  static constexpr size_t kNumCodes = 17;  // of gRPC, 0..16

  Histogram& Cell(size_t method, size_t code);

  std::array<std::array<std::atomic<Histogram*>, kNumCodes>, kNumMethods> cells_{};  // owned
};

// The requests for one model name.
struct ModelRequestsProbe : Probe {
  Metric<RequestDurations> durations{this,
                                     {"rondo_request_duration_seconds",
                                      "From the arrival of a request message to its answer, in seconds.",
                                      {"method", "code"}}};
};

// All requests of the server.
struct RequestsProbe : Probe {
  Metric<PerLabel<Counter, Why>> rejected{
      this, {"rondo_rejected_total", "Requests and sequences turned away without being run, by cause.", {"reason"}}};
  Metric<Gauge> in_flight{this,
                          {"rondo_requests_in_flight", "Request messages that have arrived and are not answered yet."}};
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_REQUESTS_PROBE_H_
