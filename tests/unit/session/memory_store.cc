#include "tests/unit/session/memory_store.h"

#include <algorithm>

namespace rondo {

void MemoryDisk::FailWith(const absl::Status& status) {
  MutexLock lock(&mutex_);
  failure_ = status;
}

void MemoryDisk::FailWith(const std::string& id, const absl::Status& status) {
  MutexLock lock(&mutex_);
  failures_[id] = status;
}

void MemoryDisk::Pause(bool* which) {
  MutexLock lock(&mutex_);
  *which = true;
}

void MemoryDisk::Await(const uint64_t* count, uint64_t wanted) {
  MutexLock lock(&mutex_);
  while (*count < wanted) waits_.Wait(&mutex_);
}

void MemoryDisk::WaitWhile(const bool* paused, uint64_t* waiting) {
  ++*waiting;
  waits_.SignalAll();
  while (*paused) resumed_.Wait(&mutex_);
  --*waiting;
}

void MemoryDisk::Resume() {
  MutexLock lock(&mutex_);
  paused_saves_ = paused_loads_ = false;
  resumed_.SignalAll();
}

size_t MemoryDisk::size() const {
  MutexLock lock(&mutex_);
  return entries_.size();
}

bool MemoryDisk::Has(const std::string& id) const {
  MutexLock lock(&mutex_);
  return entries_.count(id) > 0;
}

uint64_t MemoryDisk::saves() const {
  MutexLock lock(&mutex_);
  return saves_;
}

uint64_t MemoryDisk::refused_saves() const {
  MutexLock lock(&mutex_);
  return refused_saves_;
}

void MemoryDisk::Put(const std::string& id, const std::string& value) {
  MutexLock lock(&mutex_);
  entries_[id].value = value;
}

void MemoryStore::Load(absl::Span<LoadOp> loads) {
  MutexLock lock(&disk_->mutex_);
  disk_->WaitWhile(&disk_->paused_loads_, &disk_->waiting_loads_);
  for (LoadOp& load : loads) {
    load.status = disk_->failure_;
    const auto found = disk_->entries_.find(std::string(load.id));
    if (!load.status.ok() || found == disk_->entries_.end()) continue;
    load.taken_over = found->second.owner != this;
    found->second.owner = this;
    load.epoch = ++found->second.epoch;
    load.value = found->second.value;
  }
}

void MemoryStore::Save(absl::Span<SaveOp> saves) {
  MutexLock lock(&disk_->mutex_);
  disk_->WaitWhile(&disk_->paused_saves_, &disk_->waiting_saves_);
  for (SaveOp& save : saves) {
    save.status = disk_->failure_;
    if (save.status.ok()) save.status = disk_->failures_[std::string(save.id)];
    if (!save.status.ok()) {
      ++disk_->refused_saves_;
      continue;
    }
    MemoryDisk::Entry& entry = disk_->entries_[std::string(save.id)];
    if (entry.value.empty()) {
      entry.owner = this;
      entry.epoch = std::max<uint64_t>(save.epoch, 1);
    }
    if (entry.owner != this || (entry.epoch != save.epoch && save.epoch != SessionStore::kOwnEpoch)) {
      save.status = absl::AbortedError("another store has it");
      continue;
    }
    entry.value = std::string(save.value);
    ++disk_->saves_;
  }
  disk_->waits_.SignalAll();
}

}  // namespace rondo
