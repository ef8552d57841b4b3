#include "server/registry/model_registry.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/annotate.h"
#include "base/log.h"
#include "model/compute_thread.h"
#include "model/described_model.h"
#include "model/model.h"
#include "server/refusal/refusal.h"
#include "server/registry/model_checksums.h"

namespace rondo {
namespace {

constexpr size_t kMaxNamesInMessage = 10;

std::string Join(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  const size_t shown = std::min(names.size(), kMaxNamesInMessage);
  return absl::StrCat(absl::StrJoin(names.begin(), names.begin() + shown, ", "),
                      shown < names.size() ? absl::StrCat(" and ", names.size() - shown, " more") : "");
}

template <typename Versions>
absl::Status NoSuchVersion(absl::string_view name, const Versions& versions, int64_t version) {
  std::vector<std::string> known;
  for (const auto& [number, served] : versions) known.push_back(absl::StrCat(number));
  return Refuse(Why::kNotFound,
                absl::StrCat("model \"", name, "\" has no version ", version, "; there are: ", Join(known)));
}

absl::StatusOr<RepositoryScan> Scan(const std::string& repository) {
  absl::StatusOr<RepositoryScan> scan = ScanRepository(repository);
  if (scan.ok()) return scan;
  return Annotate(scan.status(), absl::StrCat("--model_repository=", repository));
}

void LogFailure(const ModelSource& source, const absl::Status& failure, bool old_one_stays) {
  LogEvent(LogLevel::kError, "model_load_failed",
           {{"model", source.name},
            {"version", absl::StrCat(source.version)},
            {"file", source.path},
            {"cause", std::string(failure.message())},
            {"serving", old_one_stays ? "the one before" : "nothing"}});
}

// The content of a model's file, or of the list of sums, was judged; reading the bytes of both once more would not
// change the judgement.
bool IsFinal(const absl::Status& failure) {
  return absl::IsDataLoss(failure) || absl::IsInvalidArgument(failure) || absl::IsFailedPrecondition(failure);
}

}  // namespace

absl::Status ModelRegistry::ReadOptions() {
  if (options_.model_files.empty() == options_.model_repository.empty()) {
    return absl::InvalidArgumentError("wanted either model files or a model repository");
  }
  if (!options_.models_sha256.empty()) {
    if (absl::Status list = ModelChecksums::Read(options_.models_sha256).status(); !list.ok()) return list;
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

absl::StatusOr<RepositoryScan> ModelRegistry::Look() {
  if (!files_.empty()) return RepositoryScan{files_, {}, {}};
  absl::StatusOr<RepositoryScan> scan = Scan(options_.model_repository);
  std::vector<std::string> problems;
  if (!scan.ok()) {
    problems.emplace_back(scan.status().message());
  } else if (!scan->problems.empty()) {
    problems = scan->problems;
  } else if (scan->sources.empty() && !options_.allow_empty) {
    problems.emplace_back("the repository is empty; wanted NAME/VERSION/model.safetensors in it");
  }
  LogNewProblems(problems);
  return scan;
}

// Logs one line when a problem appears, not one at each look.
void ModelRegistry::LogNewProblems(const std::vector<std::string>& problems) {
  for (const std::string& problem : problems) {
    if (logged_problems_.count(problem) == 0) LogEvent(LogLevel::kWarning, "model_ignored", {{"cause", problem}});
  }
  logged_problems_ = {problems.begin(), problems.end()};
}

absl::Status ModelRegistry::Reload() {
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

absl::Status ModelRegistry::Refresh(const ModelSource& source, Entry* entry) {
  // The stamp is taken before the load, so that a file that changes meanwhile looks changed the next time.
  const absl::StatusOr<FileStamp> stamp = FileStamp::Of(source.path);
  absl::Status failure = stamp.status();
  if (stamp.ok()) {
    if (entry->served != nullptr && *stamp == entry->served_stamp) return entry->failure = absl::OkStatus();
    const absl::StatusOr<FileStamp> list = FileStamp::Of(options_.models_sha256);
    const Judged judged{*stamp, list.ok() ? *list : FileStamp()};
    if (IsFinal(entry->failure) && judged == entry->failed) return entry->failure;
    failure = Load(source, entry);
    if (failure.ok()) {
      entry->served_stamp = *stamp;
    } else {
      entry->failed = judged;
    }
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

absl::StatusOr<std::shared_ptr<const Model>> ModelRegistry::LoadChecked(const ModelSource& source) const {
  const absl::StatusOr<ModelChecksums> checksums = ModelChecksums::Read(options_.models_sha256);
  if (!checksums.ok()) return checksums.status();
  const absl::StatusOr<CheckedModel> copies = checksums->Copy(source.path);
  if (!copies.ok()) return copies.status();
  return LoadModel(copies->model->path(), copies->description == nullptr ? "" : copies->description->path(),
                   source.name, source.version, options_.network);
}

absl::Status ModelRegistry::Load(const ModelSource& source, Entry* entry) {
  const absl::Time start = absl::Now();
  absl::StatusOr<std::shared_ptr<const Model>> model =
      options_.models_sha256.empty() ? LoadModel(source.path, source.name, source.version, options_.network)
                                     : LoadChecked(source);
  if (!model.ok()) return model.status();
  const absl::Duration duration = absl::Now() - start;
  const Network& network = *(*model)->network;
  ModelMetrics* const metrics = metrics_->ForModel(source.name);
  metrics->registry.load.Observe(Nanoseconds(duration));
  LogEvent(LogLevel::kInfo, "model_loaded",
           {{"model", source.name},
            {"version", absl::StrCat(source.version)},
            {"cell", std::string(network.spec().network_kind())},
            {"num_layers", absl::StrCat(network.spec().num_layers)},
            {"hidden_size", absl::StrCat(network.spec().hidden_size)},
            {"kernel", network.kernel_name()},
            {"deterministic", network.deterministic() ? "true" : "false"},
            {"weights", WeightFormatName(network.weights())},
            {"weights_error", absl::StrCat((*model)->weights_error)},
            {"seconds", absl::StrCat(absl::ToDoubleSeconds(duration))}});
  entry->served = std::make_shared<const ServedModel>(ServedModel{*std::move(model), metrics});
  return absl::OkStatus();
}

void ModelRegistry::RemoveAllBut(const std::set<Key>& wanted) {
  for (auto it = entries_.begin(); it != entries_.end();) {
    if (wanted.count(it->first) != 0) {
      ++it;
      continue;
    }
    const auto& [name, version] = it->first;
    if (it->second.served != nullptr) {
      LogEvent(LogLevel::kInfo, "model_unloaded", {{"model", name}, {"version", absl::StrCat(version)}});
    }
    it = entries_.erase(it);
  }
}

void ModelRegistry::Publish() {
  auto made = std::make_shared<Snapshot>();
  made->looked = true;
  PerVersion::Rows live, loaded;
  for (const auto& [key, entry] : entries_) {
    if (entry.served != nullptr) {
      const Network& network = *entry.served->model->network;
      made->live[key.first][key.second] = entry.served;
      live[key] = {1,
                   {std::string(network.spec().network_kind()), network.kernel_name(),
                    WeightFormatName(network.weights()), network.deterministic() ? "true" : "false"}};
    }
    made->known.push_back({key.first, key.second, entry.served, entry.failure});
    loaded[key] = {entry.failure.ok() ? 1.0 : 0.0, {}};
  }
  metrics_->registry()->live.Replace(std::move(live));
  metrics_->registry()->loaded.Replace(std::move(loaded));
  std::shared_ptr<const Snapshot> next = std::move(made);
  {
    const MutexLock lock(&snapshot_mutex_);
    snapshot_.swap(next);
  }
  // `next` is now the old snapshot: models that left are freed here, after the lock.
}

absl::StatusOr<std::unique_ptr<ModelRegistry>> ModelRegistry::Create(Options options, Metrics* metrics) {
  std::unique_ptr<ModelRegistry> registry(new ModelRegistry(std::move(options), metrics));
  if (absl::Status status = registry->ReadOptions(); !status.ok()) return status;
  return registry;
}

absl::StatusOr<std::unique_ptr<ModelRegistry>> ModelRegistry::Open(Options options, Metrics* metrics) {
  absl::StatusOr<std::unique_ptr<ModelRegistry>> registry = Create(std::move(options), metrics);
  if (!registry.ok()) return registry;
  if (absl::Status status = (*registry)->LoadFirst(); !status.ok()) return status;
  return registry;
}

absl::Status ModelRegistry::LoadFirst() {
  absl::Status status = Reload();
  return options_.model_files.empty() ? absl::OkStatus() : status;
}

std::shared_ptr<const ModelRegistry::Snapshot> ModelRegistry::snapshot() const {
  const MutexLock lock(&snapshot_mutex_);
  return snapshot_;
}

absl::Status ModelRegistry::NoSuchModel(const Snapshot& found, absl::string_view name) {
  std::vector<std::string> names;
  for (const auto& [known, versions] : found.live) names.push_back(known);
  return Refuse(Why::kNotFound,
                absl::StrCat("no model \"", absl::CHexEscape(name.substr(0, 64)), "\"; there are: ", Join(names)));
}

absl::Status ModelRegistry::WhyAway(const Snapshot& found, absl::string_view name, int64_t version) {
  if (!found.looked) return Refuse(Why::kModelAway, "the models are being loaded");
  absl::Status why;
  for (const Known& known : found.known) {
    if (known.name != name || known.served != nullptr || (version != 0 && known.version != version)) continue;
    why = Refuse(Why::kModelAway, known.failure.message());
  }
  return why;
}

absl::StatusOr<ServedModelPtr> ModelRegistry::Find(absl::string_view name, int64_t version) const {
  const std::shared_ptr<const Snapshot> found = snapshot();
  const auto model = found->live.find(name);
  if (model != found->live.end()) {
    const Versions& versions = model->second;
    if (version == 0) return versions.rbegin()->second;
    const auto wanted = versions.find(version);
    if (wanted != versions.end()) return wanted->second;
  }
  if (absl::Status away = WhyAway(*found, name, version); !away.ok()) return away;
  return model == found->live.end() ? NoSuchModel(*found, name) : NoSuchVersion(name, model->second, version);
}

std::vector<ServedModelPtr> ModelRegistry::List() const {
  const std::shared_ptr<const Snapshot> found = snapshot();
  std::vector<ServedModelPtr> models;
  for (const auto& [name, versions] : found->live) {
    for (const auto& [number, served] : versions) models.push_back(served);
  }
  return models;
}

std::vector<ModelRegistry::Known> ModelRegistry::ListKnown() const { return snapshot()->known; }

bool ModelRegistry::ready() const {
  const std::shared_ptr<const Snapshot> found = snapshot();
  return found->looked && (!found->live.empty() || options_.allow_empty);
}

}  // namespace rondo
