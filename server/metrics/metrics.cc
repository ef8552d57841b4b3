#include "server/metrics/metrics.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <map>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "prometheus/collectable.h"
#include "prometheus/exposer.h"
#include "prometheus/text_serializer.h"
#include "server/metrics/metric_families.h"
#include "server/metrics/model_counts.h"

namespace rondo {
namespace {

using prometheus::MetricFamily;

constexpr std::array<absl::string_view, kNumRejections> kRejectionNames = {
    "invalid",  "not_found", "position", "queue_full", "sessions_full", "streams_full",
    "deadline", "cancelled", "draining", "moved",      "store"};

constexpr std::array<absl::string_view, kNumStoreOperations> kStoreOperationNames = {"load", "save"};

absl::Span<const uint64_t> StoreBounds() {
  static const auto* bounds = new std::vector<uint64_t>(LatencyBounds(10'000, 10'000'000'000));  // 10 us .. 10 s
  return *bounds;
}

// civetweb reads more into its port list than an address (more ports after commas, `s` for TLS, `r` for redirect), so
// only HOST:PORT of plain characters reaches it.
absl::Status CheckAddress(absl::string_view address) {
  const size_t colon = address.rfind(':');
  const absl::string_view host = address.substr(0, colon);
  int port = -1;
  const bool parsed = colon != absl::string_view::npos && absl::SimpleAtoi(address.substr(colon + 1), &port) &&
                      absl::c_all_of(address.substr(colon + 1), absl::ascii_isdigit);
  const bool plain = absl::c_all_of(
      host, [](unsigned char c) { return absl::ascii_isalnum(c) || absl::StrContains(".-:[]", static_cast<char>(c)); });
  if (parsed && plain && !host.empty() && port <= 65535) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", address, "\" is not an address to listen on; wanted HOST:PORT, port 0..65535"));
}

absl::Status ListenError(const std::string& address, int error) {
  const absl::string_view cause = error != 0                       ? strerror(error)
                                  : absl::StartsWith(address, "[") ? "the HTTP library was built without IPv6"
                                                                   : "not an address of this machine";
  return absl::UnavailableError(absl::StrCat("cannot serve /metrics on ", address, ": ", cause));
}

}  // namespace

class Metrics::Impl {
 public:
  ModelCounts* ForModel(absl::string_view model) {
    const MutexLock lock(&mutex_);
    std::unique_ptr<ModelCounts>& counts = models_[LabelValue(model)];
    if (counts == nullptr) counts = std::make_unique<ModelCounts>();
    return counts.get();
  }

  void SetModelInfo(absl::string_view model, int64_t version, absl::string_view cell, absl::string_view kernel) {
    const MutexLock lock(&mutex_);
    infos_[{LabelValue(model), version}] = {LabelValue(cell), LabelValue(kernel)};
  }

  void RemoveModelInfo(absl::string_view model, int64_t version) {
    const MutexLock lock(&mutex_);
    infos_.erase({LabelValue(model), version});
  }

  absl::Status Listen(const std::string& address) {
    if (absl::Status status = CheckAddress(address); !status.ok()) return status;
    if (exposer_ != nullptr) return absl::FailedPreconditionError("already serving /metrics");
    errno = 0;
    try {
      // A scraper or two at once; a slow reader holds one thread for at most the timeout.
      exposer_ = std::make_unique<prometheus::Exposer>(
          std::vector<std::string>{"listening_ports", address, "num_threads", "4", "request_timeout_ms", "10000"});
      exposer_->RegisterCollectable(page_);
      port_ = exposer_->GetListeningPorts().at(0);
    } catch (const std::exception&) {  // its text says no more than that it failed
      const int error = errno;
      exposer_.reset();
      return ListenError(address, error);
    }
    return absl::OkStatus();
  }

  std::vector<MetricFamily> Collect() const {
    std::vector<MetricFamily> families;
    AppendModels(&families);
    MetricFamily& refusals = families.emplace_back(
        CounterFamily("rondo_rejected_total", "Requests and sequences turned away without being run, by cause."));
    for (size_t i = 0; i < kNumRejections; ++i) {
      AddCounter(static_cast<double>(rejected[i].Value()), {{"reason", std::string(kRejectionNames[i])}}, &refusals);
    }
    MetricFamily& in_flight = families.emplace_back(
        GaugeFamily("rondo_requests_in_flight", "Request messages that have arrived and are not answered yet."));
    AddGauge(static_cast<double>(requests_in_flight.Value()), {}, &in_flight);
    MetricFamily& state = families.emplace_back(
        GaugeFamily("rondo_session_state_bytes", "Memory of all session state slots, used or free, in bytes."));
    AddGauge(static_cast<double>(session_state_bytes.Value()), {}, &state);
    MetricFamily& unsaved = families.emplace_back(
        GaugeFamily("rondo_unsaved_sessions", "Sessions that have changed since they were last in the session store."));
    AddGauge(static_cast<double>(unsaved_sessions.Value()), {}, &unsaved);
    AppendStore(&families);
    families.push_back(BuildInfoFamily());
    AppendProcessFamilies(ReadProcessStats(), &families);
    return families;
  }

  // Any thread, without the lock.
  std::array<Counter, kNumRejections> rejected;
  Gauge requests_in_flight;
  Gauge session_state_bytes;
  Gauge unsaved_sessions;
  struct StoreCounts {
    Histogram durations{StoreBounds()};
    Counter errors;
  };
  std::array<StoreCounts, kNumStoreOperations> store;
  int port_ = 0;

 private:
  struct ModelInfo {
    std::string cell;
    std::string kernel;
  };

  // What the exposer scrapes; it holds a weak pointer, so this is not Impl itself.
  class Page : public prometheus::Collectable {
   public:
    explicit Page(const Impl* impl) : impl_(impl) {}
    std::vector<MetricFamily> Collect() const override { return impl_->Collect(); }

   private:
    const Impl* const impl_;
  };

  void AppendModels(std::vector<MetricFamily>* families) const {
    ModelFamilies of_models;
    MetricFamily info =
        GaugeFamily("rondo_model_info", "Always 1 for each live model version; the labels describe it.");
    const MutexLock lock(&mutex_);
    for (const auto& [name, counts] : models_) counts->AppendTo(name, &of_models);
    of_models.MoveTo(families);
    for (const auto& [key, value] : infos_) {
      AddGauge(1,
               {{"model", key.first},
                {"version", absl::StrCat(key.second)},
                {"cell", value.cell},
                {"kernel", value.kernel},
                {"dtype", "f32"}},
               &info);
    }
    if (!info.metric.empty()) families->push_back(std::move(info));
  }

  void AppendStore(std::vector<MetricFamily>* families) const {
    MetricFamily durations = HistogramFamily("rondo_store_duration_seconds",
                                             "One call to the session store, of one or many sessions, in seconds.");
    MetricFamily errors = CounterFamily("rondo_store_errors_total", "Sessions that the store could not load or save.");
    for (size_t i = 0; i < kNumStoreOperations; ++i) {
      const MetricLabels labels = {{"op", std::string(kStoreOperationNames[i])}};
      AddHistogram(store[i].durations, kNanosecondsPerSecond, labels, &durations);
      AddCounter(static_cast<double>(store[i].errors.Value()), labels, &errors);
    }
    families->push_back(std::move(durations));
    families->push_back(std::move(errors));
  }

  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<ModelCounts>> models_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, int64_t>, ModelInfo> infos_ ABSL_GUARDED_BY(mutex_);

  const std::shared_ptr<Page> page_ = std::make_shared<Page>(this);
  std::unique_ptr<prometheus::Exposer> exposer_;  // last: its threads read all of the above
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

ModelMetrics* Metrics::ForModel(absl::string_view model) { return impl_->ForModel(model); }
void Metrics::CountRejected(Rejection reason) { impl_->rejected[static_cast<size_t>(reason)].Add(); }
Gauge& Metrics::requests_in_flight() { return impl_->requests_in_flight; }
Gauge& Metrics::session_state_bytes() { return impl_->session_state_bytes; }
Gauge& Metrics::unsaved_sessions() { return impl_->unsaved_sessions; }
void Metrics::SetModelInfo(absl::string_view model, int64_t version, absl::string_view cell, absl::string_view kernel) {
  impl_->SetModelInfo(model, version, cell, kernel);
}
void Metrics::RemoveModelInfo(absl::string_view model, int64_t version) { impl_->RemoveModelInfo(model, version); }
void Metrics::ObserveModelLoad(absl::string_view model, absl::Duration duration) {
  impl_->ForModel(model)->ObserveLoad(duration);
}
void Metrics::ObserveStore(StoreOperation operation, absl::Duration duration, size_t errors) {
  auto& counts = impl_->store[static_cast<size_t>(operation)];
  counts.durations.Observe(Nanoseconds(duration));
  counts.errors.Add(errors);
}
absl::Status Metrics::Listen(const std::string& address) { return impl_->Listen(address); }
int Metrics::port() const { return impl_->port_; }
std::string Metrics::Serialize() const { return prometheus::TextSerializer().Serialize(impl_->Collect()); }

}  // namespace rondo
