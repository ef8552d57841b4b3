#ifndef RONDO_BASE_MEMORY_LIMIT_H_
#define RONDO_BASE_MEMORY_LIMIT_H_

#include <cstddef>
#include <string>

namespace rondo {

// Returns how many bytes of memory this process may use: the machine's or, if that is less, the limit of its cgroup and
// of all groups above (v2 memory.max, v1 memory.limit_in_bytes). Files that are missing or make no sense limit nothing.
// Tests give paths of their own: where the cgroup file systems are mounted, and which groups the process is in.
size_t AvailableMemory(const std::string& cgroup_root = "/sys/fs/cgroup",
                       const std::string& process_cgroups = "/proc/self/cgroup");

}  // namespace rondo

#endif  // RONDO_BASE_MEMORY_LIMIT_H_
