#ifndef RONDO_BASE_CGROUP_H_
#define RONDO_BASE_CGROUP_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rondo {

// Says where the limits of cgroups are read. Tests give paths of their own.
struct CgroupPaths {
  std::string cgroup_root = "/sys/fs/cgroup";         // where the cgroup file systems are mounted
  std::string process_cgroups = "/proc/self/cgroup";  // which groups this process is in
};

struct Cgroup {
  std::string folder;  // where its limits stand
  bool is_v2 = false;  // the names of the limits are those of cgroups(7) version 2
};

// Returns the groups whose limits on `controller` ("cpu", "memory") hold for this process: its own and all above. Some
// may have no folder. None: the file of the process's groups is missing or makes no sense.
std::vector<Cgroup> CgroupsOf(const CgroupPaths& paths, absl::string_view controller);

// Returns the first line of a limit's file; empty if there is none.
std::string ReadLimit(const std::string& file);

}  // namespace rondo

#endif  // RONDO_BASE_CGROUP_H_
