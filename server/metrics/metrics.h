#ifndef RONDO_SERVER_METRICS_METRICS_H_
#define RONDO_SERVER_METRICS_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "server/metrics/probes.h"

namespace rondo {

// What one model name has done so far. Each number only grows.
struct ModelTotals {
  CountAndTime succeeded;     // messages but forecasts and generations
  CountAndTime failed;        // messages but forecasts and generations
  CountAndTime queue;         // sequences: from admission to the first kernel call
  CountAndTime compute;       // timesteps: each has taken as long as its batch
  uint64_t batches = 0;       // kernel calls
  int64_t last_batch_ms = 0;  // Unix milliseconds; 0: none yet
};

// What is counted of one model name: a probe a part.
struct ModelMetrics {
  ModelRequestsProbe requests;
  LoopProbe loop;
  ModelSessionsProbe sessions;
  ModelRegistryProbe registry;

  ModelTotals Totals() const;
};

// Every number of the server: a probe a part, and those of each model.
//
// Ownership: made first and destroyed last; ModelMetrics live as long as it.
// Threads:   every method may be called from any thread.
class Metrics {
 public:
  // Returns the counts of a model name, which are made on first use and kept. Never null.
  ModelMetrics* ForModel(absl::string_view model);
  // Returns the counts of the serving loop of this number, likewise.
  ServingLoopProbe* ForLoop(size_t number);
  // Returns the counts of the tenants of this class, likewise. There are few classes: see Tenants.
  TenantClassProbe* ForTenantClass(absl::string_view tenant_class);
  LoopsProbe* loops() { return &loops_probe_; }
  RequestsProbe* requests() { return &requests_; }
  SessionsProbe* sessions() { return &sessions_; }
  StoreProbe* store() { return &store_; }
  RegistryProbe* registry() { return &registry_; }
  TracingProbe* tracing() { return &tracing_; }
  ConnectionsProbe* connections() { return &connections_; }

  void Show(Page* page) const;
  // The page as text, in Prometheus' format.
  std::string Serialize() const;
  // The page as OpenMetrics 1.0, with exemplars.
  std::string SerializeOpenMetrics() const;

 private:
  LoopsProbe loops_probe_;
  RequestsProbe requests_;
  SessionsProbe sessions_;
  StoreProbe store_;
  RegistryProbe registry_;
  TracingProbe tracing_;
  ConnectionsProbe connections_;

  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<ModelMetrics>> models_ ABSL_GUARDED_BY(mutex_);
  std::map<size_t, std::unique_ptr<ServingLoopProbe>> loops_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<TenantClassProbe>> tenant_classes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_METRICS_H_
