#ifndef RONDO_SERVER_REGISTRY_MODEL_REGISTRY_H_
#define RONDO_SERVER_REGISTRY_MODEL_REGISTRY_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "model/network.h"
#include "server/metrics/metrics.h"
#include "server/metrics/served_model.h"
#include "server/registry/model_source.h"

namespace rondo {

// Knows which models and versions are live.
//
// Ownership: shares each model with the sessions and requests that use it; a model that leaves lives until the last of
//            them is done.
// Threads:   every method may be called from any thread; Find takes a short lock and allocates nothing.
// Errors:    a model file that does not load is logged by name and cause, and what was served before stays.
class ModelRegistry {
 public:
  struct Options {
    // Single files. Name and version come from .../NAME/VERSION/model.safetensors, else the file's stem and version 1.
    std::vector<std::string> model_files;
    // DIR/<name>/<version>/model.safetensors, version a positive integer; empty: none. Exactly one of the two is given.
    std::string model_repository;
    // A list of the sums that the models' files must have, see ModelChecksums, which is read again for each model that
    // is loaded; a model that it keeps out is looked at again when its files or the list change. Empty: any file is
    // loaded.
    std::string models_sha256;
    bool allow_empty = false;  // whether the server is ready without any live model
    Network::Options network;
  };

  // What is known of a version: it is live, or its newest file could not be loaded, or both: then an earlier file of it
  // is served.
  struct Known {
    std::string name;
    int64_t version = 0;
    ServedModelPtr served;  // null: not live
    absl::Status failure;   // why its newest file could not be loaded; OK: that file is served
  };

  // Checks the options, and loads nothing yet. INVALID_ARGUMENT: options. Any error of reading the repository's folder.
  static absl::StatusOr<std::unique_ptr<ModelRegistry>> Create(Options options, Metrics* metrics);
  // Create and LoadFirst.
  static absl::StatusOr<std::unique_ptr<ModelRegistry>> Open(Options options, Metrics* metrics);

  // Loads all. Any error of a --model file; a repository may start with no loadable model.
  absl::Status LoadFirst();

  // version 0: the newest live one. NOT_FOUND: says which models or versions there are. UNAVAILABLE: no file of it
  // could be loaded, and why; or the first look has not ended, so that nobody knows yet which models there are.
  absl::StatusOr<ServedModelPtr> Find(absl::string_view name, int64_t version) const;
  // All live models, by name, then version.
  std::vector<ServedModelPtr> List() const;
  // The live models and the versions that could not be loaded, by name, then version. A file that is repaired or
  // removed takes its failure with it at the next look.
  std::vector<Known> ListKnown() const;
  // Tells whether the server has what it needs to be called ready: the first look has ended, and a model is live or
  // none has to be (allow_empty).
  bool ready() const;

  // Looks again: new versions and changed files are loaded, removed ones leave. Runs one at a time. OK, or the first
  // failure; every model that failed keeps what it served before.
  absl::Status Reload();
  // Makes a Reload that runs, and every later one, end with CANCELLED before the next model; that of one model goes on.
  void StopLoading() { stopped_ = true; }

 private:
  using Key = std::pair<std::string, int64_t>;
  using Versions = std::map<int64_t, ServedModelPtr>;
  // What the last look has found. It never changes once published: a reader copies the pointer and needs no lock after
  // that.
  struct Snapshot {
    std::map<std::string, Versions, std::less<>> live;  // no model without a version
    std::vector<Known> known;                           // by name, then version
    bool looked = false;                                // false: no look has ended yet
  };
  // The files that a load judges: a model's, and the list of sums; without a list, a stamp of no file.
  using Judged = std::pair<FileStamp, FileStamp>;
  // All that is known of one name and version.
  struct Entry {
    ServedModelPtr served;  // null: never loaded
    FileStamp served_stamp;
    absl::Status failure;  // of what was found since; OK: nothing wrong
    Judged failed;         // if failure is final
  };

  ModelRegistry(Options options, Metrics* metrics) : options_(std::move(options)), metrics_(metrics) {}
  absl::Status ReadOptions();
  std::shared_ptr<const Snapshot> snapshot() const;
  static absl::Status NoSuchModel(const Snapshot& found, absl::string_view name);
  // Says why a version that is there is not live. OK: there is none. `version` 0: the newest that failed.
  static absl::Status WhyAway(const Snapshot& found, absl::string_view name, int64_t version);
  absl::StatusOr<RepositoryScan> Look() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);
  void LogNewProblems(const std::vector<std::string>& problems) ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);
  absl::Status Refresh(const ModelSource& source, Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);
  // Loads the files, if models_sha256 is given from copies of theirs that have the sums that it lists.
  absl::Status Load(const ModelSource& source, Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);
  absl::StatusOr<std::shared_ptr<const Model>> LoadChecked(const ModelSource& source) const;
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

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_MODEL_REGISTRY_H_
