#ifndef RONDO_BASE_MEMORY_USE_H_
#define RONDO_BASE_MEMORY_USE_H_

#include <cstddef>

namespace rondo {

// Returns how many bytes of this process are in memory; 0 if that cannot be read. It takes some microseconds and
// allocates nothing.
size_t ResidentMemory();

// Gives memory that was freed back to the system: glibc keeps what lies between blocks that are in use.
//
// Threads: one.
class HeapTrim {
 public:
  // Trims if kWorthATrim more bytes are free than after the last time. A trim of a gigabyte takes some 50 ms, in which
  // threads that allocate may wait. Returns whether it did.
  bool TrimIfWorth();

 private:
  static constexpr size_t kWorthATrim = 8 << 20;
  size_t free_after_trim_ = 0;
};

}  // namespace rondo

#endif  // RONDO_BASE_MEMORY_USE_H_
