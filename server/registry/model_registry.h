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
    Network::Options network;
  };

  // Loads all. INVALID_ARGUMENT: options. Any error of a --model file. A repository may start with no loadable model.
  static absl::StatusOr<std::unique_ptr<ModelRegistry>> Open(Options options, Metrics* metrics);
  ~ModelRegistry();

  // version 0: the newest. NOT_FOUND: says which models or versions there are.
  absl::StatusOr<ServedModelPtr> Find(absl::string_view name, int64_t version) const;
  // All live models, by name, then version.
  std::vector<ServedModelPtr> List() const;

  // Looks again: new versions and changed files are loaded, removed ones leave. Runs one at a time. OK, or the first
  // failure; every model that failed keeps what it served before.
  absl::Status Reload();

 private:
  class Impl;
  explicit ModelRegistry(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_MODEL_REGISTRY_H_
