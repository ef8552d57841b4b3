#ifndef RONDO_SERVER_REGISTRY_MODEL_LOADER_H_
#define RONDO_SERVER_REGISTRY_MODEL_LOADER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "server/registry/model_registry.h"

namespace rondo {

// Loads models on a thread of its own, so that whoever asks for a look at them waits for none to load.
//
// Ownership: borrows the registry.
// Threads:   every method may be called from any thread.
class ModelLoader {
 public:
  // Begins the first look. `on_look` hears, on the loader's thread, that a look has ended and how.
  ModelLoader(ModelRegistry* registry, std::function<void(const absl::Status&)> on_look);
  // Waits for the model that is being loaded: no load can be broken off.
  ~ModelLoader();
  ModelLoader(const ModelLoader&) = delete;
  ModelLoader& operator=(const ModelLoader&) = delete;

  // Asks for a look; it begins once the one that runs, if any, has ended. Those who ask before it begins share it.
  void Ask();
  // Asks for a look, and waits until it has ended or the loader quits.
  void AskAndWait();
  // How the first look ended, see ModelRegistry::LoadFirst; absent: it has not ended by `deadline`.
  std::optional<absl::Status> AwaitFirst(absl::Time deadline);
  // No look begins any more, and once this has returned `on_look` hears of none.
  void Quit();
  // Tells whether a look runs, for which the destructor would wait.
  bool busy() const;

 private:
  void Run();

  ModelRegistry* const registry_;
  const std::function<void(const absl::Status&)> on_look_;

  mutable Mutex mutex_;  // held while on_look_ runs, but not while a model loads
  CondVar changed_;
  bool asked_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t begun_ ABSL_GUARDED_BY(mutex_) = 1;  // looks; at most one more than have ended
  uint64_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
  bool quitting_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> first_ ABSL_GUARDED_BY(mutex_);

  std::thread thread_;  // last: it uses everything above
};

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_MODEL_LOADER_H_
