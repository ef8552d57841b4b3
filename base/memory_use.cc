#include "base/memory_use.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace rondo {
namespace {

// What is in memory and in no block of the heap that is in use: freed blocks, and what is not of the heap. The bytes of
// freed blocks alone would not do: glibc counts them after a trim too, and a peak that comes and goes between two looks
// leaves as many as there were, but in memory again.
int64_t UnusedMemory() {
  const struct mallinfo2 heap = mallinfo2();
  return static_cast<int64_t>(ResidentMemory()) - static_cast<int64_t>(heap.uordblks + heap.hblkhd);
}

}  // namespace

size_t ResidentMemory() {
  char text[128] = "";  // the pages in all, those in memory, and more
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const bool was_read = read(file, text, sizeof(text) - 1) > 0;
  close(file);
  const char* const resident = was_read ? strchr(text, ' ') : nullptr;
  return resident == nullptr ? 0 : strtoull(resident, nullptr, 10) * static_cast<size_t>(sysconf(_SC_PAGE_SIZE));
}

void KeepFreedMemory() {
  constexpr int kMostKept = 16 << 20;
  constexpr int kMappedAlone = 8 << 20;  // larger blocks are given back at once
  mallopt(M_TRIM_THRESHOLD, kMostKept);
  mallopt(M_MMAP_THRESHOLD, kMappedAlone);
}

bool HeapTrim::TrimIfWorth() {
  const int64_t unused = UnusedMemory();
  if (unused_after_trim_) {
    unused_after_trim_ = std::min(*unused_after_trim_, unused);
    if (unused < *unused_after_trim_ + kWorthATrim) return false;
  }
  malloc_trim(0);
  unused_after_trim_ = UnusedMemory();
  return true;
}

}  // namespace rondo
