#include "server/registry/model_registry.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "model/compute_thread.h"
#include "model/model.h"
#include "server/refusal/refusal.h"
#include "server/registry/model_source.h"

namespace rondo {
namespace {

constexpr size_t kMaxNamesInMessage = 10;

using Versions = std::map<int64_t, ServedModelPtr>;
// What the last look has found. It never changes once published: a reader copies the pointer and needs no lock after
// that.
struct Snapshot {
  std::map<std::string, Versions, std::less<>> live;  // no model without a version
  std::vector<ModelRegistry::Known> known;            // by name, then version
  bool looked = false;                                // false: no look has ended yet
};

std::string Join(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  const size_t shown = std::min(names.size(), kMaxNamesInMessage);
  return absl::StrCat(absl::StrJoin(names.begin(), names.begin() + shown, ", "),
                      shown < names.size() ? absl::StrCat(" and ", names.size() - shown, " more") : "");
}

absl::Status NoSuchModel(const Snapshot& snapshot, absl::string_view name) {
  std::vector<std::string> names;
  for (const auto& [known, versions] : snapshot.live) names.push_back(known);
  return Refuse(Why::kNotFound,
                absl::StrCat("no model \"", absl::CHexEscape(name.substr(0, 64)), "\"; there are: ", Join(names)));
}

absl::Status NoSuchVersion(absl::string_view name, const Versions& versions, int64_t version) {
  std::vector<std::string> known;
  for (const auto& [number, served] : versions) known.push_back(absl::StrCat(number));
  return Refuse(Why::kNotFound,
                absl::StrCat("model \"", name, "\" has no version ", version, "; there are: ", Join(known)));
}

// Says why a version that is there is not live. OK: there is none. `version` 0: the newest that failed.
absl::Status WhyAway(const Snapshot& snapshot, absl::string_view name, int64_t version) {
  if (!snapshot.looked) return Refuse(Why::kModelAway, "the models are being loaded");
  absl::Status why;
  for (const ModelRegistry::Known& known : snapshot.known) {
    if (known.name != name || known.served != nullptr || (version != 0 && known.version != version)) continue;
    why = Refuse(Why::kModelAway, known.failure.message());
  }
  return why;
}

absl::StatusOr<RepositoryScan> Scan(const std::string& repository) {
  absl::StatusOr<RepositoryScan> scan = ScanRepository(repository);
  if (scan.ok()) return scan;
  return absl::Status(scan.status().code(), absl::StrCat("model repository: ", scan.status().message()));
}

void LogFailure(const ModelSource& source, const absl::Status& failure, bool old_one_stays) {
  LogEvent(LogLevel::kError, "model_load_failed",
           {{"model", source.name},
            {"version", absl::StrCat(source.version)},
            {"cause", std::string(failure.message())},
            {"serving", old_one_stays ? "the one before" : "nothing"}});
}

// A file whose content was judged; reading its bytes once more would not change the judgement.
bool IsFinal(const absl::Status& failure) { return absl::IsDataLoss(failure) || absl::IsInvalidArgument(failure); }

}  // namespace

class ModelRegistry::Impl {
 public:
  Impl(Options options, Metrics* metrics) : options_(std::move(options)), metrics_(metrics) {}

  absl::Status ReadOptions();
  absl::Status Reload();
  void StopLoading() { stopped_ = true; }
  const Options& options() const { return options_; }

  std::shared_ptr<const Snapshot> snapshot() const {
    const MutexLock lock(&snapshot_mutex_);
    return snapshot_;
  }

 private:
  using Key = std::pair<std::string, int64_t>;

  // All that is known of one name and version.
  struct Entry {
    ServedModelPtr served;  // null: never loaded
    FileStamp served_stamp;
    absl::Status failure;    // of what was found since; OK: nothing wrong
    FileStamp failed_stamp;  // if failure is final
  };

  absl::StatusOr<RepositoryScan> Look() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);
  void LogNewProblems(const std::vector<std::string>& problems) ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);
  absl::Status Refresh(const ModelSource& source, Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);
  absl::Status Load(const ModelSource& source, Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);
  void RemoveAllBut(const std::set<Key>& wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);
  void Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);

  const Options options_;
  Metrics* const metrics_;
  std::atomic<bool> stopped_{false};
  std::vector<ModelSource> files_;  // of options_.model_files; constant after ReadOptions

  Mutex reload_mutex_;  // held while models load; Find never waits for it
  std::map<Key, Entry> entries_ ABSL_GUARDED_BY(reload_mutex_);
  std::set<std::string> logged_problems_ ABSL_GUARDED_BY(reload_mutex_);

  mutable Mutex snapshot_mutex_;
  std::shared_ptr<const Snapshot> snapshot_ ABSL_GUARDED_BY(snapshot_mutex_) = std::make_shared<Snapshot>();
};

absl::Status ModelRegistry::Impl::ReadOptions() {
  if (options_.model_files.empty() == options_.model_repository.empty()) {
    return absl::InvalidArgumentError("wanted either model files or a model repository");
  }
  if (options_.model_files.empty()) return Scan(options_.model_repository).status();
  std::set<Key> seen;
  for (const std::string& path : options_.model_files) {
    absl::StatusOr<ModelSource> source = ModelSourceOfFile(path);
    if (!source.ok()) return source.status();
    if (!seen.insert({source->name, source->version}).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two files are model \"", source->name, "\" version ", source->version));
    }
    files_.push_back(*std::move(source));
  }
  return absl::OkStatus();
}

absl::StatusOr<RepositoryScan> ModelRegistry::Impl::Look() {
  if (!files_.empty()) return RepositoryScan{files_, {}, {}};
  absl::StatusOr<RepositoryScan> scan = Scan(options_.model_repository);
  LogNewProblems(scan.ok() ? scan->problems : std::vector<std::string>{std::string(scan.status().message())});
  return scan;
}

// Logs one line when a problem appears, not one at each look.
void ModelRegistry::Impl::LogNewProblems(const std::vector<std::string>& problems) {
  for (const std::string& problem : problems) {
    if (logged_problems_.count(problem) == 0) LogEvent(LogLevel::kWarning, "model_ignored", {{"cause", problem}});
  }
  logged_problems_ = {problems.begin(), problems.end()};
}

absl::Status ModelRegistry::Impl::Reload() {
  PrepareComputeThread();
  const MutexLock lock(&reload_mutex_);
  const absl::StatusOr<RepositoryScan> scan = Look();
  if (!scan.ok()) return scan.status();
  absl::Status first_failure;
  std::set<Key> wanted;
  for (const ModelSource& source : scan->sources) {
    if (stopped_) return absl::CancelledError("the server is shutting down");
    Key key(source.name, source.version);
    first_failure.Update(Refresh(source, &entries_[key]));
    wanted.insert(std::move(key));
  }
  for (const auto& [key, entry] : entries_) {
    if (absl::c_linear_search(scan->unreadable, key.first)) wanted.insert(key);
  }
  RemoveAllBut(wanted);
  Publish();
  return first_failure;
}

absl::Status ModelRegistry::Impl::Refresh(const ModelSource& source, Entry* entry) {
  // The stamp is taken before the load, so that a file that changes meanwhile looks changed the next time.
  const absl::StatusOr<FileStamp> stamp = FileStamp::Of(source.path);
  absl::Status failure = stamp.status();
  if (stamp.ok()) {
    if (entry->served != nullptr && *stamp == entry->served_stamp) return entry->failure = absl::OkStatus();
    if (IsFinal(entry->failure) && *stamp == entry->failed_stamp) return entry->failure;
    failure = Load(source, entry);
    (failure.ok() ? entry->served_stamp : entry->failed_stamp) = *stamp;
  }
  if (!failure.ok()) {
    failure = absl::Status(
        failure.code(), absl::StrCat("model \"", source.name, "\" version ", source.version, ": ", failure.message()));
    if (failure != entry->failure) {
      LogFailure(source, failure, entry->served != nullptr);
      metrics_->registry()->load_failures.Add();
    }
  }
  entry->failure = failure;
  return failure;
}

absl::Status ModelRegistry::Impl::Load(const ModelSource& source, Entry* entry) {
  const absl::Time start = absl::Now();
  absl::StatusOr<std::shared_ptr<const Model>> model =
      LoadModel(source.path, source.name, source.version, options_.network);
  if (!model.ok()) return model.status();
  const absl::Duration duration = absl::Now() - start;
  const Network& network = *(*model)->network;
  ModelMetrics* const metrics = metrics_->ForModel(source.name);
  metrics->registry.load.Observe(Nanoseconds(duration));
  metrics_->registry()->live.Set(source.name, source.version, CellName(network.spec().cell), network.kernel_name());
  LogEvent(LogLevel::kInfo, "model_loaded",
           {{"model", source.name},
            {"version", absl::StrCat(source.version)},
            {"cell", std::string(CellName(network.spec().cell))},
            {"num_layers", absl::StrCat(network.spec().num_layers)},
            {"hidden_size", absl::StrCat(network.spec().hidden_size)},
            {"kernel", network.kernel_name()},
            {"deterministic", network.deterministic() ? "true" : "false"},
            {"seconds", absl::StrCat(absl::ToDoubleSeconds(duration))}});
  entry->served = std::make_shared<const ServedModel>(ServedModel{*std::move(model), metrics});
  return absl::OkStatus();
}

void ModelRegistry::Impl::RemoveAllBut(const std::set<Key>& wanted) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (wanted.count(it->first) != 0) {
      ++it;
      continue;
    }
    const auto& [name, version] = it->first;
    if (it->second.served != nullptr) {
      metrics_->registry()->live.Remove(name, version);
      LogEvent(LogLevel::kInfo, "model_unloaded", {{"model", name}, {"version", absl::StrCat(version)}});
    }
    it = entries_.erase(it);
  }
}

void ModelRegistry::Impl::Publish() {
  auto made = std::make_shared<Snapshot>();
  made->looked = true;
  LoadedVersions::Versions loaded;
  for (const auto& [key, entry] : entries_) {
    if (entry.served != nullptr) made->live[key.first][key.second] = entry.served;
    made->known.push_back({key.first, key.second, entry.served, entry.failure});
    loaded[key] = entry.failure.ok();
  }
  metrics_->registry()->loaded.Set(std::move(loaded));
  std::shared_ptr<const Snapshot> next = std::move(made);
  {
    const MutexLock lock(&snapshot_mutex_);
    snapshot_.swap(next);
  }
  // `next` is now the old snapshot: models that left are freed here, after the lock.
}

absl::StatusOr<std::unique_ptr<ModelRegistry>> ModelRegistry::Create(Options options, Metrics* metrics) {
  auto impl = std::make_unique<Impl>(std::move(options), metrics);
  if (absl::Status status = impl->ReadOptions(); !status.ok()) return status;
  return std::unique_ptr<ModelRegistry>(new ModelRegistry(std::move(impl)));
}

absl::StatusOr<std::unique_ptr<ModelRegistry>> ModelRegistry::Open(Options options, Metrics* metrics) {
  absl::StatusOr<std::unique_ptr<ModelRegistry>> registry = Create(std::move(options), metrics);
  if (!registry.ok()) return registry;
  if (absl::Status status = (*registry)->LoadFirst(); !status.ok()) return status;
  return registry;
}

absl::Status ModelRegistry::LoadFirst() {
  absl::Status status = impl_->Reload();
  return impl_->options().model_files.empty() ? absl::OkStatus() : status;
}

ModelRegistry::ModelRegistry(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ModelRegistry::~ModelRegistry() = default;

absl::StatusOr<ServedModelPtr> ModelRegistry::Find(absl::string_view name, int64_t version) const {
  const std::shared_ptr<const Snapshot> snapshot = impl_->snapshot();
  const auto model = snapshot->live.find(name);
  if (model != snapshot->live.end()) {
    const Versions& versions = model->second;
    if (version == 0) return versions.rbegin()->second;
    const auto found = versions.find(version);
    if (found != versions.end()) return found->second;
  }
  if (absl::Status away = WhyAway(*snapshot, name, version); !away.ok()) return away;
  return model == snapshot->live.end() ? NoSuchModel(*snapshot, name) : NoSuchVersion(name, model->second, version);
}

std::vector<ServedModelPtr> ModelRegistry::List() const {
  const std::shared_ptr<const Snapshot> snapshot = impl_->snapshot();
  std::vector<ServedModelPtr> models;
  for (const auto& [name, versions] : snapshot->live) {
    for (const auto& [number, served] : versions) models.push_back(served);
  }
  return models;
}

std::vector<ModelRegistry::Known> ModelRegistry::ListKnown() const { return impl_->snapshot()->known; }

bool ModelRegistry::ready() const {
  const std::shared_ptr<const Snapshot> snapshot = impl_->snapshot();
  return snapshot->looked && (!snapshot->live.empty() || impl_->options().allow_empty);
}

absl::Status ModelRegistry::Reload() { return impl_->Reload(); }
void ModelRegistry::StopLoading() { impl_->StopLoading(); }

}  // namespace rondo
