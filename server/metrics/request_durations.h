#ifndef RONDO_SERVER_METRICS_REQUEST_DURATIONS_H_
#define RONDO_SERVER_METRICS_REQUEST_DURATIONS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/metrics/labelled_cells.h"
#include "server/metrics/metric_cells.h"
#include "server/metrics/traced_histogram.h"

namespace rondo {

// The calls whose latency is measured.
enum class Method { kPredict, kStreamPredict, kForecast, kGenerate, kModelInfer, kModelStreamInfer, kCount };
constexpr absl::string_view LabelOf(Method method) {
  return Pick(method, {"Predict", "StreamPredict", "Forecast", "Generate", "ModelInfer", "ModelStreamInfer"});
}

inline Buckets RequestTimes() { return DurationBuckets(absl::Microseconds(10), absl::Seconds(10)); }

// The durations of requests by method and by the code of their answer. A histogram is made when its code is first seen.
//
// Threads: every method may be called from any thread.
class RequestDurations : public LabelledCells {
 public:
  RequestDurations();
  ~RequestDurations();

  // `trace_id`: of the trace that shows the request; null: none does. Takes a lock if one does; allocates when the
  // method ends with a code that it has not ended with before.
  void Observe(Method method, absl::StatusCode code, absl::Duration duration,
               const std::array<uint8_t, 16>* trace_id = nullptr);

  template <typename Show>
  void ForEach(Show show) const {
    for (size_t method = 0; method < kCountOf<Method>; ++method) {
      for (size_t code = 0; code < kNumCodes; ++code) {
        const TracedHistogram* const cell = cells_[method][code].load(std::memory_order_acquire);
        if (cell == nullptr) continue;
        show({LabelOf(static_cast<Method>(method)), absl::StatusCodeToString(static_cast<absl::StatusCode>(code))},
             *cell);
      }
    }
  }

 private:
  static constexpr size_t kNumCodes = 17;  // of gRPC, 0..16

  TracedHistogram& Cell(size_t method, size_t code);

  std::array<std::array<std::atomic<TracedHistogram*>, kNumCodes>, kCountOf<Method>> cells_{};  // owned
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_REQUEST_DURATIONS_H_
