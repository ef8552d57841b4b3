#include "base/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/numbers.h"

namespace rondo {

size_t AvailableMemory(const CgroupPaths& paths) {
  uint64_t least = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
  for (const Cgroup& group : CgroupsOf(paths, "memory")) {
    const char* const file = group.is_v2 ? "/memory.max" : "/memory.limit_in_bytes";
    uint64_t bytes = 0;  // "max" is no number: there is no limit
    if (absl::SimpleAtoi(ReadLimit(group.folder + file), &bytes) && bytes > 0) least = std::min(least, bytes);
  }
  return static_cast<size_t>(least);
}

}  // namespace rondo
