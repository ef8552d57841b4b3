#include "server/session/state_pool.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

namespace rondo {
namespace {

constexpr size_t kSlotAlignment = 64;     // a cache line, and the widest vector register
constexpr size_t kSlabBytes = 256 << 10;  // a bigger slot has a slab of its own

struct SlabDeleter {
  void operator()(std::byte* slab) const { ::operator delete(slab, std::align_val_t(kSlotAlignment)); }
};

}  // namespace

// The slots of one size. A free slot holds the link to the next one in its first bytes.
class StateSizeClass {
 public:
  StateSizeClass(size_t slot_bytes, std::atomic<size_t>* pool_bytes)
      : slot_bytes_(slot_bytes),
        slots_per_slab_(std::max<size_t>(kSlabBytes / slot_bytes, 1)),
        pool_bytes_(pool_bytes) {}

  float* Take() {
    MutexLock lock(&mutex_);
    if (free_ != nullptr) {
      FreeSlot* const slot = std::exchange(free_, free_->next);
      return reinterpret_cast<float*>(slot);
    }
    if (untouched_slots_ == 0) AddSlab();
    // From the slab's end down: memory is resident only once it is used.
    return reinterpret_cast<float*>(slabs_.back().get() + --untouched_slots_ * slot_bytes_);
  }

  void Give(float* values) {
    MutexLock lock(&mutex_);
    free_ = new (values) FreeSlot{free_};
  }

 private:
  struct FreeSlot {
    FreeSlot* next;
  };
  static_assert(sizeof(FreeSlot) <= kSlotAlignment, "the link fits into the smallest slot");

  void AddSlab() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const size_t slab_bytes = slots_per_slab_ * slot_bytes_;
    slabs_.emplace_back(static_cast<std::byte*>(::operator new(slab_bytes, std::align_val_t(kSlotAlignment))));
    untouched_slots_ = slots_per_slab_;
    pool_bytes_->fetch_add(slab_bytes, std::memory_order_relaxed);
  }

  const size_t slot_bytes_;
  const size_t slots_per_slab_;
  std::atomic<size_t>* const pool_bytes_;
  Mutex mutex_;
  FreeSlot* free_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::vector<std::unique_ptr<std::byte, SlabDeleter>> slabs_ ABSL_GUARDED_BY(mutex_);
  size_t untouched_slots_ ABSL_GUARDED_BY(mutex_) = 0;  // of the last slab
};

void StateSlot::GiveBack() { size_class_->Give(std::exchange(values_, nullptr)); }

StatePool::StatePool() = default;
StatePool::~StatePool() = default;

StateSizeClass* StatePool::SizeClass(size_t state_size) {
  const size_t bytes = std::max<size_t>(state_size * sizeof(float), 1);
  const size_t slot_bytes = (bytes + kSlotAlignment - 1) / kSlotAlignment * kSlotAlignment;
  MutexLock lock(&mutex_);
  std::unique_ptr<StateSizeClass>& size_class = size_classes_[slot_bytes];
  if (size_class == nullptr) size_class = std::make_unique<StateSizeClass>(slot_bytes, &bytes_);
  return size_class.get();
}

StateSlot StatePool::TakeInitial(size_t state_size, absl::Span<const float> initial) {
  StateSlot slot = TakeUndefined(state_size);
  if (initial.empty()) {
    std::memset(slot.get(), 0, state_size * sizeof(float));
  } else {
    std::copy(initial.begin(), initial.end(), slot.get());
  }
  return slot;
}

StateSlot StatePool::TakeUndefined(size_t state_size) {
  StateSizeClass* const size_class = SizeClass(state_size);
  return StateSlot(size_class, size_class->Take());
}

}  // namespace rondo
