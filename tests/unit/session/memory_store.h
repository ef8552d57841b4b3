#ifndef RONDO_TESTS_UNIT_SESSION_MEMORY_STORE_H_
#define RONDO_TESTS_UNIT_SESSION_MEMORY_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "server/store/session_store.h"

namespace rondo {

// What several MemoryStores keep together, with the ownership rules of SessionStore; can be made to fail or to wait.
class MemoryDisk {
 public:
  // OK: works again.
  void FailWith(const absl::Status& status);
  // This one only. OK: works again.
  void FailWith(const std::string& id, const absl::Status& status);
  // Saves wait until Resume().
  void Pause() { Pause(&paused_saves_); }
  void PauseLoads() { Pause(&paused_loads_); }
  // Returns once a save waits.
  void AwaitSave() { Await(&waiting_saves_, 1); }
  void AwaitLoad() { Await(&waiting_loads_, 1); }
  void Resume();
  size_t size() const;
  bool Has(const std::string& id) const;
  uint64_t saves() const;  // that were written
  uint64_t refused_saves() const;
  // Return once so many saves were written, or refused.
  void AwaitSaves(uint64_t saves) { Await(&saves_, saves); }
  void AwaitRefusals(uint64_t saves) { Await(&refused_saves_, saves); }
  void Put(const std::string& id, const std::string& value);

 private:
  friend class MemoryStore;
  struct Entry {
    std::string value;
    uint64_t epoch = 1;
    const void* owner = nullptr;
  };

  void Pause(bool* which);
  void Await(const uint64_t* count, uint64_t wanted);
  void WaitWhile(const bool* paused, uint64_t* waiting) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  CondVar resumed_;
  CondVar waits_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  bool paused_saves_ ABSL_GUARDED_BY(mutex_) = false;
  bool paused_loads_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t waiting_saves_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t waiting_loads_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t saves_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t refused_saves_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, absl::Status> failures_ ABSL_GUARDED_BY(mutex_);  // of single ids
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

class MemoryStore : public SessionStore {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}
  void Load(absl::Span<LoadOp> loads) override;
  void Save(absl::Span<SaveOp> saves) override;
  bool DropExpired(absl::Time) override { return false; }

 private:
  const std::shared_ptr<MemoryDisk> disk_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_SESSION_MEMORY_STORE_H_
