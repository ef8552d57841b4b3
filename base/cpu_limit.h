#ifndef RONDO_BASE_CPU_LIMIT_H_
#define RONDO_BASE_CPU_LIMIT_H_

#include <string>

namespace rondo {

// Says where the limits are read. Tests give paths of their own.
struct CpuLimitPaths {
  std::string cgroup_root = "/sys/fs/cgroup";         // where the cgroup file systems are mounted
  std::string process_cgroups = "/proc/self/cgroup";  // which groups this process is in
};

// Returns how many CPUs this process may use, at least 1: the CPUs that it may be scheduled on or, if that is less, the
// quota of its cgroup and of all groups above (v2 cpu.max, v1 cpu.cfs_quota_us), rounded up. Files that are missing or
// make no sense limit nothing.
int AvailableCpus(const CpuLimitPaths& paths = {});

// Returns the quota alone, in CPUs; infinity if there is none.
double CgroupCpuQuota(const CpuLimitPaths& paths);

}  // namespace rondo

#endif  // RONDO_BASE_CPU_LIMIT_H_
