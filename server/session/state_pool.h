#ifndef RONDO_SERVER_SESSION_STATE_POOL_H_
#define RONDO_SERVER_SESSION_STATE_POOL_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/mutex.h"

namespace rondo {

class StateSizeClass;

// Borrows memory for one state from a StatePool, and gives it back in the end. Move-only.
class StateSlot {
 public:
  StateSlot() = default;
  StateSlot(StateSlot&& other) noexcept : values_(std::exchange(other.values_, nullptr)) {}
  StateSlot& operator=(StateSlot&& other) noexcept {
    if (this != &other) {
      Reset();
      values_ = std::exchange(other.values_, nullptr);
    }
    return *this;
  }
  ~StateSlot() { Reset(); }

  // Gives the slot back; no effect if there is none.
  void Reset() {
    if (values_ != nullptr) GiveBack();
  }
  float* get() const { return values_; }  // null: none; aligned to 64 bytes

 private:
  friend class StatePool;
  explicit StateSlot(float* values) : values_(values) {}
  void GiveBack();

  float* values_ = nullptr;
};

// Memory for the recurrent states of all models: fixed slots, one size class a state size, so that no pattern of
// sessions coming and going fragments it. Slots are cut from slabs made on demand; a slab without a slot in use is
// given back to the system.
//
// Ownership: owns all slots and outlives every StateSlot.
// Threads:   every method may be called from any thread; slots may be given back on any thread.
class StatePool {
 public:
  StatePool();
  ~StatePool();

  // Takes a slot of `state_size` floats that begins as `initial` says; empty: all zero.
  StateSlot TakeInitial(size_t state_size, absl::Span<const float> initial = {});
  // Takes a slot of `state_size` floats of any content.
  StateSlot TakeUndefined(size_t state_size);

  // The bytes of all slabs, used or free.
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  StateSizeClass* SizeClass(size_t state_size);

  std::atomic<size_t> bytes_{0};
  Mutex mutex_;
  absl::flat_hash_map<size_t, std::unique_ptr<StateSizeClass>> size_classes_ ABSL_GUARDED_BY(mutex_);  // by slot bytes
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_STATE_POOL_H_
