#ifndef RONDO_SERVER_REGISTRY_MODEL_REGISTRY_H_
#define RONDO_SERVER_REGISTRY_MODEL_REGISTRY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/network.h"
#include "server/metrics/metrics.h"
#include "server/metrics/served_model.h"

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
  ~ModelRegistry();

  // Loads all. Any error of a --model file; a repository may start with no loadable model.
  absl::Status LoadFirst();

  // version 0: the newest live one. NOT_FOUND: says which models or versions there are. UNAVAILABLE: no file of it
  // could be loaded, and why; or the first look has not ended, so that nobody knows yet which models there are.
  absl::StatusOr<ServedModelPtr> Find(absl::string_view name, int64_t version) const;
  // All live models, by name, then version.
  std::vector<ServedModelPtr> List() const;
  // Those and the versions that could not be loaded, by name, then version. A file that is repaired or removed takes
  // its failure with it at the next look.
  std::vector<Known> ListKnown() const;
  // Whether the server has what it needs to be called ready: the first look has ended, and a model is live or none has
  // to be (allow_empty).
  bool ready() const;

  // Looks again: new versions and changed files are loaded, removed ones leave. Runs one at a time. OK, or the first
  // failure; every model that failed keeps what it served before.
  absl::Status Reload();
  // Makes a Reload that runs, and every later one, end with CANCELLED before the next model; that of one model goes on.
  void StopLoading();

 private:
  class Impl;
  explicit ModelRegistry(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_MODEL_REGISTRY_H_
