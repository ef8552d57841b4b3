#ifndef RONDO_BASE_MEMORY_LIMIT_H_
#define RONDO_BASE_MEMORY_LIMIT_H_

#include <cstddef>

#include "base/cgroup.h"

namespace rondo {

// Returns how many bytes of memory this process may use: the machine's or, if that is less, the limit of its cgroup and
// of all groups above (v2 memory.max, v1 memory.limit_in_bytes). Files that are missing or make no sense limit nothing.
size_t AvailableMemory(const CgroupPaths& paths = {});

}  // namespace rondo

#endif  // RONDO_BASE_MEMORY_LIMIT_H_
