#ifndef RONDO_SERVER_METRICS_PROBES_H_
#define RONDO_SERVER_METRICS_PROBES_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/metrics/labelled_cells.h"
#include "server/metrics/metric_cells.h"
#include "server/metrics/page.h"
#include "server/metrics/request_durations.h"
#include "server/refusal/refusal.h"

namespace rondo {

// What each part of the server counts: a row a family. Each part knows its own probe only.

// ---- Requests

// The requests for one model name.
struct ModelRequestsProbe : Probe {
  Metric<RequestDurations> durations{
      this,
      {"rondo_request_duration_seconds",
       "From the arrival of a request message to its answer, in seconds. A message that came while its "
       "serving loop was busy counts from when the loop had last read all messages.",
       {"method", "code"}}};
  Metric<Counter> generated_tokens{this, {"rondo_generated_tokens_total", "Tokens that Generate has sampled."}};
};

// All requests of the server.
struct RequestsProbe : Probe {
  Metric<PerLabel<Counter, Why>> rejected{
      this, {"rondo_rejected_total", "Requests and sequences turned away without being run, by cause.", {"reason"}}};
  Metric<Gauge> in_flight{this,
                          {"rondo_requests_in_flight", "Request messages that have arrived and are not answered yet."}};
  Metric<Gauge> streams{this, {"rondo_streams", "Open streams of requests (StreamPredict, ModelStreamInfer)."}};
  Metric<Gauge> max_streams{this, {"rondo_max_streams", "Most streams of requests that may be open at once."}};
};

// The connections to the gRPC port.
struct ConnectionsProbe : Probe {
  Metric<Gauge> open{this, {"rondo_connections", "Open connections to the gRPC port; recounted every second or few."}};
  Metric<Gauge> max{this, {"rondo_max_connections", "Most connections that may be open at once."}};
  Metric<Counter> accepted{this, {"rondo_connections_accepted_total", "Connections that were let in."}};
  Metric<Gauge> certificate_expires{this,
                                    {"rondo_tls_certificate_expiry_timestamp_seconds",
                                     "When the server's certificate expires, in Unix time; 0: no TLS."}};
};

// ---- The serving loops

// From 1 us: a small network's step takes 2 us.
inline Buckets StepTimes() { return DurationBuckets(absl::Microseconds(1), absl::Seconds(10)); }

// What the serving loops compute with one model name.
struct LoopProbe : Probe {
  Metric<Histogram> queue{
      this,
      {"rondo_queue_duration_seconds", "From the admission of a sequence to its first kernel call, in seconds."},
      StepTimes()};
  Metric<Histogram> step{
      this, {"rondo_step_duration_seconds", "One kernel call over one batch, in seconds."}, StepTimes()};
  Metric<Histogram> batch_size{
      this,
      {"rondo_batch_size", "Steps that ran together in one kernel call."},
      Buckets{{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024}}};
  Metric<Gauge> batch_limit{
      this, {"rondo_batch_size_limit", "Most steps that the last kernel call could have had; 0: there was none yet."}};
  Metric<HistogramSum> steps{this, {"rondo_steps_total", "Timesteps computed."}, HistogramSum{batch_size}};

  // These two are no families of their own; see ModelTotals.
  Counter row_nanoseconds;  // of each batch, as many times as it had rows
  Gauge last_batch_ms;      // Unix milliseconds; 0: none yet

  // Counts `sequences` that waited for `duration` between admission and their first kernel call.
  void ObserveQueue(absl::Duration duration, size_t sequences) { queue.Observe(Nanoseconds(duration), sequences); }
  // Counts `count` steps of one sequence, one after the other, each of which could have had `limit` rows.
  void ObserveTimesteps(absl::Duration duration, size_t count, size_t limit) {
    batch_limit.Set(static_cast<int64_t>(limit));
    const auto each = Nanoseconds(duration / static_cast<int64_t>(count));
    step.Observe(each, count);
    batch_size.Observe(1, count);
    row_nanoseconds.Add(each * count);
    last_batch_ms.Set(absl::ToUnixMillis(absl::Now()));
  }
  // One kernel call over `rows` rows of at most `limit`.
  void ObserveStep(absl::Duration duration, size_t rows, size_t limit) {
    batch_limit.Set(static_cast<int64_t>(limit));
    step.Observe(Nanoseconds(duration));
    batch_size.Observe(rows);
    row_nanoseconds.Add(Nanoseconds(duration) * rows);
    last_batch_ms.Set(absl::ToUnixMillis(absl::Now()));
  }
};

// What one serving loop does.
struct ServingLoopProbe : Probe {
  Metric<TimeCounter> busy{this,
                           {"rondo_loop_busy_seconds_total",
                            "Time that a serving loop did not spend waiting for messages, in seconds. A rate of 1: the "
                            "loop has no time left."}};
  Metric<Gauge> active{
      this, {"rondo_active_sequences", "Sequences of a serving loop that have begun to run, as of its last turn."}};
  Metric<Gauge> queued{
      this, {"rondo_queued_sequences", "Sequences of a serving loop that wait to run, as of its last turn."}};
};

// All serving loops together.
struct LoopsProbe : Probe {
  Metric<Histogram> turn{this,
                         {"rondo_loop_turn_duration_seconds",
                          "For how long a serving loop did not look whether messages had come, or read them, in "
                          "seconds: a message may wait so long before it is read."},
                         StepTimes()};
  Metric<Gauge> max_sequences{
      this, {"rondo_max_sequences", "Most sequences that one serving loop takes, active and queued."}};
};

// ---- Sessions

// What may happen to a session. kAdopted: another version of its model goes on with it. kWentBack: the server that had
// it ended without saving it. kAbandoned: it was idle, and another session needed its place.
enum class SessionEvent {
  kCreated,
  kDeleted,
  kExpired,
  kRestarted,
  kEvicted,
  kRestored,
  kMoved,
  kAdopted,
  kWentBack,
  kAbandoned,
  kCount
};
constexpr absl::string_view LabelOf(SessionEvent event) {
  return Pick(event, {"created", "deleted", "expired", "restarted", "evicted", "restored", "moved", "adopted",
                      "went_back", "abandoned"});
}

// The sessions of one model name.
struct ModelSessionsProbe : Probe {
  Metric<Gauge> live{
      this, {"rondo_sessions", "Live sessions in memory; with a session store others may be in the store only."}};
  Metric<PerLabel<Counter, SessionEvent>> events{
      this, {"rondo_session_events_total", "Sessions that began or ended, by what happened.", {"event"}}};

  // A session is live from now on.
  void Began(SessionEvent event) {
    events[event].Add();
    live.Add(1);
  }
  // A live session is live no more.
  void Ended(SessionEvent event) {
    events[event].Add();
    live.Add(-1);
  }
};

// All sessions of the server.
struct SessionsProbe : Probe {
  Metric<Gauge> state_bytes{
      this, {"rondo_session_state_bytes", "Memory of all session state slots, used or free, in bytes."}};
  Metric<Gauge> max{this, {"rondo_max_sessions", "Most live sessions that may be in memory."}};
  Metric<Gauge> unsaved{
      this, {"rondo_unsaved_sessions", "Sessions that have changed since they were last in the session store."}};
};

// ---- Tenants

// Says what a tenant may have or take only so much of.
enum class TenantLimit { kSessions, kStreams, kConnections, kSteps, kBytes, kCount };
constexpr absl::string_view LabelOf(TenantLimit limit) {
  return Pick(limit, {"sessions", "streams", "connections", "steps", "bytes"});
}

// The tenants of one class, a word of --tokens_file.
struct TenantClassProbe : Probe {
  Metric<Gauge> tenants{this, {"rondo_tenants", "Tenants of a class that the server knows; counted once a second."}};
  Metric<Gauge> sessions{
      this, {"rondo_tenant_sessions", "Live sessions in memory of the tenants of a class; counted once a second."}};
  Metric<Gauge> streams{this,
                        {"rondo_tenant_streams", "Open streams of the tenants of a class; counted once a second."}};
  Metric<Gauge> connections{this,
                            {"rondo_tenant_connections",
                             "Connections of those tenants of a class whose connections are limited; counted once a "
                             "second."}};
  Metric<Counter> steps{this,
                        {"rondo_tenant_steps_total", "Steps of requests that were let in, of the tenants of a class."}};
  Metric<Counter> bytes{this,
                        {"rondo_tenant_bytes_total", "Bytes of requests that were let in, of the tenants of a class."}};
  Metric<PerLabel<Counter, TenantLimit>> refused{
      this,
      {"rondo_tenant_refused_total",
       "What the tenants of a class were refused, by the limit they had reached.",
       {"limit"}}};
};

// ---- The session store

// The calls to a session store that are measured; see SessionStore.
enum class StoreOperation { kLoad, kSave, kScan, kCount };
constexpr absl::string_view LabelOf(StoreOperation operation) { return Pick(operation, {"load", "save", "scan"}); }

struct StoreProbe : Probe {
  Metric<PerLabel<Histogram, StoreOperation>> durations{
      this,
      {"rondo_store_duration_seconds", "One call to the session store, of one or many sessions, in seconds.", {"op"}},
      RequestTimes()};
  Metric<PerLabel<Counter, StoreOperation>> errors{
      this,
      {"rondo_store_errors_total",
       "Sessions that the store could not load or save, and looks through it that failed.",
       {"op"}}};
  Metric<Gauge> up{
      this,
      {"rondo_store_up",
       "0 if the session store answered the last load or save for none of its sessions, else 1; without a store 1."},
      1};
  Metric<Counter> damaged_bytes{this,
                                {"rondo_store_damaged_bytes_total",
                                 "Bytes of the session store's log that were damaged and left out at the start."}};

  // One call, whatever the number of its sessions; it failed for `failed_sessions` of them, and `answered` for any.
  void Observe(StoreOperation operation, absl::Duration duration, size_t failed_sessions, bool answered) {
    // A look through a store that serves may be refused: a user of Redis may lack the right to.
    if (operation != StoreOperation::kScan) up.Set(answered ? 1 : 0);
    durations[operation].Observe(Nanoseconds(duration));
    errors[operation].Add(failed_sessions);
  }
};

// ---- Traces

// Why a span was not sent: too many waited, the collector does not want it, or the server ended first.
enum class SpanDrop { kQueueFull, kRefused, kStopped, kCount };
constexpr absl::string_view LabelOf(SpanDrop cause) { return Pick(cause, {"queue_full", "refused", "stopped"}); }

// The spans of sampled requests.
struct TracingProbe : Probe {
  Metric<Counter> exported{this, {"rondo_spans_exported_total", "Spans that the collector of traces has taken."}};
  Metric<PerLabel<Counter, SpanDrop>> dropped{
      this, {"rondo_spans_dropped_total", "Spans that no collector of traces has, by why.", {"cause"}}};
};

// ---- Models

// The files of one model name.
struct ModelRegistryProbe : Probe {
  Metric<Histogram> load{
      this,
      {"rondo_model_load_duration_seconds", "Reading a model file and preparing its network, in seconds."},
      DurationBuckets(absl::Milliseconds(1), absl::Seconds(100))};
};

// All models of the server.
struct RegistryProbe : Probe {
  Metric<PerVersion> live{this,
                          {"rondo_model_info",
                           "Always 1 for each live model version; the labels describe it.",
                           {"model", "version", "cell", "kernel", "dtype", "deterministic"}}};
  Metric<PerVersion> loaded{this,
                            {"rondo_model_loaded",
                             "1 for each model version whose newest file is live, 0 if that file could not be loaded.",
                             {"model", "version"}}};
  Metric<Counter> load_failures{
      this, {"rondo_model_load_failures_total", "Model files that could not be loaded, each counted once a cause."}};
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_PROBES_H_
