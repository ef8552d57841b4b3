#include "server/session/expiry_wheel.h"

#include <algorithm>

namespace rondo {
namespace {

int64_t TickOf(int64_t time_ns) {
  constexpr int64_t kTickNs = 1'000'000'000;
  const int64_t tick = time_ns / kTickNs;
  return time_ns % kTickNs < 0 ? tick - 1 : tick;
}

void MakeEmpty(ExpiryWheel::Entry* list) { list->previous = list->next = list; }

bool IsEmpty(const ExpiryWheel::Entry& list) { return list.next == &list; }

void Unlink(ExpiryWheel::Entry* entry) {
  entry->previous->next = entry->next;
  entry->next->previous = entry->previous;
  entry->previous = entry->next = nullptr;
}

void Append(ExpiryWheel::Entry* list, ExpiryWheel::Entry* entry) {
  entry->previous = list->previous;
  entry->next = list;
  list->previous->next = entry;
  list->previous = entry;
}

// REQUIRES: `to` is empty.
void MoveAll(ExpiryWheel::Entry* from, ExpiryWheel::Entry* to) {
  if (IsEmpty(*from)) return;
  to->next = from->next;
  to->previous = from->previous;
  to->next->previous = to;
  to->previous->next = to;
  MakeEmpty(from);
}

}  // namespace

ExpiryWheel::ExpiryWheel() {
  for (Entry& slot : slots_) MakeEmpty(&slot);
  MakeEmpty(&open_);
}

void ExpiryWheel::Add(Entry* entry, int64_t deadline_ns, absl::Time now) {
  if (size_ == 0) {
    tick_ = TickOf(absl::ToUnixNanos(now));
    open_is_last_look_ = false;
  }
  if (size_ == 0 || deadline_ns <= looked_at_ns_) looked_at_ns_ = kNever;
  entry->deadline_ns = deadline_ns;
  Insert(entry);
}

void ExpiryWheel::Insert(Entry* entry) {
  // A slot that has had its last look is not looked at again for a whole round.
  const int64_t first_tick = open_is_last_look_ ? tick_ + 1 : tick_;
  Append(&SlotOf(std::max(TickOf(entry->deadline_ns), first_tick)), entry);
  ++size_;
}

void ExpiryWheel::Remove(Entry* entry) {
  if (entry->next == nullptr) return;
  Unlink(entry);
  --size_;
}

bool ExpiryWheel::OpenNextSlot(int64_t now_ns) {
  if (!open_is_last_look_ && now_ns <= looked_at_ns_) return false;
  const int64_t now_tick = TickOf(now_ns);
  // One round looks at every slot, so a longer jump has nothing more to find.
  if (open_is_last_look_) tick_ = std::max(tick_ + 1, now_tick - kSlots + 1);
  open_is_last_look_ = tick_ < now_tick;
  looked_at_ns_ = now_ns;
  MoveAll(&SlotOf(tick_), &open_);
  return true;
}

int64_t ExpiryWheel::SoonestDeadline() const {
  int64_t soonest = std::numeric_limits<int64_t>::max();
  for (int64_t tick = tick_; tick < tick_ + kSlots && TickOf(soonest) > tick; ++tick) {
    const Entry& slot = slots_[static_cast<uint64_t>(tick) % kSlots];
    if (!IsEmpty(slot)) soonest = std::min(soonest, slot.next->deadline_ns);
  }
  return soonest;
}

bool ExpiryWheel::Sweep(absl::Time now, size_t max_entries, std::vector<Entry*>* due) {
  const int64_t now_ns = absl::ToUnixNanos(now);
  if (size_ == 0 || TickOf(now_ns) < tick_) return false;
  for (size_t looked_at = 0; looked_at < max_entries;) {
    if (IsEmpty(open_)) {
      if (OpenNextSlot(now_ns)) continue;
      return false;
    }
    Entry* const entry = open_.next;
    Remove(entry);
    ++looked_at;
    if (entry->deadline_ns <= now_ns) {
      due->push_back(entry);
    } else {
      Insert(entry);
    }
  }
  return true;
}

}  // namespace rondo
