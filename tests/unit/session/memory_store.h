#ifndef RONDO_TESTS_UNIT_SESSION_MEMORY_STORE_H_
#define RONDO_TESTS_UNIT_SESSION_MEMORY_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
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
  // From here on the stores are of servers that share them: who listens is asked, and not passed over. Before any
  // Listen.
  void Share() { shared_ = true; }

 private:
  friend class MemoryStore;
  struct Entry {
    std::string value;
    uint64_t epoch = 1;
    int owner = 0;  // a store's number; 0: nobody
    int asker = 0;
    bool doubtful = false;
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
  bool shared_ = false;
  int stores_ ABSL_GUARDED_BY(mutex_) = 0;  // so far: each has a number
  std::map<int, std::function<void(StoreNotice)>> listeners_ ABSL_GUARDED_BY(mutex_);
  std::set<int> ended_ ABSL_GUARDED_BY(mutex_);  // with everything saved
};

class MemoryStore : public SessionStore {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk);
  void Load(absl::Span<LoadOp> loads) override;
  void Save(absl::Span<SaveOp> saves) override;
  // A part is two values.
  void Scan(ScanOp* scan) override;
  ~MemoryStore() override { StopListening(); }
  bool DropExpired(absl::Time) override { return false; }
  void Listen(std::function<void(StoreNotice)> hear) override;
  void StopListening() override;
  void EndWhole() override;
  // Begins a new term, as if this process had been stopped and passed over.
  void Lapse();

 private:
  // True: its owner lives, and has been asked.
  bool IsHeld(const std::string& id, MemoryDisk::Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk_->mutex_);

  const std::shared_ptr<MemoryDisk> disk_;
  const int number_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_SESSION_MEMORY_STORE_H_
