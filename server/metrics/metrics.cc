#include "server/metrics/metrics.h"

#include <cstddef>

#include "server/metrics/page.h"
#include "server/metrics/process_probe.h"

namespace rondo {

ModelTotals ModelMetrics::Totals() const {
  ModelTotals totals;
  for (size_t i = 0; i < CountOf<Method>(); ++i) {
    const auto method = static_cast<Method>(i);
    if (method != Method::kForecast) requests.durations.AddTo(method, &totals.succeeded, &totals.failed);
  }
  totals.queue = TotalOf(loop.queue);
  totals.compute = {loop.batch_size.Read().sum, loop.row_nanoseconds.Value()};
  totals.batches = TotalOf(loop.step).count;
  totals.last_batch_ms = loop.last_batch_ms.Value();
  return totals;
}

ModelMetrics* Metrics::ForModel(absl::string_view model) {
  const MutexLock lock(&mutex_);
  std::unique_ptr<ModelMetrics>& metrics = models_[LabelValue(model)];
  if (metrics == nullptr) metrics = std::make_unique<ModelMetrics>();
  return metrics.get();
}

void Metrics::Show(Page* page) const {
  {
    const MutexLock lock(&mutex_);
    for (const auto& [name, metrics] : models_) {
      const Labels labels = {{"model", name}};
      metrics->requests.Show(labels, page);
      metrics->loop.Show(labels, page);
      metrics->sessions.Show(labels, page);
      metrics->registry.Show(labels, page);
    }
  }
  registry_.Show({}, page);
  connections_.Show({}, page);
  requests_.Show({}, page);
  sessions_.Show({}, page);
  store_.Show({}, page);
  ShowProcess(page);
}

std::string Metrics::Serialize() const {
  Page page;
  Show(&page);
  return page.Text();
}

}  // namespace rondo
