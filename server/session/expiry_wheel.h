#ifndef RONDO_SERVER_SESSION_EXPIRY_WHEEL_H_
#define RONDO_SERVER_SESSION_EXPIRY_WHEEL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/time/time.h"

namespace rondo {

// Finds the entries whose deadlines have passed: a hashed timing wheel of one-second ticks (Varghese and Lauck 1987,
// scheme 6). Add and Remove are O(1) and allocate nothing. A sweep looks only at the slots that time has passed since
// the last sweep, in pieces of a given size, so that its caller never holds a lock for long.
//
// The slots say only when to look at an entry; whether it is due is decided by its exact deadline.
//
// Ownership: the wheel links the entries and does not own them. An entry that is linked does not move or die.
// Threads:   one at a time. Time is an argument: `now` may jump ahead by any amount; while it is behind an earlier one,
//            sweeps find nothing.
class ExpiryWheel {
 public:
  struct Entry {
    Entry* previous = nullptr;
    Entry* next = nullptr;  // null: not in a wheel
    int64_t deadline_ns = 0;
  };

  ExpiryWheel();
  ExpiryWheel(const ExpiryWheel&) = delete;
  ExpiryWheel& operator=(const ExpiryWheel&) = delete;

  // REQUIRES: `entry` is in no wheel. deadline_ns counts from the Unix epoch, and may have passed already.
  void Add(Entry* entry, int64_t deadline_ns, absl::Time now);
  // No effect if `entry` is not in the wheel.
  void Remove(Entry* entry);

  // Takes due entries (deadline <= now) out of the wheel and appends them to `due`, looking at no more than
  // `max_entries` entries. True: there are more to look at; call again with this `now`.
  bool Sweep(absl::Time now, size_t max_entries, std::vector<Entry*>* due);

  // About the soonest deadline: that of the first entry in a slot; the greatest number: there is none.
  int64_t SoonestDeadline() const;

  size_t size() const { return size_; }

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::min();
  static constexpr int64_t kSlots = 512;  // a power of two; a deadline further away is looked at once a round

  Entry& SlotOf(int64_t tick) { return slots_[static_cast<uint64_t>(tick) % kSlots]; }
  void Insert(Entry* entry);
  // Opens the next slot to look at. False: all slots have been looked at.
  bool OpenNextSlot(int64_t now_ns);

  std::array<Entry, kSlots> slots_;  // circular lists; the slot is the sentinel
  Entry open_;                       // what is left to look at of the slot of tick_
  int64_t tick_ = 0;                 // every earlier tick has been looked at
  bool open_is_last_look_ = false;   // tick_ was over when its slot was opened
  int64_t looked_at_ns_ = kNever;  // when the slot of tick_ was opened; kNever: something in it has not been looked at
  size_t size_ = 0;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_EXPIRY_WHEEL_H_
