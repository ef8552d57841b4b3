#include "tests/unit/session/memory_store.h"

#include <algorithm>
#include <utility>

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

MemoryStore::MemoryStore(std::shared_ptr<MemoryDisk> disk)
    : disk_(std::move(disk)), number_([this] {
        MutexLock lock(&disk_->mutex_);
        return ++disk_->stores_;
      }()) {}

void MemoryStore::Load(absl::Span<LoadOp> loads) {
  MutexLock lock(&disk_->mutex_);
  disk_->WaitWhile(&disk_->paused_loads_, &disk_->waiting_loads_);
  for (LoadOp& load : loads) {
    load.status = disk_->failure_;
    if (!load.status.ok()) continue;
    if (disk_->shared_ && load.claim > absl::ZeroDuration()) disk_->entries_[std::string(load.id)];
    const auto found = disk_->entries_.find(std::string(load.id));
    if (found == disk_->entries_.end()) continue;
    MemoryDisk::Entry& entry = found->second;
    load.held = IsHeld(found->first, &entry);
    if (load.held) continue;
    if (entry.value.empty()) {  // a claim
      entry.owner = number_;
      continue;
    }
    load.taken_over = entry.owner != number_;
    const bool let_go = entry.owner == 0 || disk_->ended_.count(entry.owner) > 0;
    if (disk_->shared_ && load.taken_over && (entry.doubtful || !let_go)) load.doubtful_before = absl::InfiniteFuture();
    entry.owner = number_;
    entry.asker = 0;
    entry.doubtful = false;
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
    if (save.value.empty() && disk_->entries_.count(std::string(save.id)) == 0) continue;
    MemoryDisk::Entry& entry = disk_->entries_[std::string(save.id)];
    if (entry.value.empty() && (!disk_->shared_ || entry.owner == 0)) {
      entry.owner = number_;
      entry.epoch = std::max<uint64_t>(save.epoch, 1);
    }
    if (entry.owner != number_ || (entry.epoch != save.epoch && save.epoch != SessionStore::kOwnEpoch)) {
      save.status = absl::AbortedError("another store has it");
      continue;
    }
    if (!save.value.empty()) entry.value = std::string(save.value);
    ++disk_->saves_;
    if (!disk_->shared_ || save.after == After::kKept) continue;
    entry.owner = 0;
    const int asker = std::exchange(entry.asker, 0);
    entry.doubtful = save.after == After::kLetGoDoubtful;
    const auto listener = disk_->listeners_.find(asker);
    if (listener != disk_->listeners_.end()) listener->second({StoreNotice::Kind::kFreed, std::string(save.id)});
  }
  disk_->waits_.SignalAll();
}

void MemoryStore::Scan(ScanOp* scan) {
  MutexLock lock(&disk_->mutex_);
  scan->entries.clear();
  scan->status = disk_->failure_;
  if (!scan->status.ok()) return;
  auto at = disk_->entries_.lower_bound(std::max(scan->from, scan->prefix));
  const auto end = disk_->entries_.end();
  const auto in_range = [&] { return at != end && at->first.compare(0, scan->prefix.size(), scan->prefix) == 0; };
  for (int i = 0; i < 2 && in_range(); ++i, ++at) {
    const bool has_space = at->first.find(' ', scan->prefix.size()) != std::string::npos;
    if (!has_space && !at->second.value.empty())
      scan->entries.push_back({at->first, at->second.value.substr(0, ScanOp::kHeadBytes)});
  }
  scan->from = in_range() ? at->first : "";
}

bool MemoryStore::IsHeld(const std::string& id, MemoryDisk::Entry* entry) {
  const auto listener = disk_->listeners_.find(entry->owner);
  if (entry->owner == number_ || listener == disk_->listeners_.end()) return false;
  entry->asker = number_;
  listener->second({StoreNotice::Kind::kWanted, id});
  return true;
}

void MemoryStore::Listen(std::function<void(StoreNotice)> hear) {
  if (!disk_->shared_) return;
  MutexLock lock(&disk_->mutex_);
  disk_->listeners_[number_] = std::move(hear);
  disk_->ended_.erase(number_);
}

void MemoryStore::StopListening() {
  MutexLock lock(&disk_->mutex_);
  disk_->listeners_.erase(number_);
}

void MemoryStore::EndWhole() {
  MutexLock lock(&disk_->mutex_);
  disk_->ended_.insert(number_);
}

void MemoryStore::Lapse() {
  StopListening();
  term_.Awake(absl::UnixEpoch());
}

}  // namespace rondo
