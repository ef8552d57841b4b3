#include "server/session/state_pool.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

namespace rondo {
namespace {

constexpr size_t kSlotAlignment = 64;     // a cache line, and the widest vector register
constexpr size_t kSlabBytes = 256 << 10;  // a power of two; a bigger slot has a slab of its own

}  // namespace

// The slots of one size. A free slot holds the link to the next one in its first bytes. A slab begins at a multiple of
// kSlabBytes, so that a slot finds it.
class StateSizeClass {
 public:
  StateSizeClass(size_t slot_bytes, std::atomic<size_t>* pool_bytes)
      : slot_bytes_(slot_bytes),
        slots_per_slab_(std::max<size_t>((kSlabBytes - sizeof(Slab)) / slot_bytes, 1)),
        pool_bytes_(pool_bytes) {}

  // REQUIRES: every slot was given back.
  ~StateSizeClass() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDelete): a slab is unlinked before it is freed
    while (with_room_ != nullptr) FreeSlab(with_room_);
  }

  float* Take() {
    MutexLock lock(&mutex_);
    if (with_room_ == nullptr) AddSlab();
    Slab* const slab = with_room_;
    if (slab->used == 0) --empty_slabs_;
    if (++slab->used == slots_per_slab_) Unlink(slab);
    if (slab->free != nullptr) return reinterpret_cast<float*>(std::exchange(slab->free, slab->free->next));
    // Slots are taken from the slab's end down, since memory is resident only once it is used.
    return reinterpret_cast<float*>(reinterpret_cast<std::byte*>(slab + 1) + --slab->untouched_slots * slot_bytes_);
  }

  // A slab without a slot in use is freed, but for one: whoever takes and gives back one slot makes no slab each time.
  static void Give(float* values) {
    const size_t place_in_slab = reinterpret_cast<uintptr_t>(values) % kSlabBytes;
    Slab* const slab = reinterpret_cast<Slab*>(reinterpret_cast<std::byte*>(values) - place_in_slab);
    slab->owner->Give(slab, values);
  }

 private:
  struct FreeSlot {
    FreeSlot* next;
  };
  static_assert(sizeof(FreeSlot) <= kSlotAlignment, "the link fits into the smallest slot");
  struct alignas(kSlotAlignment) Slab {
    StateSizeClass* owner = nullptr;
    Slab* previous = nullptr;  // among those with room
    Slab* next = nullptr;
    FreeSlot* free = nullptr;
    size_t untouched_slots = 0;
    size_t used = 0;
  };

  void Give(Slab* slab, float* values) {
    MutexLock lock(&mutex_);
    slab->free = new (values) FreeSlot{slab->free};
    if (slab->used-- == slots_per_slab_) Link(slab);
    if (slab->used == 0 && ++empty_slabs_ > 1) FreeSlab(slab);
  }

  size_t slab_bytes() const { return sizeof(Slab) + slots_per_slab_ * slot_bytes_; }

  void AddSlab() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Slab* const slab = new (::operator new(slab_bytes(), std::align_val_t(kSlabBytes))) Slab();
    slab->owner = this;
    slab->untouched_slots = slots_per_slab_;
    ++empty_slabs_;
    Link(slab);
    pool_bytes_->fetch_add(slab_bytes(), std::memory_order_relaxed);
  }

  void FreeSlab(Slab* slab) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Unlink(slab);
    --empty_slabs_;
    pool_bytes_->fetch_sub(slab_bytes(), std::memory_order_relaxed);
    ::operator delete(slab, std::align_val_t(kSlabBytes));
  }

  void Link(Slab* slab) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    slab->previous = nullptr;
    slab->next = with_room_;
    if (with_room_ != nullptr) with_room_->previous = slab;
    with_room_ = slab;
  }

  void Unlink(Slab* slab) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    (slab->previous == nullptr ? with_room_ : slab->previous->next) = slab->next;
    if (slab->next != nullptr) slab->next->previous = slab->previous;
  }

  const size_t slot_bytes_;
  const size_t slots_per_slab_;
  std::atomic<size_t>* const pool_bytes_;
  Mutex mutex_;
  Slab* with_room_ ABSL_GUARDED_BY(mutex_) = nullptr;  // owned, as are those without room
  size_t empty_slabs_ ABSL_GUARDED_BY(mutex_) = 0;
};

void StateSlot::GiveBack() { StateSizeClass::Give(std::exchange(values_, nullptr)); }

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
  return StateSlot(size_class->Take());
}

}  // namespace rondo
