#ifndef RONDO_BASE_MEMORY_USE_H_
#define RONDO_BASE_MEMORY_USE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

namespace rondo {

// Returns how many bytes of this process are in memory; 0 if that cannot be read. It takes some microseconds and
// allocates nothing.
size_t ResidentMemory();

// Has the heap of each thread keep up to 16 MiB that are freed, until a HeapTrim. Without this the memory of each large
// message is given back and comes again page by page: that was more than a tenth of the CPU time of a history of 10,000
// timesteps.
void KeepFreedMemory();

// Gives memory that was freed back to the system: glibc keeps what lies between blocks that are in use.
//
// Threads: one.
class HeapTrim {
 public:
  // Trims if kWorthATrim more bytes are in memory without being in use than after the last time, and the first time
  // always. A trim of a gigabyte takes some 50 ms, in which threads that allocate may wait. Returns whether it did.
  bool TrimIfWorth();

 private:
  static constexpr int64_t kWorthATrim = 8 << 20;
  std::optional<int64_t> unused_after_trim_;
};

}  // namespace rondo

#endif  // RONDO_BASE_MEMORY_USE_H_
