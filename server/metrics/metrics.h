#ifndef RONDO_SERVER_METRICS_METRICS_H_
#define RONDO_SERVER_METRICS_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/metrics/metric_cells.h"

namespace rondo {

// The calls whose latency is measured.
enum class Method { kPredict, kStreamPredict, kForecast, kModelInfer, kModelStreamInfer };
inline constexpr size_t kNumMethods = 5;

enum class SessionEvent {
  kCreated,
  kDeleted,
  kExpired,
  kRestarted,
  kEvicted,
  kRestored,
  kMoved,
  kAdopted  // another version of its model goes on with it
};
inline constexpr size_t kNumSessionEvents = 8;

// Why a request was turned away without being run.
enum class Rejection {
  kInvalid,
  kNotFound,
  kPosition,
  kQueueFull,
  kSessionsFull,
  kStreamsFull,
  kDeadline,
  kCancelled,
  kDraining,
  kMoved,  // another server has the session
  kStore   // the session store is away, or what it has is damaged
};
inline constexpr size_t kNumRejections = 11;

// The calls to a session store that are measured; see SessionStore.
enum class StoreOperation { kLoad, kSave };
inline constexpr size_t kNumStoreOperations = 2;

// How often something happened, and its time in all.
struct CountAndTime {
  uint64_t count = 0;
  uint64_t nanoseconds = 0;
};

// What one model name has done so far. Each number only grows.
struct ModelTotals {
  CountAndTime succeeded;     // messages but forecasts
  CountAndTime failed;        // the same
  CountAndTime queue;         // sequences: from admission to the first kernel call
  CountAndTime compute;       // timesteps: each has taken as long as its batch
  uint64_t batches = 0;       // kernel calls
  int64_t last_batch_ms = 0;  // Unix milliseconds; 0: none yet
};

// The numbers of one model name. Any thread; none of these takes a lock, and none allocates but the first request that
// ends with a (method, code) not seen before.
class ModelMetrics {
 public:
  virtual ~ModelMetrics() = default;
  virtual void ObserveRequest(Method method, absl::StatusCode code, absl::Duration duration) = 0;
  // So many sequences waited `duration` between admission and their first kernel call.
  virtual void ObserveQueue(absl::Duration duration, size_t sequences) = 0;
  // One kernel call over `batch_size` rows.
  virtual void ObserveStep(absl::Duration duration, size_t batch_size) = 0;
  virtual void CountSessionEvent(SessionEvent event) = 0;
  virtual Gauge& sessions() = 0;
  virtual ModelTotals Totals() const = 0;
};

// Every metric of the server, by name; the only part that knows prometheus-cpp.
//
// Ownership: made first and destroyed last; ModelMetrics live as long as it.
// Threads:   every method may be called from any thread.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // The numbers of the model name, made on first use and kept. Never null.
  ModelMetrics* ForModel(absl::string_view model);
  void CountRejected(Rejection reason);
  Gauge& requests_in_flight();
  Gauge& session_state_bytes();
  Gauge& unsaved_sessions();  // with a store: changed since their last save
  // Replaces what model_info says of (model, version).
  void SetModelInfo(absl::string_view model, int64_t version, absl::string_view cell, absl::string_view kernel);
  void RemoveModelInfo(absl::string_view model, int64_t version);
  void ObserveModelLoad(absl::string_view model, absl::Duration duration);
  // One call to the session store, whatever the number of sessions; `errors`: of how many sessions it failed.
  void ObserveStore(StoreOperation operation, absl::Duration duration, size_t errors);

  // Serves GET /metrics on `address` ("host:port", port 0: any free one). UNAVAILABLE: cannot listen there.
  absl::Status Listen(const std::string& address);
  int port() const;
  // The page /metrics would show.
  std::string Serialize() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_METRICS_H_
