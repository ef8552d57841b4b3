#include "server/metrics/metrics.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "server/metrics/page.h"

namespace rondo {

ModelTotals ModelMetrics::Totals() const {
  ModelTotals totals;
  requests.durations.ForEach([&totals](absl::Span<const absl::string_view> labels, const Histogram& durations) {
    if (labels[0] == LabelOf(Method::kForecast) || labels[0] == LabelOf(Method::kGenerate)) return;
    durations.AddTo(labels[1] == "OK" ? &totals.succeeded : &totals.failed);
  });
  CountAndTime batches;
  loop.step.AddTo(&batches);
  loop.queue.AddTo(&totals.queue);
  totals.compute = {loop.batch_size.Read().sum, loop.row_nanoseconds.Value()};
  totals.batches = batches.count;
  totals.last_batch_ms = loop.last_batch_ms.Value();
  return totals;
}

ModelMetrics* Metrics::ForModel(absl::string_view model) {
  const MutexLock lock(&mutex_);
  std::unique_ptr<ModelMetrics>& metrics = models_[LabelValue(model)];
  if (metrics == nullptr) metrics = std::make_unique<ModelMetrics>();
  return metrics.get();
}

ServingLoopProbe* Metrics::ForLoop(size_t number) {
  const MutexLock lock(&mutex_);
  std::unique_ptr<ServingLoopProbe>& probe = loops_[number];
  if (probe == nullptr) probe = std::make_unique<ServingLoopProbe>();
  return probe.get();
}

TenantClassProbe* Metrics::ForTenantClass(absl::string_view tenant_class) {
  const MutexLock lock(&mutex_);
  std::unique_ptr<TenantClassProbe>& probe = tenant_classes_[LabelValue(tenant_class)];
  if (probe == nullptr) probe = std::make_unique<TenantClassProbe>();
  return probe.get();
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
    for (const auto& [name, tenants] : tenant_classes_) tenants->Show({{"class", name}}, page);
    for (const auto& [number, loop] : loops_) loop->Show({{"loop", absl::StrCat(number)}}, page);
  }
  loops_probe_.Show({}, page);
  registry_.Show({}, page);
  connections_.Show({}, page);
  requests_.Show({}, page);
  sessions_.Show({}, page);
  store_.Show({}, page);
  tracing_.Show({}, page);
  ShowProcess(page);
}

std::string Metrics::Serialize() const {
  Page page;
  Show(&page);
  return page.Text();
}

std::string Metrics::SerializeOpenMetrics() const {
  Page page;
  Show(&page);
  return page.OpenMetrics();
}

}  // namespace rondo
