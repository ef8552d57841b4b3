#ifndef RONDO_SERVER_METRICS_REGISTRY_PROBE_H_
#define RONDO_SERVER_METRICS_REGISTRY_PROBE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "server/metrics/durations.h"
#include "server/metrics/metric_cells.h"
#include "server/metrics/probe.h"

namespace rondo {

// What each live model version is.
//
// Threads: every method may be called from any thread.
class LiveVersions {
 public:
  // Replaces what is said of (model, version).
  void Set(absl::string_view model, int64_t version, absl::string_view cell, absl::string_view kernel) {
    const MutexLock lock(&mutex_);
    versions_[{std::string(model), version}] = {std::string(cell), std::string(kernel)};
  }
  void Remove(absl::string_view model, int64_t version) {
    const MutexLock lock(&mutex_);
    versions_.erase({std::string(model), version});
  }

  template <typename Show>
  void ForEach(Show show) const {
    const MutexLock lock(&mutex_);
    for (const auto& [key, about] : versions_) {
      show({key.first, absl::StrCat(key.second), about.cell, about.kernel, "f32"}, Reading{1});
    }
  }

 private:
  struct About {
    std::string cell;
    std::string kernel;
  };

  mutable Mutex mutex_;
  std::map<std::pair<std::string, int64_t>, About> versions_ ABSL_GUARDED_BY(mutex_);
};

// Whether the newest file of each model version could be loaded.
//
// Threads: every method may be called from any thread.
class LoadedVersions {
 public:
  using Versions = std::map<std::pair<std::string, int64_t>, bool>;

  void Set(Versions versions) {
    const MutexLock lock(&mutex_);
    versions_ = std::move(versions);
  }

  template <typename Show>
  void ForEach(Show show) const {
    const MutexLock lock(&mutex_);
    for (const auto& [key, loaded] : versions_)
      show({key.first, absl::StrCat(key.second)}, Reading{loaded ? 1.0 : 0.0});
  }

 private:
  mutable Mutex mutex_;
  Versions versions_ ABSL_GUARDED_BY(mutex_);
};

// The files of one model name.
struct ModelRegistryProbe : Probe {
  Metric<Histogram> load{
      this,
      {"rondo_model_load_duration_seconds", "Reading a model file and preparing its network, in seconds."},
      kLoadTimes};
};

// All models of the server.
struct RegistryProbe : Probe {
  Metric<LiveVersions> live{this,
                            {"rondo_model_info",
                             "Always 1 for each live model version; the labels describe it.",
                             {"model", "version", "cell", "kernel", "dtype"}}};
  Metric<LoadedVersions> loaded{
      this,
      {"rondo_model_loaded",
       "1 for each model version whose newest file is live, 0 if that file could not be loaded.",
       {"model", "version"}}};
  Metric<Counter> load_failures{
      this, {"rondo_model_load_failures_total", "Model files that could not be loaded, each counted once a cause."}};
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_REGISTRY_PROBE_H_
