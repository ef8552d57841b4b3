#include "base/memory_use.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace rondo {

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
  const size_t free = mallinfo2().fordblks;
  free_after_trim_ = std::min(free_after_trim_, free);
  if (free < free_after_trim_ + kWorthATrim) return false;
  malloc_trim(0);
  free_after_trim_ = mallinfo2().fordblks;
  return true;
}

}  // namespace rondo
