#include "server/metrics/model_counts.h"

#include <cstdint>
#include <numeric>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "server/metrics/metric_families.h"

namespace rondo {
namespace {

constexpr std::array<absl::string_view, kNumMethods> kMethodNames = {"Predict", "StreamPredict", "Forecast",
                                                                     "ModelInfer", "ModelStreamInfer"};
constexpr std::array<absl::string_view, kNumSessionEvents> kSessionEventNames = {
    "created", "deleted", "expired", "restarted", "evicted", "restored", "moved", "adopted"};

absl::Span<const uint64_t> RequestBounds() {
  static const auto* bounds = new std::vector<uint64_t>(LatencyBounds(10'000, 10'000'000'000));  // 10 us .. 10 s
  return *bounds;
}

// From 1 us: a small network's step takes 2 us.
absl::Span<const uint64_t> StepBounds() {
  static const auto* bounds = new std::vector<uint64_t>(LatencyBounds(1'000, 10'000'000'000));  // 1 us .. 10 s
  return *bounds;
}

absl::Span<const uint64_t> LoadBounds() {
  static const auto* bounds = new std::vector<uint64_t>(LatencyBounds(1'000'000, 100'000'000'000));  // 1 ms .. 100 s
  return *bounds;
}

constexpr std::array<uint64_t, 20> kBatchSizeBounds = {1,  2,  3,  4,   6,   8,   12,  16,  24,  32,
                                                       48, 64, 96, 128, 192, 256, 384, 512, 768, 1024};

void AddTo(const Histogram& histogram, CountAndTime* total) {
  const Histogram::Snapshot snapshot = histogram.Read();
  total->count = std::accumulate(snapshot.counts.begin(), snapshot.counts.end(), total->count);
  total->nanoseconds += snapshot.sum;
}

}  // namespace

ModelFamilies::ModelFamilies()
    : requests(HistogramFamily("rondo_request_duration_seconds",
                               "From the arrival of a request message to its answer, in seconds.")),
      queue(HistogramFamily("rondo_queue_duration_seconds",
                            "From the admission of a sequence to its first kernel call, in seconds.")),
      step(HistogramFamily("rondo_step_duration_seconds", "One kernel call over one batch, in seconds.")),
      batch_size(HistogramFamily("rondo_batch_size", "Steps that ran together in one kernel call.")),
      steps(CounterFamily("rondo_steps_total", "Timesteps computed.")),
      sessions(GaugeFamily("rondo_sessions", "Live sessions.")),
      session_events(CounterFamily("rondo_session_events_total", "Sessions that began or ended, by what happened.")),
      load(HistogramFamily("rondo_model_load_duration_seconds",
                           "Reading a model file and preparing its network, in seconds.")) {}

void ModelFamilies::MoveTo(std::vector<prometheus::MetricFamily>* families) {
  for (auto* family : {&requests, &queue, &step, &batch_size, &steps, &sessions, &session_events, &load}) {
    if (!family->metric.empty()) families->push_back(std::move(*family));
  }
}

ModelCounts::ModelCounts()
    : queue_(StepBounds()), step_(StepBounds()), batch_size_(kBatchSizeBounds), load_(LoadBounds()) {
  // The series of OK exist from the start: the first requests then show up in a rate.
  for (size_t method = 0; method < kNumMethods; ++method) Requests(method, 0);
}

ModelCounts::~ModelCounts() {
  for (auto& by_code : requests_) {
    for (auto& histogram : by_code) delete histogram.load();
  }
}

Histogram& ModelCounts::Requests(size_t method, size_t code) {
  std::atomic<Histogram*>& slot = requests_[method][code];
  Histogram* histogram = slot.load(std::memory_order_acquire);
  if (histogram != nullptr) return *histogram;
  auto made = std::make_unique<Histogram>(RequestBounds());
  if (slot.compare_exchange_strong(histogram, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *histogram;  // another thread was first
}

void ModelCounts::ObserveRequest(Method method, absl::StatusCode code, absl::Duration duration) {
  auto number = static_cast<size_t>(code);
  if (number >= kNumCodes) number = static_cast<size_t>(absl::StatusCode::kUnknown);
  Requests(static_cast<size_t>(method), number).Observe(Nanoseconds(duration));
}

void ModelCounts::ObserveQueue(absl::Duration duration, size_t sequences) {
  queue_.Observe(Nanoseconds(duration), sequences);
}

void ModelCounts::ObserveStep(absl::Duration duration, size_t batch_size) {
  step_.Observe(Nanoseconds(duration));
  batch_size_.Observe(batch_size);
  row_nanoseconds_.Add(Nanoseconds(duration) * batch_size);
  last_batch_ms_.Set(absl::ToUnixMillis(absl::Now()));
}

ModelTotals ModelCounts::Totals() const {
  ModelTotals totals;
  for (size_t method = 0; method < kNumMethods; ++method) {
    if (method == static_cast<size_t>(Method::kForecast)) continue;
    for (size_t code = 0; code < kNumCodes; ++code) {
      const Histogram* histogram = requests_[method][code].load(std::memory_order_acquire);
      if (histogram != nullptr) AddTo(*histogram, code == 0 ? &totals.succeeded : &totals.failed);
    }
  }
  AddTo(queue_, &totals.queue);
  totals.compute = {batch_size_.Read().sum, row_nanoseconds_.Value()};
  CountAndTime steps;
  AddTo(step_, &steps);
  totals.batches = steps.count;
  totals.last_batch_ms = last_batch_ms_.Value();
  return totals;
}

void ModelCounts::CountSessionEvent(SessionEvent event) { session_events_[static_cast<size_t>(event)].Add(); }

void ModelCounts::ObserveLoad(absl::Duration duration) { load_.Observe(Nanoseconds(duration)); }

void ModelCounts::AppendTo(const std::string& model, ModelFamilies* families) const {
  for (size_t method = 0; method < kNumMethods; ++method) {
    for (size_t code = 0; code < kNumCodes; ++code) {
      const Histogram* histogram = requests_[method][code].load(std::memory_order_acquire);
      if (histogram == nullptr) continue;
      AddHistogram(*histogram, kNanosecondsPerSecond,
                   {{"model", model},
                    {"method", std::string(kMethodNames[method])},
                    {"code", absl::StatusCodeToString(static_cast<absl::StatusCode>(code))}},
                   &families->requests);
    }
  }
  AddHistogram(queue_, kNanosecondsPerSecond, {{"model", model}}, &families->queue);
  AddHistogram(step_, kNanosecondsPerSecond, {{"model", model}}, &families->step);
  AddHistogram(batch_size_, 1, {{"model", model}}, &families->batch_size);
  AddCounter(static_cast<double>(batch_size_.Read().sum), {{"model", model}}, &families->steps);
  AddGauge(static_cast<double>(sessions_.Value()), {{"model", model}}, &families->sessions);
  for (size_t event = 0; event < kNumSessionEvents; ++event) {
    AddCounter(static_cast<double>(session_events_[event].Value()),
               {{"model", model}, {"event", std::string(kSessionEventNames[event])}}, &families->session_events);
  }
  AddHistogram(load_, kNanosecondsPerSecond, {{"model", model}}, &families->load);
}

}  // namespace rondo
